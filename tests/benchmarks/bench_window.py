"""Speed and memory of the window: one command, under two minutes, on a screen of its own.

    python -m tests.benchmarks.bench_window [--json] [--seconds S] [--pairs N] [--starts N] [--cold]
                                            [--device numpy] [--only start window reading]

docs/performance.md says what each number means. Wall times are worth something only on a quiet machine; CPU
times and ratios hold on a busy one, too. The load of the machine is part of the result.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.session.worker import environment
from tests.benchmarks import window_load

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("start", "window", "reading")
START = "from tests.benchmarks.window_started import run; raise SystemExit(run())"
# not as __main__: the engine's process would import all of it again
DRIVE = "from tests.benchmarks.window_driven import main; raise SystemExit(main())"


@contextlib.contextmanager
def screen() -> Iterator[Mapping[str, str]]:
    """Variables for a child: an own virtual screen, and a home that knows of no earlier window."""
    with tempfile.TemporaryDirectory() as home:
        base = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "PYTHONPATH": str(ROOT)}
        if shutil.which("Xvfb") is None:
            raise SystemExit("Xvfb is needed (Debian and Ubuntu: apt install xvfb)")
        read, write = os.pipe()
        size = ["-screen", "0", "1600x1000x24"]
        arguments = ["Xvfb", "-displayfd", str(write), *size, "-noreset", "-nolisten", "tcp"]
        server = subprocess.Popen(arguments, pass_fds=(write,), stderr=subprocess.DEVNULL)
        os.close(write)
        try:
            with os.fdopen(read) as numbers:
                base["DISPLAY"] = f":{numbers.readline().strip()}"
            yield base
        finally:
            server.terminate()
            server.wait(10)


def child(arguments: Sequence[str], variables: Mapping[str, str], seconds: float) -> str:
    """The last line that a Python process prints; its errors go to the terminal."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=dict(variables), stdout=subprocess.PIPE, text=True,
        timeout=seconds,
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise SystemExit(f"{' '.join(arguments)[:60]} ... ended with status {done.returncode}")
    return lines[-1]


def start(variables: Mapping[str, str], count: int, cold: bool) -> dict[str, Any]:
    """Seconds from the command to the usable window, and the CPU seconds of its process until then."""
    out: dict[str, Any] = {"warm_s": [], "cpu_s": []}
    if cold:
        forget_files()
        before = time.monotonic()
        out["cold_s"] = float(child(["-c", START], variables, 60).split()[0]) - before
    for _ in range(count):
        before = time.monotonic()
        usable, cpu = map(float, child(["-c", START], variables, 60).split())
        out["warm_s"].append(usable - before)
        out["cpu_s"].append(cpu)
    return out


def forget_files() -> None:
    """Drop the program, its packages and Python from the cache of the system, as far as nobody uses them."""
    for base in {ROOT, Path(sys.prefix), Path(sys.base_prefix) / "lib"}:
        for path in base.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and path.suffix in (".py", ".pyc", ".so", ".ttf", ".svg", ".6"):
                    with path.open("rb") as file:
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def window(variables: Mapping[str, str], seconds: float, pairs: int) -> dict[str, Any]:
    """Frames, CPU, memory, and training speed watched and unwatched: see window_driven."""
    with tempfile.TemporaryDirectory() as folder:
        path = window_load.write(Path(folder) / "load.matrizen")
        limit = 60 + 3 * seconds + 4 * pairs
        out: dict[str, Any] = json.loads(
            child(["-c", DRIVE, str(path), str(seconds), str(pairs)], variables, limit)
        )
    for key in ("steps_per_s", "steps_per_cpu_s"):
        ratios = [pair["watched"][key] / pair["unwatched"][key] for pair in out["training"]]
        out[f"watched_{key}"] = interval(ratios)
    return out


def interval(values: Sequence[float]) -> dict[str, float]:
    """Median with a 95 % bootstrap interval (percentiles of 2,000 resampled medians)."""
    rng = np.random.default_rng(0)
    drawn = np.median(rng.choice(np.asarray(values), (2000, len(values))), axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"median": statistics.median(values), "low": float(low), "high": float(high), "pairs": len(values)}


