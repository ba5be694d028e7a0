"""Speed of the labs: one command, about a minute, on a screen of its own, with the real engine process.

    python -m tests.benchmarks.bench_labs [--json] [--times N] [--seconds S]

docs/performance.md says what was found. Wall times are worth something only on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from tests.benchmarks.bench_window import child, machine, screen, yardstick

# not as __main__: the engine's process would import all of it again
DRIVE = "from tests.benchmarks.labs_driven import main; raise SystemExit(main())"


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(what, wall, CPU, limit)"""
    timed = [(f"open a cell: {name}", times) for name, times in found["cells"].items()]
    timed += [("one operation of the CNN, to repainted views", found["ops"])]
    for name, times in timed:
        yield name, *(_text(times[kind], ("p50", "p95")) for kind in ("wall", "cpu")), "p50 < 50 ms"
    wide = found["wide"]
    name = "4096 x 4096 panned and zoomed, frame p50/p99"
    yield name, *(_text(wide[f"{k}_ms"], ("p50", "p99")) for k in ("wall", "cpu")), "p99 < 16.7 ms"
    yield "  share of these frames with digits", f"{100 * wide['digits']:.0f} %", "", ""
    soon = (_text(found["digits"][k], ("p50", "p95")) for k in ("wall", "cpu"))
    yield "  digits after zooming in", *soon, ""


def _text(times: Mapping[str, float], which: tuple[str, ...]) -> str:
    return " / ".join(f"{times[q]:.1f}" for q in which) + " ms"


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--times", type=int, default=20, help="cells opened of each kind (20)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of panning and zooming (10)")
    options = parser.parse_args()
    before = machine()
    with screen() as variables, tempfile.TemporaryDirectory() as folder:
        arguments = ["-c", DRIVE, str(options.times), str(options.seconds), folder]
        found = json.loads(child(arguments, variables, 240 + 3 * options.times + options.seconds))
    found["machine"] = {**before, "load_after": os.getloadavg(), "yardstick_after_ms": yardstick()}
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    m = found["machine"]
    print(f"{m['cores']} cores; load {m['load'][0]:.1f} before, {m['load_after'][0]:.1f} after;"
          f" yardstick {m['yardstick_ms']:.1f} ms, {m['yardstick_after_ms']:.1f} ms")  # fmt: skip
    print(f"{'':46}{'wall p50 / p95':>20}{'CPU p50 / p95':>20}")
    for what, wall, cpu, limit in rows(found):
        print(f"{what:46}{wall:>20}{cpu:>20}   {limit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
