"""Opening a cell: its story from the engine on a card, its row and column ringed in the docks."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from engine.explain import Explanation
from engine.ops.base import Terms
from gui.i18n import tr_message
from gui.panels import targets

if TYPE_CHECKING:
    from gui.main_window import MainWindow

Cell = tuple[int, ...]


class Opening:
    """At most one cell is open; `follow()` asks again when the numbers have changed."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._opened: tuple[str, Cell] | None = None

    def opened(self) -> tuple[str, Cell] | None:
        """The value and cell that are open."""
        return self._opened

    def follow(self) -> None:
        """A new frame: while the run rests, an opened cell shows its numbers."""
        if self._opened is not None and not self._window.bench.running:
            self._ask(*self._opened)

    def open(self, value: str, cell: tuple[int, ...]) -> None:
        """Ask the engine how a cell came about, and show it."""
        bench = self._window.bench
        if bench.running:
            bench.runner.pause()
        self._opened = (value, cell)
        self._ask(value, cell)

    def _ask(self, value: str, cell: tuple[int, ...]) -> None:
        """Ask for the story of a cell: an activation together with the sum it was made from."""
        configured = self._window.bench.configured
        if configured is None:
            return
        first, after = targets.story_of(configured.program, self._window.bench.document.graph, value)
        opened = (value, cell)
        explain = self._window.bench.runner.explain

        def finish(explanation: Explanation, second: Explanation | None) -> None:
            if self._opened == opened:
                self._tell(explanation, second)

        def told(explanation: Explanation | None, error: Any) -> None:
            if self._opened != opened:
                return  # another cell was opened meanwhile
            if explanation is None:
                self._refuse(error)
            elif explanation.kind == "stack_time" and explanation.terms is not None:
                # the states side by side are copies: what is told is the state of that position
                source, at, _ = explanation.terms.terms[0].factors[0]
                explain(source, at, told)
            elif after is None:
                self._tell(explanation, None)
            else:
                explain(after, cell, lambda second, _error: finish(explanation, second))

        explain(first, cell, told)

    def _refuse(self, error: Any) -> None:
        self._opened = None
        if error is not None:
            self._window.toasts.show_message(tr_message(error), "warning")

    def _tell(self, explanation: Explanation, after: Explanation | None) -> None:
        window = self._window
        value = self._opened[0] if self._opened is not None else ""
        window.card.show_explanation(explanation, window.bench.document.graph, after, value)
        self._mark(explanation)

    def _mark(self, explanation: Explanation) -> None:
        cells = cells_of(explanation.terms)
        cells.setdefault(explanation.value, set()).add(explanation.cell)
        if self._opened is not None:
            cells.setdefault(self._opened[0], set()).add(self._opened[1])
        for dock in self._window.docks.values():
            target = dock.target
            if target is None:
                continue
            found = cells.get(target.value, set())
            marks: dict[str, object] = {}
            if found and target.look == "matrix" and all(len(cell) == 2 for cell in found):
                marks = lines_of(found)
            elif found and target.look == "maps" and target.picture is None and len(found) == 1:
                marks = {"trace": trace_of(next(iter(found)), target.batched)}
            if target.extra in cells:
                marks["bias"] = [(cell[0], 0) for cell in cells[target.extra]]
            dock.mark(marks)

    def forget(self) -> None:
        """The card was closed: nothing is marked any more."""
        self._opened = None
        for dock in self._window.docks.values():
            dock.mark({})

    def close(self) -> None:
        """Send the card away: its numbers are no longer true."""
        if self._opened is not None or not self._window.card.isHidden():
            self._window.card.close_card()
            self.forget()


def cells_of(terms: Terms | None) -> dict[str, set[tuple[int, ...]]]:
    """Value id -> the cells that were factors."""
    found: dict[str, set[tuple[int, ...]]] = {}
    for term in terms.terms if terms is not None else ():
        for value, cell, _ in term.factors:
            found.setdefault(value, set()).add(cell)
    if terms is not None and terms.left_out[0]:
        count = len(terms.terms) + terms.left_out[0]
        for value, cells in found.items():
            # the first and the last of very many are always told: all of a window lie between them
            spans = [range(min(axis), max(axis) + 1) for axis in zip(*cells, strict=True)]
            if len(cells) < math.prod(map(len, spans)) <= count:
                found[value] = set(itertools.product(*spans))
    return found


def trace_of(cell: tuple[int, ...], batched: bool) -> tuple[int, int, int]:
    """A cell of a picture or kernel as (map, row, column)."""
    return (cell[0], cell[1], cell[2]) if batched else (cell[0], cell[2], cell[3])


def lines_of(cells: set[tuple[int, ...]]) -> dict[str, object]:
    """Whole rows and columns where the cells make one, else the cells themselves."""
    rows, columns = {cell[0] for cell in cells}, {cell[1] for cell in cells}
    if len(cells) == 1:
        return {"cells": list(cells)}
    if len(rows) == 1:
        return {"rows": list(rows)}
    if len(columns) == 1:
        return {"columns": list(columns)}
    return {"cells": list(cells)[:64]}
