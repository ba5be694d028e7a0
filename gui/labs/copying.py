"""Matrices and formulas of an equation as text, read whole and exact from the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.export import text
from engine.session.protocol import Array
from gui.i18n import tr
from gui.labs.equations import Equation
from gui.labs.pane import Pane
from gui.labs.sheet import Sheet

FORMATS = ("csv", "latex", "numpy")


def format_names() -> dict[str, str]:
    """Format -> what the menu says."""
    return {"csv": "CSV", "latex": "LaTeX", "numpy": tr("NumPy text")}


def plain(symbol: str) -> str:
    """A symbol as a variable of Python: dL_dW for \\partial L/\\partial W."""
    found = symbol.replace(r"\partial L/\partial ", "dL_d").replace("^{+}", "_new").replace("^T", "_T")
    kept = "".join(c if c.isalnum() or c == "_" else " " for c in found.replace("\\", " "))
    return "_".join(part for part in kept.split() if part not in ("mathrm", "binom", "mid")) or "M"


def written(array: Array, form: str, name: str) -> str:
    """A matrix in one of the formats."""
    if form == "csv":
        return text.as_csv(array)
    if form == "latex":
        return text.as_latex(array)
    return text.as_numpy(array, name)


def formula(equation: Equation) -> str:
    """The equation in symbols."""
    return equation.title


def with_numbers(equation: Equation, arrays: list[Array]) -> str:
    """The equation in numbers: a bmatrix for each factor."""
    left = iter(arrays)
    parts = [part if isinstance(part, str) else next(left) for part in equation.parts]
    return text.equation_as_latex(parts)


def collect(pane: Pane, runner: Any, indices: list[int], done: Callable[[list[Array]], None],
            failed: Callable[[Any], None]) -> None:
    """Read the matrices named and give them as they stand on the screen, complete and exact."""
    found: dict[int, Array] = {}

    def finish() -> None:
        if len(found) == len(indices):
            done([found[i] for i in indices])

    for index in indices:
        whole = pane.complete(index)
        if whole is not None:
            found[index] = whole
    missing = [i for i in indices if i not in found]
    finish()
    for index in missing:
        sheet: Sheet = pane.sheets[index]

        def told(array: Any, error: Any, index: int = index, sheet: Sheet = sheet) -> None:
            if array is None:
                failed(error)
                return
            found[index] = np.asarray(sheet.lens.of(array))
            finish()

        runner.read(sheet.factor.value, told)
