"""Beside the bars of a matrix product: its drawing, how devices share it out, and one cell's sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.backends.devices import DeviceInfo
from engine.devicelab.kept import kept
from engine.devicelab.work import Work, cell_terms
from gui import i18n, theme
from gui.i18n import tr
from gui.labs.device_results import Results
from gui.labs.device_tiles import Product, TilesView, cell_formula
from gui.labs.device_words import short_name
from gui.loading import Task
from gui.panels.rows import Rows

MOST_BYTES = 1 << 27
"""Larger products are not drawn: looking into them would take the window's memory."""
FIRST = 3
"""Products of a cell that are written out."""


class ProductPanel(QWidget):
    """`show_results` after a measurement; numbers are read in a thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(8))
        self.view = TilesView()
        self.view.setMinimumHeight(theme.px(264))
        self.view.picked.connect(lambda _i, _j: self._show_cell())
        column.addWidget(self.view, 1)
        self.shares = self._label("status")
        column.addWidget(self.shares)
        self.formula = self._label("muted")
        column.addWidget(self.formula)
        self.terms = self._label("mono")
        self.terms.setFont(theme.mono_font(12))
        column.addWidget(self.terms)
        self.rows = Rows()
        column.addWidget(self.rows)
        self._work: Work | None = None
        self._product: Product | None = None
        self._tile: tuple[int, int] | None = None
        self._names: dict[str, str] = {}
        self._task: Task | None = None

    def show_results(
        self, results: Results | None, folder: Path | None, devices: Sequence[DeviceInfo]
    ) -> None:
        """The product of a run, or nothing."""
        self._names = {d.id: short_name(d) for d in devices}
        self._product = None
        self.view.set_product(None, None)
        for label in (self.shares, self.formula, self.terms):
            label.hide()
        self.rows.set_rows([])
        if results is None or folder is None or results.subject != "product" or not results.rows:
            return
        self._show_shares(results)
        work = Work("product", results.sizes)
        if work.moved > MOST_BYTES:
            return

        def read(progress: Any, canceled: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            return work.arrays(), {d: held["C"] for d, held in kept(folder, "operation")}

        tile = next(((r.tiles["rows"], r.tiles["columns"]) for r in results.rows if r.tiles), None)

        def done(found: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
            arrays, held = found
            order = {d: held[d] for d in results.devices() if d in held}
            if order:
                self._draw((work, Product(arrays["A"], arrays["B"], order), tile))

        if self._task is not None:
            _forget(self._task)
        self._task = Task(tr("Reading the product"), read, self)
        self._task.done.connect(done)
        self._task.start()

    def shown(self) -> tuple[Work, Product, tuple[int, int] | None] | None:
        """What is drawn, for `show_again`."""
        if self._work is None or self._product is None:
            return None
        return self._work, self._product, self._tile

    def show_again(
        self,
        shown: tuple[Work, Product, tuple[int, int] | None] | None,
        results: Results | None,
        devices: Sequence[DeviceInfo],
    ) -> None:
        """What another panel has drawn before."""
        self._names = {d.id: short_name(d) for d in devices}
        if shown is not None and results is not None:
            self._draw(shown)
            self._show_shares(results)

    def _draw(self, shown: tuple[Work, Product, tuple[int, int] | None]) -> None:
        self._work, self._product, self._tile = shown
        self.view.set_product(self._product, self._tile)
        self._show_cell()

    def _show_shares(self, results: Results) -> None:
        """How each device cuts the product into pieces of work."""
        said: dict[str, list[str]] = {}
        for r in results.rows:
            if r.tiles is None:
                text = tr("its BLAS library shares the cells out among the cores by itself")
            else:
                t = r.tiles
                text = tr(
                    "a work-item computes a tile of {rows} × {columns} cells; {n} work-items, {units} cores"
                )
                text = text.format(
                    rows=t["rows"],
                    columns=t["columns"],
                    n=i18n.integer(t["across"] * t["down"]),
                    units=i18n.integer(t["units"]),
                )
            said.setdefault(text, []).append(self._names.get(r.device, r.device))
        self.shares.setText("\n".join(f"{', '.join(names)}: {text}." for text, names in said.items()))
        self.shares.show()

    def _show_cell(self) -> None:
        """The chosen cell by the engine's own rule, beside what each device computed."""
        product, work = self._product, self._work
        if product is None or work is None:
            return
        cell = self.view.cell
        _, k, _ = product.sizes
        first = next(iter(product.results.values()))
        terms = cell_terms(work, {"A": product.a, "B": product.b}, first, cell)
        shown = [
            f"{_in_brackets(t.factors[0][2])} · {_in_brackets(t.factors[1][2])}" for t in terms.terms[:FIRST]
        ]
        more = " + …" if k > FIRST else ""
        self.formula.setText(cell_formula(*cell, k))
        self.terms.setText(f"= {' + '.join(shown)}{more}")
        rows = [(tr("sum of {n} products in 64 bits").format(n=i18n.integer(k)), i18n.number(terms.total, 6))]
        rows += [
            (self._names.get(d, d), i18n.number(float(array[cell]), 6))
            for d, array in product.results.items()
        ]
        worst = max(abs(float(array[cell]) - terms.total) for array in product.results.values())
        rows.append((tr("largest difference"), i18n.short(worst, 2)))
        self.rows.set_rows(rows)
        for label in (self.formula, self.terms):
            label.show()

    def close_panel(self) -> None:
        """Nothing is read any more."""
        if self._task is not None:
            _forget(self._task)
            self._task = None

    @staticmethod
    def _label(role: str) -> QLabel:
        label = QLabel()
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.hide()
        return label


def _forget(task: Task) -> None:
    """What it finds comes too late."""
    task.cancel()


def _in_brackets(value: float) -> str:
    text = i18n.number(value, 2)
    return f"({text})" if value < 0 else text
