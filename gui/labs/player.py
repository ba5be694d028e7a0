"""A product or any equation walked moment by moment: by the arrow keys, or played at a chosen pace."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine import product
from engine.product import Order
from gui.labs.pane import Pane
from gui.labs.sheet import Array

LARGEST = 4_000_000
"""Multiplications up to which partial sums are computed while a person watches."""
PACES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Moments a second."""


class Player(QObject):
    """Stands at a moment of one pane's equation, or at none (`at` is -1): then all numbers are known.

    `cell_wanted(value, cell)`: a moment that computes one cell opens it. `changed`: another moment or state.
    """

    cell_wanted = Signal(str, object)
    changed = Signal()

    def __init__(self, pane: Pane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pane = pane
        self.order: Order = "cells"
        self.at = -1
        self.pace = 2.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)

    # ---- where it stands ------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def sizes(self) -> tuple[int, int, int, bool]:
        """(m, n, k, bias) as on the screen; n is 1 where there is no product."""
        sheets, equation = self.pane.sheets, self.pane.equation
        if equation is None or not sheets:
            return 0, 1, 0, False
        m, k = sheets[-1].shape
        if not equation.product:
            return m, 1, k, False
        return m, sheets[0].shape[1], k, len(sheets) == 4

    def count(self) -> int:
        """Moments of the equation in the order chosen."""
        m, n, k, bias = self.sizes()
        return product.count(self._order(), m, n, k, bias)

    def _order(self) -> Order:
        equation = self.pane.equation
        return self.order if equation is not None and equation.product else "cells"

    def set_order(self, order: Order) -> None:
        """Another order begins anew."""
        self.order = order
        self.go(0 if self.at >= 0 else -1)

    def set_pace(self, pace: float) -> None:
        """Moments a second."""
        self.pace = pace
        if self.playing:
            self._timer.start(round(1000 / pace))

    def play(self) -> None:
        """From here to the end, or from the start."""
        if self.at >= self.count() - 1:
            self.at = -1
        self._timer.start(round(1000 / self.pace))
        self._tick()

    def pause(self) -> None:
        self._timer.stop()
        self.changed.emit()

    def stop(self) -> None:
        """All numbers are known again."""
        self._timer.stop()
        self.go(-1)

    def walk(self, steps: int) -> None:
        """The next moment, or the one before."""
        self._timer.stop()
        if self.count():
            self.go(min(max(self.at + steps, -1), self.count() - 1))

    def _tick(self) -> None:
        if self.at + 1 >= self.count():
            self._timer.stop()
            self.changed.emit()
        else:
            self.go(self.at + 1)

    def go(self, at: int) -> None:
        """Show a moment."""
        self.at = at
        self.show()
        self.changed.emit()

    # ---- what is seen ---------------------------------------------------------------------------------

    def show(self) -> None:
        """Empty what is not known yet; partial sums in the place of the result."""
        pane = self.pane
        if not pane.matrices:
            return
        out, last = pane.matrices[-1], len(pane.matrices) - 1
        final = pane.complete(last)
        if self.at < 0 or final is None:
            out.set_unknown(None)
            if final is not None and out.values() is not final:
                out.set_values(final)
            return
        order = self._order()
        m, n, k, _ = self.sizes()
        now = product.moment(order, self.at, n, k)
        out.set_unknown(~product.known(order, self.at, m, k))
        if order == "outer":
            self._partial(final)
        elif out.values() is not final:
            out.set_values(final)
        if order == "cells" and now.row is not None and now.column is not None:
            found = pane.sheets[-1].cell(now.row, now.column)
            if found is not None:
                self.cell_wanted.emit(*found)
            return
        self._mark(now)

    def _partial(self, final: Array) -> None:
        pane = self.pane
        a, b = pane.complete(0), pane.complete(1)
        m, n, k, with_bias = self.sizes()
        if a is None or b is None or m * n * k > LARGEST:
            return
        bias = pane.complete(2) if with_bias else None
        if bias is not None and bias.shape[0] == 1 and m != 1:  # samples are rows: the bias lies beside
            made = product.partial(b.T, a.T, bias.reshape(-1), self.at).T
        else:
            flat = bias.reshape(-1) if bias is not None else None
            turned = flat is not None and len(flat) != m
            made = (product.partial(b.T, a.T, flat, self.at).T if turned
                    else product.partial(a, b, flat, self.at))
        last_moment = self.at == self.count() - 1
        out = pane.matrices[-1]
        # the colors keep their meaning while the sums grow
        out.set_values(final if last_moment else np.ascontiguousarray(made), out.scale())

    def _mark(self, now: product.Moment) -> None:
        pane = self.pane
        first, second, out = pane.matrices[0], pane.matrices[1], pane.matrices[-1]
        for matrix in pane.matrices:
            matrix.set_highlight()
            matrix.set_selected(None)
        if now.row is not None:
            first.set_highlight(rows=_one(now.row), dim_rest=True)
            out.set_highlight(rows=_one(now.row), dim_rest=True)
        elif now.column is not None:
            second.set_highlight(columns=_one(now.column), dim_rest=True)
            out.set_highlight(columns=_one(now.column), dim_rest=True)
        elif now.inner is not None:
            first.set_highlight(columns=_one(now.inner), dim_rest=True)
            second.set_highlight(rows=_one(now.inner), dim_rest=True)
        elif now.bias:
            rows, columns = pane.sheets[2].shape
            pane.matrices[2].set_highlight(cells=[(r, c) for r in range(rows) for c in range(columns)])


def _one(index: int) -> Iterable[int]:
    return (index,)
