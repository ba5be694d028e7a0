"""Optimizer x-ray: what moves one weight matrix, and four optimizers side by side from the same start."""

from __future__ import annotations

import itertools

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.optimizer_race import OPTIMIZERS, RATES, STEPS, Race, Watched
from engine.settings import OPTIMIZER_CHOICES
from engine.xray import Line, XRay
from gui import i18n, theme, tokens
from gui.at_most import AtMost
from gui.formulas import FormulaView
from gui.i18n import tr, tr_message
from gui.labs.lab_job import LabJob
from gui.labs.tiles import Tile, label, link_hovers, side_panel
from gui.number_field import NumberField
from gui.views.curve_view import CurveView
from gui.views.path_view import Path, PathView
from gui.workbench import Workbench

REFRESH_MS = 250
COLORS = {"sgd": "test", "momentum": "ok", "rmsprop": "positive", "adam": "train"}
"""A color for each optimizer; their names stand at the ends of the lines."""
LATEX = {
    "old": "w", "raw": r"\partial L/\partial w", "g1": r"\bar{g}", "g": "g", "m": "m", "v": "v",
    "m_hat": r"\hat{m}", "v_hat": r"\hat{v}", "velocity": "v",
    "square": "s", "square_sum": "s", "delta": "d", "change": r"\Delta w", "new": "w'",
    "moved": r"w^{\ast}", "factor": r"c / \|w^{\ast}\|",
}  # fmt: skip
WORST_STEPS = 5000
LOG_FROM = 40.0
"""Losses that lie so many times apart are drawn over a logarithmic axis."""


def words_of(name: str) -> str:
    """What a quantity is, in a few words."""
    return {
        "old": tr("weight before"), "raw": tr("gradient of the batch"), "g1": tr("mean of the batches"),
        "g": tr("gradient"), "m": tr("mean of g"), "v": tr("mean of g²"),
        "m_hat": tr("m corrected"), "v_hat": tr("v corrected"), "velocity": tr("velocity"),
        "square": tr("mean of g²"), "square_sum": tr("sum of g²"), "delta": tr("mean of u²"),
        "moved": tr("before its row is shortened"), "factor": tr("factor of the row"),
        "change": tr("change"), "new": tr("weight after"),
    }.get(name, name)  # fmt: skip


