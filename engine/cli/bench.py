"""`bench`: training speed on every device here, against PyTorch where it is installed."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from engine.backends.devices import list_devices
from engine.bench.measure import Process, Ratio, check_equal, pairs_of, ratio_of
from engine.bench.work import BATCH, WORKS, Work

ROUNDS, PAIRS = 7, 3
"""New processes so often, and pairs of blocks in each."""
PEER = "MATRIZEN_BENCH_PYTHON"
"""Interpreter that has torch, when it is not this one."""


def run(options: argparse.Namespace) -> int:
    """Measure and print one line (or JSON entry) per work and device; 0."""
    devices = [d for d in list_devices() if d.verdict == "ok"]
    python = peer_python()
    if python is None and not options.json:
        print(f"PyTorch is not installed here: no ratios. Set {PEER} to an interpreter that has it.")
    rows: list[dict[str, Any]] = []
    for work in WORKS.values():
        layout = better_layout(work, python) if python else ""
        for device in devices:
            row = measure(work, device.id, python, layout)
            rows.append(row)
            if not options.json:
                print(line(row), flush=True)
    if options.json:
        print(json.dumps(rows))
    return 0


def peer_python() -> str | None:
    """An interpreter that can import torch, or None."""
    python = os.environ.get(PEER, sys.executable)
    found = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False)
    return python if found.returncode == 0 else None


def better_layout(work: Work, python: str) -> str:
    """The memory layout in which PyTorch is faster on this work."""
    if work.name == "mlp":
        return "contiguous"
    with Process("engine.bench.peer_torch", [work.name, "contiguous"], python) as a, \
            Process("engine.bench.peer_torch", [work.name, "channels_last"], python) as b:  # fmt: skip
        return "contiguous" if ratio_of(pairs_of(a, b, 5)).median > 1 else "channels_last"


def measure(work: Work, device: str, python: str | None, layout: str) -> dict[str, Any]:
    """Steps a second on a device, and the ratio to the peer."""
    row: dict[str, Any] = {"work": work.name, "title": work.title, "batch": BATCH, "device": device}
    if python is None:
        with Process("engine.bench.side", [work.name, device]) as ours:
            ours.ask("block 0.5")
            rate = max(ours.ask("block 0.5")["rate"] for _ in range(3))
        gflops = rate * work.flops / 1e9
        return {**row, "steps_per_second": rate, "gflops": gflops, "peak_gflops": peak(), "ratio": None}
    rates: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with Process("engine.bench.side", [work.name, device]) as ours, \
                Process("engine.bench.peer_torch", [work.name, layout], python) as theirs:  # fmt: skip
            difference = check_equal(ours, theirs)
            rates += pairs_of(ours, theirs, PAIRS)
    return {
        **row,
        **numbers(work, ratio_of(rates)),
        "peer": f"torch {layout}",
        "difference": difference,
        "peak_gflops": peak(),
    }


def numbers(work: Work, ratio: Ratio) -> dict[str, Any]:
    return {
        "steps_per_second": ratio.a_rate,
        "gflops": ratio.a_rate * work.flops / 1e9,
        "peer_steps_per_second": ratio.b_rate,
        "ratio": ratio.median,
        "ratio_95": [ratio.low, ratio.high],
        "pairs": ratio.pairs,
    }


_peak: list[float] = []


def peak() -> float:
    """Largest GFLOP/s measured here: multiply-adds on registers on each CPU device, or a NumPy product."""
    if not _peak:
        found = [product_gflops()]
        for device in list_devices():
            if device.verdict == "ok" and device.kind == "cpu" and device.backend != "numpy":
                from engine.backends.opencl.peak import peak_gflops

                found.append(peak_gflops(device.id))
        _peak.append(max(found))
    return _peak[0]


def product_gflops() -> float:
    """The best of several large NumPy products."""
    n = 1536
    a, b = np.random.default_rng(0).random((2, n, n), dtype=np.float32)
    best = 0.0
    for _ in range(6):
        start = time.perf_counter()
        a @ b
        best = max(best, 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return best


def line(row: dict[str, Any]) -> str:
    """One row for people."""
    text = (
        f"{row['title']:26} {row['device']:16} {row['steps_per_second']:8.0f} steps/s "
        f"{row['gflops']:7.1f} GFLOP/s "
        f"({100 * row['gflops'] / row['peak_gflops']:.0f} % of {row['peak_gflops']:.0f} measured)"
    )
    if row["ratio"] is None:
        return text
    low, high = row["ratio_95"]
    return f"{text}  {row['ratio']:.2f} x {row['peer']} (95 % {low:.2f}-{high:.2f}, {row['pairs']} pairs)"
