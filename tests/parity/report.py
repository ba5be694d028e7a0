"""docs/parity.md from what a run of the parity tests measured: `python -m tests.parity.report LINES OUT`."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Line = dict[str, Any]
HEAD = """# Parity

What `python3 tasks.py parity --report` measured, written by that task. Each number is the norm of the
difference over the norm, the largest of all networks, layers and parameters of its line. Where PyTorch
computes in double precision (random graphs, layers) the number is our own rounding; elsewhere that of both.

Wanted: predictions within 1e-6 of the norm (1e-5 for scripts in other frameworks, which round themselves;
5e-6 for warps, which read at rounded places), gradients and weights within 1e-5.

Keras has one bias where our LSTM and SimpleRNN have two, as PyTorch's: it predicts the same, but trained on
there that one moves half as far as the sum of the two, so its line leaves it out, and its running variance,
which is biased.
"""
ABOUT_MEMORY = """The planner's estimate beside what was allocated (batch 64, Adam): NumPy's arrays by
tracemalloc, a device's buffers as they are made, each network in a process of its own."""
LIBRARIES = ("numpy", "torch", "tensorflow-cpu", "jax")


def tables(lines: Sequence[Line]) -> list[str]:
    """One table for the comparisons, one for the memory."""
    apart = [x for x in lines if not x["what"].startswith("memory: ")]
    memory = [x for x in lines if x["what"].startswith("memory: ")]
    out = [HEAD, _versions(), ""]
    if apart:
        out += _compared(apart)
    if memory:
        out += ["## Memory", "", ABOUT_MEMORY, "", *_memory(memory)]
    return out


def _versions() -> str:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    system = f"{platform.system()} {platform.machine()}"
    return f"Python {platform.python_version()}, {', '.join(found)}; {system}."


def _compared(lines: Sequence[Line]) -> list[str]:
    """A row for each thing compared; its numbers are the largest."""
    rows: dict[tuple[str, str], tuple[dict[str, int], dict[str, float]]] = {}
    for x in lines:
        ours = x["where"].startswith(("numpy", "opencl"))
        counts, most = rows.setdefault((x["what"], "" if ours else x["where"]), ({}, {}))
        counts[x["where"]] = counts.get(x["where"], 0) + x["count"]
        most |= {k: max(v, most.get(k, 0.0)) for k, v in x["apart"].items()}
    out = ["| Compared | where, networks | prediction | gradients | weights after |", "|---|---|---|---|---|"]
    for (what, _), (counts, most) in sorted(rows.items(), key=lambda item: _place(*item[0])):
        after = most.get("weights", most.get("weights after a step"))
        cells = [_small(most.get("forward")), _small(most.get("gradient")), _small(after)]
        where = ", ".join(f"{place.removeprefix('opencl:')} {count}" for place, count in counts.items())
        out.append(f"| {what} | {where} | {' | '.join(cells)} |")
    return [*out, ""]


def _place(what: str, where: str) -> tuple[int, str, str]:
    """The broadest first."""
    first = ("random graphs", "exported scripts", "layer", "function", "optimizer", "loss")
    kind = what.split(":")[0]
    return first.index(kind) if kind in first else len(first), what, where


def _small(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def _memory(lines: Iterable[Line]) -> list[str]:
    found: dict[str, dict[str, Line]] = {}
    for x in lines:
        found.setdefault(x["what"].removeprefix("memory: "), {})[x["where"]] = x["apart"]
    places = sorted({place for row in found.values() for place in row})
    out = [f"| Network | parameters | {' | '.join(f'{p}, MB | estimate off' for p in places)} |"]
    out.append("|---|" + "---|" * (1 + 2 * len(places)))
    for name, row in sorted(found.items(), key=lambda item: next(iter(item[1].values()))["parameters"]):
        cells = []
        for place in places:
            x = row.get(place)
            cells += [f"{x['MB']:,.1f}", f"{100 * x['off']:+.1f} %"] if x else ["", ""]
        count = int(next(iter(row.values()))["parameters"])
        out.append(f"| {name} | {count:,} | {' | '.join(cells)} |")
    return [*out, ""]


def main(source: str, target: str) -> None:
    lines = [json.loads(text) for text in Path(source).read_text(encoding="utf-8").splitlines()]
    Path(target).write_text("\n".join(tables(lines)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
