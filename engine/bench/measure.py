"""Paired measurement: blocks of both sides in turn, the ratio of each pair, its median and 95 % interval.

Where the system puts the threads of a process lasts as long as the process and can change its speed by half:
so the pairs are spread over several rounds, each with new processes.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from engine.errors import N_, TrainingError

TOLERANCE = 2e-5
"""Largest difference of any weight after the check steps."""
START_SECONDS = 300.0


class Process:
    """One side in a process of its own; asleep on its input except when told to compute."""

    def __init__(self, module: str, arguments: Sequence[str], python: str = sys.executable) -> None:
        root = Path(__file__).resolve().parents[2]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
        }
        self.name = f"{module.rsplit('.', 1)[-1]} {' '.join(arguments)}"
        self.process = subprocess.Popen([python, "-m", module, *arguments], stdin=subprocess.PIPE, cwd=root,
                                        stdout=subprocess.PIPE, text=True, env=environment)  # fmt: skip

    def ask(self, line: str) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises TrainingError when the process is gone."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise TrainingError(
                N_("The benchmark process {name} stopped by itself; its messages are above."), name=self.name
            )
        found: dict[str, Any] = json.loads(answer)
        return found

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@dataclass(frozen=True)
class Ratio:
    """Speed of A over speed of B: median and 95 % interval of the median over all pairs."""

    median: float
    low: float
    high: float
    pairs: int
    a_rate: float
    """Median steps a second of A."""
    b_rate: float


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Median and its 95 % interval by order statistics (binomial, no assumption on the distribution)."""
    v = sorted(values)
    n = len(v)
    half = 1.96 * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - half)), min(n - 1, math.ceil(n / 2 + half) - 1)
    return float(np.median(v)), v[low], v[max(high, low)]


def pairs_of(a: Process, b: Process, pairs: int, seconds: float = 0.4) -> list[tuple[float, float]]:
    """Steps a second of A and B in blocks A, B, A, B, ...; the order swaps every second pair."""
    for side in (a, b):
        side.ask(f"block {seconds}")
    rates = []
    for k in range(pairs):
        first, second = (a, b) if k % 2 == 0 else (b, a)
        found = {id(s): float(s.ask(f"block {seconds}")["rate"]) for s in (first, second)}
        rates.append((found[id(a)], found[id(b)]))
    return rates


def ratio_of(rates: Sequence[tuple[float, float]]) -> Ratio:
    """The ratio pair by pair, over all rounds."""
    a, b = np.array(rates).T
    return Ratio(*median_interval((a / b).tolist()), len(rates), float(np.median(a)), float(np.median(b)))


def check_equal(a: Process, b: Process) -> float:
    """Largest difference of any weight after equal steps; TrainingError when it is too large."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{k}.npz") for k in "ab"]
        for side, path in zip((a, b), paths, strict=True):
            side.ask(f"check {path}")
        with np.load(paths[0]) as left, np.load(paths[1]) as right:
            worst = max(float(np.abs(left[k] - right[k]).max()) for k in right.files)
    if not worst <= TOLERANCE:
        raise TrainingError(
            N_("{a} and {b} differ by {found}, more than {limit}: nothing is timed."),
            a=a.name,
            b=b.name,
            found=f"{worst:.1e}",
            limit=f"{TOLERANCE:.0e}",
        )
    return worst
