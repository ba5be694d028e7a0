"""Makes the pictures of README and docs from the real program: `python -m tests.journeys.screenshots`.

The spiral being learned, the network on pictures with its feature maps, an opened cell; dark and light.
`curriculum` makes those of docs/curriculum.md, see `curriculum.py`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.journeys import curriculum
from tests.journeys.harness import ROOT, Journey, cell, middle, missing_tools, screen

PICTURES = ROOT / "docs" / "pictures"
SAMPLES = ROOT / "resources" / "samples"
SIZE = (1600, 1000)


def spiral(journey: Journey) -> None:
    """In the middle of learning: the boundary has bent, and goes on bending."""
    journey.key("space")
    journey.wait(lambda now: (now["accuracy"] or 0) >= 0.93, "the spiral", 180)
    journey.pause(1.0)


def pictures(journey: Journey) -> None:
    """A convolution on clothes: filters, feature maps and gradients of the first layer."""
    journey.key("space")
    journey.wait(lambda now: (now["accuracy"] or 0) >= 0.8, "clothes", 240)
    node = journey.fresh()["nodes"]["conv1"]
    journey.click((node["rect"][0] + node["rect"][2] // 2, node["rect"][1] + 14))
    journey.key("space")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    look = journey.wait(lambda now: now["docks"]["weights"], "weights")
    first = look["docks"]["weights"]["first"]
    journey.click(middle(first))
    journey.point((first[0] + first[2] // 2, 620))
    journey.pause(1.0)


def opened(journey: Journey) -> None:
    """One cell of Z: row, column, products, bias, sum and activation."""
    journey.key("space")
    journey.wait(lambda now: now["step"] > 1200, "some steps", 60)
    journey.key("space")
    journey.wait(lambda now: now["running"] == "paused", "rest")
    dock = journey.wait(lambda now: now["docks"]["activations"], "activations")["docks"]["activations"]
    journey.click(cell(dock, 1, 3))
    journey.wait(lambda now: now["card"], "the card")
    journey.point((760, 500))
    journey.pause(0.8)


SCENES: dict[str, tuple[str, Callable[[Journey], None]]] = {
    "spiral": ("spiral", spiral),
    "pictures": ("fashion_cnn", pictures),
    "opened_cell": ("circle", opened),
}


def main(wanted: list[str]) -> int:
    """Make all pictures, or those named; the exit status."""
    missing = missing_tools()
    if missing:
        print(f"the pictures need {', '.join(missing)}", file=sys.stderr)
        return 1
    for name, (sample, act) in SCENES.items():
        if wanted and name not in wanted:
            continue
        for theme in ("dark", "light"):
            with screen(*SIZE) as display, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
                settings = {"language": "en", "theme": theme, "samples_dismissed": "true", "device": "numpy"}
                journey = Journey(display, Path(home) / "home", SAMPLES / f"{sample}.matrizen", **settings)
                try:
                    act(journey)
                    target = PICTURES / f"{name}_{theme}.png"
                    journey.picture(target)
                    print(target.relative_to(ROOT))
                finally:
                    journey.close()
    for name in curriculum.WALKS:
        if not wanted or "curriculum" in wanted or f"curriculum:{name}" in wanted:
            with (screen(*curriculum.SIZE) as display,
                  tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home):  # fmt: skip
                curriculum.take(name, display, Path(home) / "home")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
