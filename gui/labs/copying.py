"""Matrices and formulas of an equation as text, read whole and exact from the engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from engine.errors import Message
from engine.export import text
from gui.i18n import tr, tr_message
from gui.labs.equation import Equation
from gui.labs.matrix_names import plain_symbol
from gui.labs.pane import Pane
from gui.labs.sheet import Array, Sheet
from gui.workbench import Workbench

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


def with_numbers(equation: Equation, arrays: list[Array]) -> str:
    """The equation in numbers: a bmatrix for each factor."""
    left = iter(arrays)
    parts = [part if isinstance(part, str) else next(left) for part in equation.parts]
    return text.equation_as_latex(parts)


class Copier(QObject):
    """Fills the menus and the clipboard. `say(text, level)` tells the person."""

    def __init__(self, parent: QWidget, bench: Workbench, say: Callable[..., object]) -> None:
        super().__init__(parent)
        self._parent, self._bench, self._say = parent, bench, say

    def popup(self, pane: Pane, index: int, at: QPoint) -> None:
        """The menu of one matrix, at a point of the screen."""
        menu = QMenu(self._parent)
        self.fill(menu, pane, index)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def fill(self, menu: QMenu, pane: Pane, only: int | None) -> None:
        """Every matrix of an equation in three formats, and the formula; or one matrix alone."""
        menu.clear()
        equation = pane.equation
        if equation is None:
            return
        everything = list(range(len(pane.sheets)))
        for index in everything if only is None else [only]:
            into = menu if only is not None else menu.addMenu(plain_symbol(pane.sheets[index].factor.symbol))
            for form, name in format_names().items():
                into.addAction(tr("Copy as {format}").format(format=name)).triggered.connect(
                    lambda _checked=False, i=index, f=form: self.copy_matrix(pane, i, f)
                )
        menu.addSeparator()
        menu.addAction(tr("Copy formula as LaTeX")).triggered.connect(lambda *_: self._put(equation.title))
        menu.addAction(tr("Copy formula with numbers as LaTeX")).triggered.connect(
            lambda *_: self._collect(pane, everything, lambda arrays: with_numbers(equation, arrays))
        )

    def copy_matrix(self, pane: Pane, index: int, form: str) -> None:
        """One matrix into the clipboard."""
        name = plain(pane.sheets[index].factor.symbol)
        self._collect(pane, [index], lambda arrays: written(arrays[0], form, name))

    def _put(self, made: str) -> None:
        QGuiApplication.clipboard().setText(made)
        self._say(tr("Copied."), "ok")

    def _collect(self, pane: Pane, indices: list[int], write: Callable[[list[Array]], str]) -> None:
        """Read the matrices as they stand on the screen, complete and exact, and copy what `write` makes."""
        found = {i: whole for i in indices if (whole := pane.complete(i)) is not None}

        def finish() -> None:
            if len(found) == len(indices):
                self._put(write([found[i] for i in indices]))

        def told(index: int, sheet: Sheet, array: Any, error: Message | None) -> None:
            if array is None:
                self._say(tr_message(error) if error is not None else "", "warning")
                return
            found[index] = np.asarray(sheet.lens.of(array))
            finish()

        missing = [i for i in indices if i not in found]
        finish()
        for index in missing:
            sheet = pane.sheets[index]
            self._bench.runner.read(sheet.factor.value, partial(told, index, sheet))
