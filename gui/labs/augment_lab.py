"""Training with and without augmentation, compared on turned, shifted and scaled test pictures.

A lab of its own beside the affine lab: that one is about one picture, this one about the person's network and
data. Both trainings and all tests are a job of the engine; the drawn network and its run stay as they are.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from engine.augment_trial import Trial, why_not, without_layer
from engine.errors import Message
from engine.layers.augment import Augment
from gui import i18n, resources, theme
from gui.i18n import tr, tr_message
from gui.labs import affine_augment
from gui.labs import augment_words as words
from gui.labs.augment_chart import KIND, AccuracyChart
from gui.labs.augment_examples import ExamplesView
from gui.labs.augment_ranges import WIDE, RangesForm
from gui.labs.lab_job import LabJob
from gui.labs.tiles import label, side_panel
from gui.number_field import NumberField

if TYPE_CHECKING:
    from gui.workbench import Workbench

EPOCHS, MOST_EPOCHS = 10, 1000
SAMPLES = ("digits_cnn", "fashion_cnn")


class AugmentLab(QFrame):
    """`sample_wanted(name)`: another network, one with pictures; `closed` by Escape."""

    closed = Signal()
    sample_wanted = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("augment_lab")
        self.setProperty("surface", "window")
        self._bench = bench
        self._job: LabJob[Trial] = LabJob(bench.runner.cancel_job, self._hear, self._finish)
        self._began = 0.0
        self._given: Augment | None = None
        self._about_what: object = None
        self.trial: Trial | None = None
        page = QHBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(1)
        page.addWidget(self._build_side())
        self._stack = QStackedWidget()
        self._stack.addWidget(self._build_results())
        self._stack.addWidget(self._build_offer())
        page.addWidget(self._stack, 1)
        bench.programmed.connect(self._on_program)
        bench.runner.restarted.connect(self._lost)
        self._on_program(bench.configured)

    def title(self) -> str:
        """What stands in the title row."""
        return tr("Augmentation lab")

    # ---- building --------------------------------------------------------------------------------------

    def _build_side(self) -> QWidget:
        frame, column = side_panel(288)
        self._about = label("", "muted")
        column.addWidget(self._about)
        column.addWidget(label(tr("Ranges of the augmentation"), "head"))
        self.form = RangesForm(Augment())
        self.form.changed.connect(lambda layer: setattr(self, "_given", layer))
        column.addWidget(self.form)
        rows = self.form.rows
        rows.addRow(label(tr("Both trainings"), "head"))
        self.epochs = NumberField(EPOCHS, minimum=1, maximum=MOST_EPOCHS, integer=True)
        self.epochs.setAccessibleName(tr("Epochs"))
        self.seed = NumberField(1, minimum=0, maximum=2**31 - 1, integer=True)
        self.seed.setAccessibleName(tr("Seed"))
        for text, field in ((tr("Epochs"), self.epochs), (tr("Seed"), self.seed)):
            field.setFixedWidth(theme.px(WIDE))
            rows.addRow(text, field)
        text = tr("Same start weights, same batches. The network that is drawn is not touched.")
        column.addWidget(label(text, "muted"))
        self.button = QPushButton(tr("Compare"))
        self.button.setObjectName("augment_compare")
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
        self._trouble = label("", "warning")
        column.addWidget(self._trouble)
        column.addStretch(1)
        self.keep = QPushButton(tr("Keep in my network"))
        self.keep.setObjectName("augment_keep")
        self.keep.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.keep.clicked.connect(self._keep)
        column.addWidget(self.keep)
        self._kept = label("", "status")
        column.addWidget(self._kept)
        area = _scrolled(frame)
        area.setFixedWidth(frame.width())
        return area

    def _build_results(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        self.chart, self.examples = AccuracyChart(), ExamplesView()
        self._invitation = tr(
            "Compare trains the network twice, without and with augmentation, and tests both on pictures "
            "that are turned, shifted and made smaller or larger."
        )
        self.chart.chosen.connect(self._show_condition)
        self._finding = label("", "title")
        self._caution = label("", "muted")
        self._said = _card(self._finding, self._caution)
        column.addWidget(self._said)
        self._legend = label("", "muted", False)
        theme.changed.connect(self._show_legend)
        self._show_legend()
        self._head = QWidget()
        line = QHBoxLayout(self._head)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label(tr("Test pictures recognized"), "heading", False))
        line.addStretch(1)
        line.addWidget(self._legend)
        column.addWidget(_card(self._head, self.chart), 1)
        self._condition = label("", "heading")
        self._seen = _card(self._condition, self.examples)
        column.addWidget(self._seen)
        self._show(None)
        return _scrolled(page)  # on a projector the curves keep their height, the examples lie below

    def _show_legend(self) -> None:
        parts = ((theme.color("text2"), "□", tr("without augmentation")),
                 (theme.kind_color(KIND), "●", tr("with augmentation")))  # fmt: skip
        self._legend.setText("&nbsp;&nbsp;&nbsp;&nbsp;".join(
            f"<span style='color:{color.name()}'>{mark}</span> {text}" for color, mark, text in parts
        ))  # fmt: skip

    def _build_offer(self) -> QWidget:
        page = QFrame()
        page.setProperty("surface", "panel")
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.px(32), theme.px(32), theme.px(32), theme.px(32))
        column.setSpacing(theme.px(12))
        column.addStretch(1)
        self._reason = label("", "heading")
        self._reason.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._reason)
        offer = label(tr("Open a sample with pictures and classes, or load pictures of your own."), "muted")
        offer.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(offer)
        row = QHBoxLayout()
        row.addStretch(1)
        for name, text in zip(SAMPLES, (tr("Open Digits"), tr("Open Fashion, convolutional")), strict=True):
            button = QPushButton(text)
            button.setObjectName(f"open_{name}")
            button.clicked.connect(partial(self.sample_wanted.emit, name))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        return page

    # ---- what is looked at -----------------------------------------------------------------------------

    def open(self, layer: Augment | None = None, kept: tuple[Any, ...] | None = None) -> None:
        """With these ranges; `kept` is what `memory` gave."""
        if kept is not None:
            layer, epochs, seed, trial, self._about_what = kept
            self.epochs.set_value(epochs)
            self.seed.set_value(seed)
            self._show(trial)
        self._given = layer or self._given
        self._fill()

    def memory(self) -> dict[str, Any]:
        """What a rebuilt window opens again."""
        settings = self._given, self.epochs.value(), self.seed.value()
        return {"kept": (*settings, self.trial, self._about_what)}

    def close_lab(self) -> None:
        """Out of sight: nothing is computed for it; what is known stays."""
        self.stop()

    def _on_program(self, _configured: object) -> None:
        self.stop()
        self.seed.set_value(min(self._bench.document.training.seed, 2**31 - 1))
        self._fill()

    def _fill(self) -> None:
        """What the network in sight allows, and whether the numbers shown are about it."""
        reason = self._why_not()
        self._stack.setCurrentIndex(1 if reason else 0)
        self._reason.setText(reason)
        for part in (self.form, self.epochs, self.seed, self.button, self.keep):
            part.setEnabled(not reason)
        configured = self._bench.configured
        if configured is None or reason:
            self._about.setText("")
            return
        data = configured.data
        text = tr("{name}: {train} pictures to train on, {test} to test with")
        self._about.setText(text.format(name=self._bench.title, train=i18n.integer(data.n_train),
                                        test=i18n.integer(data.n_test)))  # fmt: skip
        self.form.show_layer(self._given or self._usual(data.spec.shape))
        stale = self.trial is not None and self._about_what != self._subject()
        text = tr("These numbers are of the network, settings or data before the last change.")
        self._trouble.setText(text if stale else words.diverged(self.trial))

    def _why_not(self) -> str:
        configured = self._bench.configured
        if configured is None:
            return tr("There is no network that can run yet.")
        data = configured.data
        reason = why_not(data.spec.shape, len(data.class_names), data.n_test)
        return tr_message(reason) if reason is not None else ""

    def _usual(self, shape: tuple[int, ...]) -> Augment:
        """The layer that is drawn, or ranges that suit small pictures."""
        uid = affine_augment.augment_node(self._bench)
        if uid is not None:
            layer = self._bench.document.node(uid).layer
            assert isinstance(layer, Augment)
            return layer
        return Augment(rotation=20.0, scale=10.0, shift=float(max(1, round(min(shape[1:]) * 0.07))))

    def _subject(self) -> object:
        """What the numbers depend on besides the fields."""
        document, configured = self._bench.document, self._bench.configured
        graph = without_layer(document.graph)
        settings = replace(document.training, seed=1)
        return graph.nodes, frozenset(graph.links), settings, configured.data.sha256 if configured else ""

    # ---- the job ---------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether it trains and tests."""
        return bool(self._job)

    def start(self) -> None:
        """Train both from the start and test them."""
        problem = self._why_not() or self.form.commit()
        for field in (self.epochs, self.seed):
            if not problem and not field.commit():
                problem = field.problem()
        self._trouble.setText(problem)
        if problem:
            return
        self._show(None)
        self._about_what, self._began = self._subject(), time.monotonic()
        self.progress.setValue(0)
        self._state.setText(tr("Both are prepared …"))
        layer, epochs, seed = self.form.layer_, int(self.epochs.value()), int(self.seed.value())
        self._job.start(
            lambda hear, finish: self._bench.runner.try_augment(layer, epochs, seed, hear, finish)
        )
        self.button.setText(tr("Stop") if self._job else tr("Compare"))

    def stop(self) -> None:
        """End it; the last test stays."""
        self._job.stop()

    def _lost(self, _run: object) -> None:
        if self._job:
            self._job.forget()
            self._finish(None, None)
            self._state.setText(tr("The engine was started again; compare once more."))

    def _hear(self, trial: Trial) -> None:
        if isValid(self):  # a window is rebuilt meanwhile
            self._show(trial)
            playing = self._bench.status.running == "playing"
            self._state.setText(words.going(trial, time.monotonic() - self._began, playing))

    def _finish(self, trial: Trial | None, error: Message | None) -> None:
        if not isValid(self):
            return
        self.button.setText(tr("Compare"))
        if trial is not None:
            self._show(trial)
            self._state.setText(words.ended(trial, time.monotonic() - self._began))
        if error is not None:
            self._state.setText("")
            self._trouble.setText(tr_message(error))

    # ---- what came -------------------------------------------------------------------------------------

    def _show(self, trial: Trial | None) -> None:
        self.trial = trial
        tested = trial.tested if trial is not None else None
        self.chart.empty_text = words.training(trial) if trial is not None and self._job else self._invitation
        self.chart.show_trial(trial)
        self._show_condition(self.chart.condition)
        for part in (self._said, self._head):
            part.setVisible(tested is not None)
        if trial is None:
            return
        self.progress.setRange(0, trial.total)
        self.progress.setValue(trial.done)
        self._trouble.setText(words.diverged(self.trial))
        if tested is None:
            return
        self._finding.setText(words.finding(trial))
        self._caution.setText(words.caution(trial))

    def _show_condition(self, condition: int) -> None:
        self.examples.show_condition(self.trial, condition)
        self._seen.setVisible(self.trial is not None and self.trial.tested is not None)
        if self.trial is not None:
            self._condition.setText(words.head(self.trial.conditions[condition]))

    def _keep(self) -> None:
        """The ranges go into the network that is drawn."""
        if self.form.commit():
            return
        uid = affine_augment.use(self._bench, self.form.layer_)
        text = tr("{name} changes the training pictures from now on. Undo takes it back.")
        self._kept.setText(text.format(name=self._bench.document.node(uid).name))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


def _scrolled(page: QWidget) -> QScrollArea:
    """A page that keeps its height where the window has less."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def _card(*parts: QWidget) -> QFrame:
    """Parts below each other on a surface of their own; the last takes the room."""
    card = QFrame()
    card.setProperty("surface", "panel")
    column = QVBoxLayout(card)
    column.setContentsMargins(theme.px(16), theme.px(10), theme.px(16), theme.px(10))
    column.setSpacing(theme.px(6))
    for part in parts:
        column.addWidget(part, 1 if part is parts[-1] and len(parts) > 1 else 0)
    return card


def register(window: Any, bench: Workbench, actions: Any) -> None:
    """Make the lab known to the window's host of labs; "augment_lab" opens it, with `open`'s words."""

    def make() -> AugmentLab:
        lab = AugmentLab(bench)
        lab.sample_wanted.connect(lambda name: open_sample(window, name))
        return lab

    window.labs.add("augment_lab", make)


def open_sample(window: Any, name: str) -> None:
    """A sample, after asking about changes."""
    window.commands.open_path(resources.path("samples", f"{name}.matrizen"))
