"""Gradient check: the gradients of one layer by the rules beside differences of the loss, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.gradient_check import STEP, Checked, LayerCheck
from engine.held_step import checkable
from gui import i18n, theme, tokens
from gui.formulas import FormulaView
from gui.i18n import tr, tr_message, trn
from gui.labs.lab_job import LabJob
from gui.labs.tiles import Tile, cell_name, label, link_hovers, side_panel
from gui.views.scale import Scale
from gui.workbench import Workbench

STEPS = (1e-1, 1e-2, 1e-3, 1e-4, STEP, 1e-6, 1e-8, 1e-10)
HEAD = 40
WIDE = 3
"""A matrix so many times as wide as high has the whole width, one map below the other."""
ERRORS = Scale(-12.0, 0.0)
"""Powers of ten of the relative error: the same color means the same agreement everywhere."""


class GradientLab(QFrame):
    """A page over the working area. The check runs in the engine, beside the run, and can be stopped."""

    closed = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("gradient_lab")
        self.setProperty("surface", "window")
        self._bench = bench
        self._job: LabJob[LayerCheck] = LabJob(bench.runner.cancel_job, self._hear, self._finish)
        self._found: LayerCheck | None = None
        self._shown = 0
        self._scaled: tuple[str, float] | None = None
        """Whose colors the maps have."""
        self._cell: tuple[int, int] | None = None
        page = QHBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(1)
        page.addWidget(self._build_side())
        page.addLayout(self._build_maps(), 1)
        bench.programmed.connect(self._on_program)
        self._fill_layers()

    def title(self) -> str:
        """What stands in the title row."""
        return tr("Gradient check")

    # ---- building --------------------------------------------------------------------------------------

    def _build_side(self) -> QFrame:
        frame, column = side_panel()
        self._about = label("", "muted")
        column.addWidget(self._about)
        self.layer = QComboBox()
        self.layer.setAccessibleName(tr("Layer"))
        self.layer.currentIndexChanged.connect(lambda _index: self._choose_layer())
        column.addWidget(label(tr("Layer"), "head"))
        column.addWidget(self.layer)
        column.addWidget(label(tr("Step h of the difference"), "head"))
        self.step = QComboBox()
        self.step.setAccessibleName(tr("Step h of the difference"))
        for h in STEPS:
            power = "10" + i18n.superscript(round(np.log10(h)))
            self.step.addItem(tr("{h}, best in float64").format(h=power) if h == STEP else power, h)
        self.step.setCurrentIndex(STEPS.index(STEP))
        column.addWidget(self.step)
        self.button = QPushButton(tr("Check"))
        self.button.setObjectName("gradient_check_button")
        self.button.setProperty("kind", "primary")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Space goes on to play
        self.button.clicked.connect(lambda: self.stop() if self._job else self.start())
        column.addWidget(self.button)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(theme.px(4))
        column.addWidget(self.progress)
        self._state = label("", "status")
        column.addWidget(self._state)
        column.addWidget(label(tr("Gradients of this layer"), "head"))
        self._values = QVBoxLayout()
        self._values.setSpacing(theme.px(4))
        column.addLayout(self._values)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._choose_value)
        column.addStretch(1)
        column.addWidget(label(tr("Against"), "head"))
        self.against = QComboBox()
        self.against.setAccessibleName(tr("Against"))
        self.against.addItem(tr("the rules in float64"), False)
        self.against.addItem(tr("the numbers of the run, float32"), True)
        self.against.currentIndexChanged.connect(lambda _index: self._paint())
        column.addWidget(self.against)
        return frame

    def _build_maps(self) -> QVBoxLayout:
        right = QVBoxLayout()
        right.setSpacing(1)
        head = QFrame()
        head.setProperty("surface", "panel")
        line = QHBoxLayout(head)
        line.setContentsMargins(theme.px(16), theme.px(6), theme.px(16), theme.px(6))
        formula = FormulaView(
            r"\frac{\partial L}{\partial w} \approx \frac{L(w+h) - L(w-h)}{2h}", tokens.TITLE
        )
        formula.setFixedWidth(theme.px(250))
        line.addWidget(formula)
        text = tr(
            "Each number is moved by h up and down, everything behind it is computed again, and the two "
            "losses are compared. Where that gives what backpropagation gives, the rules are right."
        )
        line.addWidget(label(text, "muted"), 1)
        right.addWidget(head)
        self._maps = maps = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        maps.setSpacing(1)
        self.analytic, self.numerical, self.error = (
            Tile(role, HEAD) for role in ("gradients", "gradients", "activations")
        )
        self.tiles = (self.analytic, self.numerical, self.error)
        for tile in self.tiles:
            tile.matrix.empty_text = tr("Press Check.")
            tile.clicked.connect(self._open)
            maps.addWidget(tile, 1)
        link_hovers(self.tiles)
        right.addLayout(maps, 1)
        self._card = QFrame()
        self._card.setProperty("surface", "panel")
        card = QVBoxLayout(self._card)
        card.setContentsMargins(theme.px(16), theme.px(14), theme.px(16), theme.px(16))
        card.setSpacing(theme.px(8))
        self._cell_head, self._sum, self._cell_words = (label("", r) for r in ("heading", "sum", "muted"))
        for piece in (self._cell_head, self._sum, self._cell_words):
            card.addWidget(piece)
        right.addWidget(self._card)
        return right

    # ---- what is looked at -----------------------------------------------------------------------------

    def open(self, node: str = "") -> None:
        """Check this layer; without one the layer chosen last, and nothing before Check is pressed."""
        place = self.layer.findData(node) if node else -1
        if place >= 0:
            self.layer.setCurrentIndex(place)
        self._choose_layer()
        if self.layer.count():
            self.start()

    def close_lab(self) -> None:
        """Stop the check: nobody looks any more."""
        self._job.forget()
        self._bench.programmed.disconnect(self._on_program)

    def _fill_layers(self) -> None:
        configured, graph = self._bench.configured, self._bench.document.graph
        self.layer.blockSignals(True)
        self.layer.clear()
        if configured is not None:
            for node in graph.nodes:
                if checkable(configured.program, graph, node.uid):
                    self.layer.addItem(node.name, node.uid)
        self.layer.blockSignals(False)

    def _on_program(self, _configured: object) -> None:
        """The network was edited: what was found is of another one."""
        node = self.layer.currentData()
        self._fill_layers()
        self.layer.blockSignals(True)
        self.layer.setCurrentIndex(max(0, self.layer.findData(node)))
        self.layer.blockSignals(False)
        self._choose_layer()

    def _choose_layer(self) -> None:
        self._job.forget()
        self._found, self._shown, self._cell = None, 0, None
        self._fill_values()
        self._paint()

    def _choose_value(self, index: int) -> None:
        self._shown, self._cell = index, None
        self._paint()

    # ---- the check -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, on the step shown at this moment."""
        node = self.layer.currentData()
        if node is None:
            return
        self._found, self._cell = None, None
        h, check = float(self.step.currentData()), self._bench.runner.check_gradient
        self._job.start(lambda hear, finish: check(str(node), h, hear, finish))
        self._paint()

    def stop(self) -> None:
        """End it; what was found stays."""
        self._job.stop()

    @property
    def busy(self) -> bool:
        """Whether a check is under way."""
        return bool(self._job)

    def _hear(self, found: LayerCheck) -> None:
        self._found = found
        self._paint()

    def _finish(self, found: LayerCheck | None, error: Message | None) -> None:
        if found is not None:
            self._found = found
        self._paint()
        if error is not None:
            self._state.setText(tr_message(error))

    # ---- painting --------------------------------------------------------------------------------------

    def _checked(self) -> Checked | None:
        found = self._found
        return found.checked[self._shown] if found is not None and self._shown < len(found.checked) else None

    def _fill_values(self) -> None:
        """One button for each gradient, with what is known of it."""
        configured, graph = self._bench.configured, self._bench.document.graph
        node = self.layer.currentData()
        wanted = checkable(configured.program, graph, str(node)) if configured is not None and node else ()
        if len(wanted) != len(self._group.buttons()):
            for button in self._group.buttons():
                self._group.removeButton(button)
                self._values.removeWidget(button)
                button.deleteLater()
            for index in range(len(wanted)):
                button = QToolButton()
                button.setCheckable(True)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
                self._group.addButton(button, index)
                self._values.addWidget(button)
        checked = self._found.checked if self._found is not None else ()
        for index, (_, symbol) in enumerate(wanted):
            button = self._group.button(index)
            button.setText(f"∂L/∂{symbol}   {verdict(checked[index]) if index < len(checked) else '…'}")
            button.setChecked(index == self._shown)

    def _paint(self) -> None:
        found, checked = self._found, self._checked()
        self._fill_values()
        self.button.setText(tr("Stop") if self._job else tr("Check"))
        self.progress.setRange(0, found.total if found is not None else 1)
        self.progress.setValue(found.done if found is not None else 0)
        self._about.setText(self._about_text())
        self._state.setText(self._state_text(checked))
        if checked is None:
            for tile in self.tiles:
                tile.matrix.set_values(np.zeros((0, 0), np.float32))
        else:
            self._paint_maps(checked)
        self.against.setEnabled(checked is None or checked.engine is not None)
        self._paint_heads(checked)
        self._paint_cell(checked)

    def _about_text(self) -> str:
        found = self._found
        if found is None:
            if not self.layer.count():
                return tr("No network can run yet: there is no gradient to check.")
            return tr("On the step that is shown when the check begins; the run goes on meanwhile.")
        if found.n < found.batch:
            text = tr("Step {step}, the first {n} of {batch} examples, so that the run is not kept waiting.")
        else:
            text = tr("Step {step}, {n} examples; the run goes on meanwhile.")
        return text.format(
            step=i18n.integer(found.step + 1), n=i18n.integer(found.n),
            batch=i18n.integer(found.batch),
        )

    def _state_text(self, checked: Checked | None) -> str:
        found = self._found
        if found is None:
            return tr("Preparing …") if self._job else ""
        done, total = i18n.integer(found.done), i18n.integer(found.total)
        text = tr("{done} of {total} numbers").format(done=done, total=total)
        if not self._job and found.done < found.total:
            text = tr("Stopped after {done} of {total} numbers").format(done=done, total=total)
        if checked is not None and not checked.part.whole:
            text += "\n" + tr("A sample: {rows} rows and {columns} columns, drawn evenly.").format(
                rows=len(checked.part.rows), columns=len(checked.part.columns)
            )
        return text

    def _compared(self, c: Checked) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The gradient that is compared, and the relative error of it."""
        return c.against_engine() if self.against.currentData() else (c.analytic, c.error)

    def _paint_maps(self, c: Checked) -> None:
        gradient, error = self._compared(c)
        band = len(c.part.columns) > WIDE * len(c.part.rows)
        self._maps.setDirection(
            QBoxLayout.Direction.TopToBottom if band else QBoxLayout.Direction.LeftToRight
        )
        if self._scaled != (c.value, c.step):
            self._scaled = (c.value, c.step)
            self.analytic.matrix.reset_scale()
        self.analytic.set_matrix(gradient, c.part)
        scale = self.analytic.matrix.scale()
        self.numerical.set_matrix(np.nan_to_num(c.numerical), c.part, scale)
        with np.errstate(all="ignore"):
            power = np.log10(np.maximum(np.nan_to_num(error), 1e-16))
        self.error.set_matrix(power, c.part, ERRORS)
        kinks = [(int(i), int(j)) for i, j in np.argwhere(c.kinks)]
        for tile in self.tiles:
            tile.matrix.set_highlight(cells=kinks)
            tile.matrix.set_selected(self._cell)

    def _paint_heads(self, c: Checked | None) -> None:
        symbol = c.symbol if c is not None else "W"
        self.analytic.set_head(rf"a = \frac{{\partial L}}{{\partial {symbol}}}", tr("by backpropagation"))
        self.numerical.set_head(r"d = \frac{L(w+h)-L(w-h)}{2h}", tr("by differences"))
        kinks = int(c.kinks.sum()) if c is not None else 0
        words = tr("as a power of ten")
        if kinks:
            words = trn("as a power of ten, {n} kink ringed", "as a power of ten, {n} kinks ringed", kinks)
            words = words.format(n=i18n.integer(kinks))
        self.error.set_head(r"\frac{|a-d|}{\max(|a|,|d|)}", words)

    def _open(self, row: int, column: int) -> None:
        self._cell = (row, column)
        checked = self._checked()
        for tile in self.tiles:
            tile.matrix.set_selected(self._cell)
        self._paint_cell(checked)

    def _paint_cell(self, c: Checked | None) -> None:
        if c is None:
            self._cell_head.setText(tr("One number"))
            self._sum.setText("")
            self._cell_words.setText(tr("Click a cell to see the two losses it was made of."))
            return
        row, column = self._cell if self._cell is not None else c.worst[1]
        gradient, error = self._compared(c)
        name = cell_name(c.symbol.lower(), c.part, row, column)
        if not np.isfinite(c.error[row, column]):
            self._cell_head.setText(name)
            self._sum.setText("")
            self._cell_words.setText(tr("Not reached yet."))
            return
        head = name if self._cell is not None else tr("{cell}, the largest error").format(cell=name)
        number = i18n.short(float(c.numbers[row, column]), 6)
        self._cell_head.setText(f"{head}   {c.symbol.lower()} = {number}")
        above, below = float(c.above[row, column]), float(c.below[row, column])
        numerical, analytic = float(c.numerical[row, column]), float(gradient[row, column])
        self._sum.setText(
            f"({i18n.number(above, 12)} − {i18n.number(below, 12)}) / (2 · {i18n.short(c.step, 1)}) = "
            f"{i18n.short(numerical, 8)}"
        )
        words = tr("Backpropagation says {analytic}; relative error {error}.").format(
            analytic=i18n.short(analytic, 8), error=i18n.short(float(error[row, column]), 2)
        )
        if c.kinks[row, column]:
            words += " " + tr(
                "A kink: between w − h and w + h a ReLU or a maximum chooses otherwise, so the two sides "
                "have different slopes and need not agree."
            )
        elif max(abs(numerical), abs(analytic)) < c.floor:
            words += " " + tr("Below {floor} rounding hides it; the error is measured against that.").format(
                floor=i18n.short(c.floor, 1)
            )
        self._cell_words.setText(words)


def verdict(c: Checked) -> str:
    """In one word and number how well it agrees."""
    if not c.done:
        return "…"
    worst, kinks = c.worst[0], int(c.kinks.sum())
    text = ("✓ " if c.agrees else "✗ ") + "≤ " + i18n.short(worst, 1)
    if kinks:
        text += "  " + trn("{n} kink", "{n} kinks", kinks).format(n=i18n.integer(kinks))
    return text
