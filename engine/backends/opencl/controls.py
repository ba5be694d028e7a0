"""The table of controls: one row per step of a chunk, read by kernels through their step's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.values import Program

Array = np.ndarray[Any, Any]

ROWS = 1024
"""Steps in one chunk: rows of the table, and of the results of each scalar."""
WHOLE = ("n", "pos", "step")
"""Controls that are whole numbers; the table holds their bits."""


class Table:
    """Columns are the program's controls and the run's seed; values stay until they are set again."""

    def __init__(self, program: Program, seed: int) -> None:
        names = [*WHOLE, "seed low", "seed high", *(c for c in program.controls if c not in WHOLE)]
        self.columns = {name: i for i, name in enumerate(names)}
        self.row = np.zeros(len(names), np.float32)
        """The controls as last set: float32 numbers, whole numbers as their bits."""
        bits = self.row.view(np.uint32)
        bits[self.columns["seed low"]] = seed & 0xFFFFFFFF
        bits[self.columns["seed high"]] = (seed >> 32) & 0xFFFFFFFF
        self.set(program.controls)

    def set(self, values: Mapping[str, float]) -> None:
        """Set some controls; names the program does not know are nobody's."""
        for name, value in values.items():
            if name in WHOLE:
                self.row.view(np.int32)[self.columns[name]] = int(value)
            elif name in self.columns:
                self.row[self.columns[name]] = value

    def rows(self, steps: Sequence[Mapping[str, float]]) -> Array:
        """The table for a chunk, shape (steps, columns)."""
        out = np.empty((len(steps), len(self.row)), np.float32)
        for row, step in zip(out, steps, strict=True):
            self.set(step)
            row[:] = self.row
        return out
