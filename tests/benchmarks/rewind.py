"""How long a step takes to be shown again: the small CNN and the circle, inline, from the wish to its frame.

`python -m tests.benchmarks.rewind [device] [steps]` trains at full speed, watched, then asks for past steps
and prints a JSON object: milliseconds (median and worst), and what the history holds.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from engine.project_file import load_project
from engine.session import protocol as p
from engine.session import views as v
from engine.session.session import Session

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
BACK = 1000


def measure(sample: str, device: str, steps: int) -> dict[str, Any]:
    """Train so many steps, then go `BACK` steps back and elsewhere, each from the newest step."""
    frames: list[p.Frame] = []
    session = Session(lambda e: frames.append(e) if isinstance(e, p.Frame) else None)
    project = load_project(SAMPLES / f"{sample}.matrizen")
    assert project.source is not None
    session.handle(p.Configure(project.graph, project.training, project.source, 1, device, str(SAMPLES)))
    t = session.trainer
    assert t is not None
    weight = next(v.id for v in t.program.values.values() if v.role == "param")
    session.handle(p.Watch("w", v.Matrix(weight), 1000.0))
    session.handle(p.Watch("past", v.Past(), 1000.0))
    session.handle(p.SetPace(None))
    session.handle(p.Play())
    start = time.perf_counter()
    while t.step < steps:
        session.handle(p.Pull())
        session.work()
    session.handle(p.Pause())
    trained = time.perf_counter() - start
    end = t.step

    def seconds(step: int) -> float:
        session.handle(p.GoTo(step))
        session.handle(p.Pull())
        frames.clear()
        begin = time.perf_counter()
        while not any(f.step == max(0, step - 1) and "w" in f.views for f in frames):
            session.work()
        return time.perf_counter() - begin

    seconds(end - 1)
    times = []
    for k in range(15):
        times.append(1000 * seconds(end - BACK - 7 * k))
        seconds(end)
    history = session.motion.history
    out = {
        "sample": sample, "device": t.backend.device, "steps": end, "steps_per_second": round(end / trained),
        "back": BACK, "median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1),
        "points": len(history.steps), "megabytes": round(history.bytes / 1e6, 1),
    }  # fmt: skip
    session.close()
    return out


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "numpy"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    for name in ("digits_cnn", "fashion_cnn", "circle"):
        print(json.dumps(measure(name, chosen, count)), flush=True)