class OptimizerLab(QFrame):
    """A page over the working area; follows the run while it moves."""

    closed = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("optimizer_lab")
        self.setProperty("surface", "window")
        self._bench = bench
        self._job: LabJob[Race] = LabJob(bench.runner.cancel_job, self._hear, self._finish)
        self._asked = self._again = self._gone = False
        self.xray: XRay | None = None
        self.race: Race | None = None
        self._cells: list[tuple[int, int]] = []
        self._tiles: dict[str, Tile] = {}
        self._seen = (-1, "")
        page = QHBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(1)
        page.addWidget(self._build_side())
        page.addLayout(self._build_right(), 1)
        self._soon = AtMost(REFRESH_MS, self._ask, self)
        bench.status_changed.connect(self._on_status)
        bench.programmed.connect(self._on_program)
        self._fill_parameters()

    def title(self) -> str:
        """What stands in the title row."""
        return tr("Optimizer x-ray")

    # ---- building --------------------------------------------------------------------------------------

    def _build_side(self) -> QFrame:
        frame, column = side_panel(288)
        self._about = label("", "muted")
        column.addWidget(self._about)
        column.addWidget(label(tr("Weights"), "head"))
        self.parameter = QComboBox()
        self.parameter.setAccessibleName(tr("Weights"))
        self.parameter.currentIndexChanged.connect(lambda _index: self._choose_parameter())
        column.addWidget(self.parameter)
        self._rule = [FormulaView("", tokens.BASE) for _ in range(3)]
        for view in self._rule:
            column.addWidget(view)
        rule = QFrame()
        rule.setProperty("surface", "line")
        column.addWidget(rule)
        column.addWidget(label(tr("Four optimizers side by side"), "heading"))
        text = tr(
            "From the present weights, on the batches that come next. Moments start at zero; the run itself "
            "is not touched. Computed by NumPy."
        )
        column.addWidget(label(text, "muted"))
        grid = QGridLayout()
        grid.setVerticalSpacing(theme.px(4))
        names = dict(OPTIMIZER_CHOICES)
        self.rates: dict[str, NumberField] = {}
        self._marks: dict[str, QLabel] = {}
        for row, name in enumerate(OPTIMIZERS):
            mark = label("●", "", False)
            self._marks[name] = mark
            grid.addWidget(mark, row, 0)
            grid.addWidget(label(tr(names[name]), "", False), row, 1)
            field = NumberField(RATES[name], minimum=0.0, maximum=1e6)
            field.setAccessibleName(tr("Learning rate of {name}").format(name=tr(names[name])))
            field.setFixedWidth(theme.px(84))
            self.rates[name] = field
            grid.addWidget(field, row, 2)
        grid.addWidget(label(tr("Steps"), "", False), len(OPTIMIZERS), 1)
        self.steps = NumberField(STEPS, minimum=1, maximum=WORST_STEPS, integer=True)
        self.steps.setAccessibleName(tr("Steps"))
        self.steps.setFixedWidth(theme.px(84))
        grid.addWidget(self.steps, len(OPTIMIZERS), 2)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        self.button = QPushButton(tr("Run the four"))
        self.button.setObjectName("optimizer_race_button")
        self.button.setProperty("kind", "primary")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Space goes on to play
        self.button.clicked.connect(lambda: self.stop() if self._job else self.start())
        column.addWidget(self.button)
        self._state = label("", "status")
        column.addWidget(self._state)
        column.addStretch(1)
        self._hint = label(
            tr("Click a number to open it. Its weight is the horizontal axis of the paths; Shift and click "
               "chooses the vertical one."), "caption",
        )  # fmt: skip
        column.addWidget(self._hint)
        theme.changed.connect(self._restyle)
        self._restyle()
        return frame

    def _build_right(self) -> QVBoxLayout:
        right = QVBoxLayout()
        right.setSpacing(1)
        self._grid = QGridLayout()
        self._grid.setSpacing(1)
        right.addLayout(self._grid, 5)
        card = QFrame()
        card.setProperty("surface", "panel")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(theme.px(16), theme.px(10), theme.px(16), theme.px(10))
        inner.setSpacing(theme.px(6))
        self._opened = label("", "heading")
        inner.addWidget(self._opened)
        self._lines = QGridLayout()
        self._lines.setHorizontalSpacing(theme.px(12))
        self._lines.setVerticalSpacing(theme.px(4))
        self._lines.setColumnStretch(5, 1)
        inner.addLayout(self._lines)
        inner.addStretch(1)
        area = QScrollArea()
        area.setWidget(card)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setMinimumHeight(theme.px(188))
        right.addWidget(area, 2)
        below = QHBoxLayout()
        below.setSpacing(1)
        self.losses, self.paths = CurveView(), PathView()
        self.losses.empty_text = self.paths.empty_text = tr("Run the four to see them side by side.")
        titles = (tr("Loss of each batch"), tr("The way of two weights"))
        for words, view in zip(titles, (self.losses, self.paths), strict=True):
            frame = QFrame()
            frame.setProperty("surface", "panel")
            box = QVBoxLayout(frame)
            box.setContentsMargins(theme.px(12), theme.px(8), theme.px(8), theme.px(6))
            box.addWidget(label(words, "title", False))
            box.addWidget(view, 1)
            below.addWidget(frame, 1)
        right.addLayout(below, 4)
        return right

    def _restyle(self) -> None:
        for name, mark in self._marks.items():
            mark.setStyleSheet(f"color: {theme.color(COLORS[name]).name()};")

    # ---- what is looked at -----------------------------------------------------------------------------

    def open(self, node: str = "") -> None:
        """Show the weights of this layer, or the first there are."""
        graph = self._bench.document.graph
        owner = graph.node(node).owner if node and graph.has(node) else ""
        for index in range(self.parameter.count()):
            if str(self.parameter.itemData(index)).rpartition(".")[0] == owner:
                self.parameter.setCurrentIndex(index)
                break
        training = self._bench.document.training
        if training.optimizer in self.rates:  # of eight, four are raced
            self.rates[training.optimizer].set_value(training.learning_rate)
        self._choose_parameter()

    def close_lab(self) -> None:
        """Nobody looks any more."""
        self._job.forget()
        self._gone = True
        self._bench.status_changed.disconnect(self._on_status)
        self._bench.programmed.disconnect(self._on_program)

    def _fill_parameters(self) -> None:
        configured, graph = self._bench.configured, self._bench.document.graph
        self.parameter.blockSignals(True)
        self.parameter.clear()
        for op in configured.program.ops if configured is not None else ():
            w = op.ins[0] if op.ins else None
            if op.kind in dict(OPTIMIZER_CHOICES) and w is not None and graph.has(w.owner):
                self.parameter.addItem(f"{graph.node(w.owner).name}.{w.param}", f"{w.owner}.{w.param}")
        self.parameter.blockSignals(False)

    def _on_program(self, _configured: object) -> None:
        """The network was edited: other weights, or another optimizer."""
        key = self.parameter.currentData()
        self._fill_parameters()
        self.parameter.blockSignals(True)
        self.parameter.setCurrentIndex(max(0, self.parameter.findData(key)))
        self.parameter.blockSignals(False)
        self._choose_parameter()

    def _choose_parameter(self) -> None:
        self._job.forget()
        self.button.setText(tr("Run the four"))
        self._state.setText("")
        self._cells = []
        self.race = None
        self.losses.clear()
        self.paths.set_paths((), "", "")
        self._ask()

    def _on_status(self, status: object) -> None:
        now = (self._bench.status.step, self._bench.status.running)
        if now != self._seen and self.isVisible():
            self._seen = now
            self._soon.soon()

    # ---- the x-ray -------------------------------------------------------------------------------------

    def _ask(self) -> None:
        key = self.parameter.currentData()
        if key is None:
            self._about.setText(tr("No network can run yet: there are no weights that learn."))
            return
        if self._asked:
            self._again = True
            return
        self._asked = True
        self._bench.runner.xray(str(key), self._take)

    def _take(self, found: XRay | None, error: Message | None) -> None:
        self._asked = False
        if self._gone:
            return
        if found is not None and found.key == self.parameter.currentData():
            self.xray = found
            self._paint()
        elif error is not None:
            self._about.setText(tr_message(error))
        if self._again:
            self._again = False
            self._soon.soon()

    def _paint(self) -> None:
        x = self.xray
        assert x is not None
        names = dict(OPTIMIZER_CHOICES)
        text = tr("{optimizer}, step {step}")
        if any(q.name.endswith("_old") and q.name != "sum_old" for q in x.quantities):
            text = tr("{optimizer}, step {step}, update {update} of its moments")
        step, update = i18n.integer(x.step + 1), i18n.integer(x.updates)
        self._about.setText(text.format(optimizer=tr(names[x.optimizer]), step=step, update=update))
        self._show_rule(x.note)
        shown = [q for q in x.quantities if not q.name.endswith("_old")]
        if list(self._tiles) != [q.name for q in shown]:
            self._build_tiles([(q.name, q.role) for q in shown])
        if not self._cells:
            self._cells = _largest(x)
        for q in shown:
            tile = self._tiles[q.name]
            tile.set_matrix(q.array, x.part)
            tile.matrix.set_selected(self._cells[0])
            tile.matrix.set_highlight(cells=self._cells[1:2])
        self._paint_lines()

    def _show_rule(self, note: str) -> None:
        """The rule, one assignment to a line."""
        parts = [part.strip() for part in note.replace(r"\quad", r"\;").split(r", \;") if part.strip()]
        for view, part in itertools.zip_longest(self._rule, parts[: len(self._rule)], fillvalue=""):
            view.set_formula(part)  # type: ignore[union-attr]
            view.setVisible(bool(part))  # type: ignore[union-attr]

    def _build_tiles(self, wanted: list[tuple[str, str]]) -> None:
        for tile in self._tiles.values():
            self._grid.removeWidget(tile)
            tile.deleteLater()
        self._tiles = {}
        for place, (name, role) in enumerate(wanted):
            tile = Tile(role)
            tile.set_head(LATEX.get(name, name), words_of(name))
            tile.clicked.connect(self._open_cell)
            self._tiles[name] = tile
            self._grid.addWidget(tile, place // 4, place % 4)
        link_hovers(list(self._tiles.values()))

    def _open_cell(self, row: int, column: int) -> None:
        shift = bool(QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        first = self._cells[0] if self._cells else (row, column)
        second = self._cells[1] if len(self._cells) > 1 else first
        self._cells = [first, (row, column)] if shift else [(row, column), second]
        if self.xray is not None:
            self._paint()

    def _paint_lines(self) -> None:
        x = self.xray
        assert x is not None
        row, column = self._cells[0]
        self._opened.setText(_weight_name(x, x.place(row, column)))
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for place, line in enumerate(x.lines(row, column)):
            texts = (f"{line.symbol} =", line.formula, f"= {filled(line)}", f"= {i18n.short(line.value, 6)}")
            roles = ("sum", "muted", "sum", "sum")
            for at, (text, role) in enumerate(zip(texts, roles, strict=True)):
                self._lines.addWidget(label(text, role, False), place, at)
            if line.engine is not None:
                own = tr("engine {value}").format(value=i18n.short(line.engine, 6))
                self._lines.addWidget(label(own, "status", False), place, 4)

    # ---- the four --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the four from here."""
        x = self.xray
        if x is None:
            return
        for field in (*self.rates.values(), self.steps):
            if not field.commit():
                self._state.setText(field.problem())
                return
        watched = tuple(Watched(x.key, x.place(*cell)) for cell in self._cells[:2])
        rates = {name: float(field.value()) for name, field in self.rates.items()}
        steps, race = int(self.steps.value()), self._bench.runner.race
        self._job.start(lambda hear, finish: race(watched, steps, rates, hear, finish))
        self.button.setText(tr("Stop"))

    def stop(self) -> None:
        """End it; what was computed stays."""
        self._job.stop()

    @property
    def busy(self) -> bool:
        """Whether the four are running."""
        return bool(self._job)

    def _hear(self, race: Race) -> None:
        self.race = race
        self._paint_race()

    def _finish(self, race: Race | None, error: Message | None) -> None:
        self.button.setText(tr("Run the four"))
        if race is not None:
            self.race = race
            self._paint_race()
        if error is not None:
            self._state.setText(tr_message(error))

    def _paint_race(self) -> None:
        race, x = self.race, self.xray
        if race is None or x is None:
            return
        names = dict(OPTIMIZER_CHOICES)
        paths, gone = [], []
        for lane in race.lanes:
            text = tr(names[lane.optimizer])
            steps = race.start + 1 + np.arange(len(lane.losses))
            self.losses.set_curve(
                lane.optimizer, steps, lane.losses, text=text, token=COLORS[lane.optimizer], noisy=True
            )
            paths.append(Path(text, COLORS[lane.optimizer], lane.path))
            if lane.diverged is not None:
                gone.append(tr("{name} runs away at step {step}: its rate is too large.").format(
                    name=text, step=i18n.integer(lane.diverged + 1)))  # fmt: skip
        every = np.concatenate([lane.losses for lane in race.lanes])
        far = every.size > 0 and every.min() > 0 and every.max() > LOG_FROM * every.min()
        self.losses.set_log(bool(far))
        self.losses.set_x_axis(tr("number of the step"), race.start + race.steps, whole=True)
        axes = [_weight_name(x, w.cell) for w in race.watched]
        self.paths.set_paths(tuple(paths), axes[0], axes[-1])
        done, total = i18n.integer(race.done), i18n.integer(race.total)
        state = tr("{done} of {total} steps").format(done=done, total=total)
        self._state.setText("\n".join([state, *gone]))


def _weight_name(x: XRay, cell: tuple[int, ...]) -> str:
    """w[2, 1], counted from 1."""
    return f"{'b' if x.key.endswith('.bias') else 'w'}[{', '.join(str(i + 1) for i in cell)}]"


def _largest(x: XRay) -> list[tuple[int, int]]:
    """The two weights with the largest gradients: their way is the longest to look at."""
    g = np.abs(x["g"])
    order = np.argsort(-g, axis=None, kind="stable")[:2]
    cells = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, g.shape), strict=True)]
    return cells if len(cells) > 1 else cells * 2


def filled(line: Line) -> str:
    """The template with the numbers in the language in use; negative ones behind a sign in brackets."""
    numbers = [trimmed(n) for n in line.numbers]
    return line.template.format(
        *(f"({text})" if text.startswith(i18n.MINUS) and i else text for i, text in enumerate(numbers))
    )


def trimmed(number: float) -> str:
    """Five digits, without zeros at the end: 0.03 and not 0.030000."""
    text = i18n.short(number, 5)
    head, times, power = text.partition("·")
    if i18n.decimal_point() in head:
        head = head.rstrip("0").rstrip(i18n.decimal_point())
    return head + times + power