def yardstick() -> float:
    """CPU milliseconds of a fixed piece of work, the median of nine.

    Neighbors on the same core and in the same caches make CPU time longer, too; this says by how much.
    """
    times = []
    numbers = np.random.default_rng(0).random(100_000)
    for _ in range(9):
        start = time.thread_time()
        total = 0.0
        for i in range(20_000):
            total += i * 0.5
        for _ in range(20):
            total += float(np.sort(numbers)[0] + numbers.sum())
        times.append(time.thread_time() - start)
    return statistics.median(times) * 1e3


def machine() -> dict[str, Any]:
    load = os.getloadavg()
    return {
        "cores": os.cpu_count(), "load": load, "python": platform.python_version(),
        "system": platform.platform(), "quiet": load[0] < 0.5, "yardstick_ms": yardstick(),
    }  # fmt: skip


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(what, measured, goal)"""
    if "start" in found:
        s = found["start"]
        if "cold_s" in s:
            yield "command to usable window, cold", f"{s['cold_s']:.2f} s", ""
        yield "command to usable window, warm", f"{statistics.median(s['warm_s']):.2f} s", "< 2 s"
        yield "CPU time of it", f"{statistics.median(s['cpu_s']):.2f} s", ""
    if "window" in found:
        w = found["window"]
        for name in ("watching", "steady", "hands"):
            for kind in ("wall_ms", "cpu_ms"):
                q = w[name][kind]
                text = f"{q['p50']:.1f} / {q['p95']:.1f} / {q['p99']:.1f} ms"
                yield f"frame p50/p95/p99, {name}, {kind[:-3]}", text, "p99 < 16.7 ms"
        yield "longest stretch p99, hands, wall", f"{w['hands']['stretch_ms']['p99']:.1f} ms", "< 16.7 ms"
        yield "new data a second, at full speed", f"{w['watching']['data_hz']:.1f}", ""
        yield "window, cores used, at full speed", f"{w['watching']['cores']:.2f}", ""
        yield "new data a second, steady", f"{w['steady']['data_hz']:.1f}", "15"
        yield "window, cores used, steady", f"{w['steady']['cores']:.2f}", "<= 0.2"
        for key, text in (("watched_steps_per_s", "steps/s"), ("watched_steps_per_cpu_s", "steps per CPU s")):
            r = w[key]
            shown = f"{r['median']:.2f} ({r['low']:.2f}-{r['high']:.2f})"
            yield f"watched / unwatched, {text}", shown, ">= 0.85"
        yield "resident, largest", f"{max(w['resident_mb'].values()):.0f} MB", "< 400 MB"
    if "reading" in found:
        r = found["reading"]
        yield "reading, share of device time", f"{100 * r['share_read']:.2f} %", "<= 2 %"
        yield "reducing for the screen", f"{100 * r['share_reduce']:.1f} %", ""
        yield "steps that keep everything", f"{100 * r['share_traced']:.1f} %", ""


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of the two phases (10)")
    parser.add_argument("--pairs", type=int, default=8, help="watched against unwatched (8)")
    parser.add_argument("--starts", type=int, default=5, help="warm starts (5)")
    parser.add_argument("--cold", action="store_true", help="also one start with the files out of the cache")
    parser.add_argument("--device", default="numpy", help="for the cost of reading (numpy)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    with screen() as variables:
        if "start" in options.only:
            found["start"] = start(variables, options.starts, options.cold)
        if "window" in options.only:
            found["window"] = window(variables, options.seconds, options.pairs)
        if "reading" in options.only:
            own = {**variables, **environment()}
            arguments = ["-m", "tests.benchmarks.reading_cost", options.device, str(options.seconds)]
            found["reading"] = json.loads(child(arguments, own, 90 + 4 * options.seconds))
    found["machine"].update(load_after=os.getloadavg(), yardstick_after_ms=yardstick())
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    m = found["machine"]
    print(f"{m['cores']} cores; load {m['load'][0]:.1f} before, {m['load_after'][0]:.1f} after;"
          f" yardstick {m['yardstick_ms']:.1f} ms, {m['yardstick_after_ms']:.1f} ms")  # fmt: skip
    for what, value, goal in rows(found):
        print(f"{what:44}{value:>28}   {goal}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
