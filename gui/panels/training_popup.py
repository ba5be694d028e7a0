"""All training settings in a small window of their own."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.class_weights import class_weights
from engine.errors import MatrizenError
from engine.losses import loss_of
from engine.outputs import outputs_of
from engine.settings import TrainingSpec
from gui import theme
from gui.document import Document, DocumentState
from gui.forms import Field, Form
from gui.i18n import tr, tr_message

# which settings an optimizer or a loss reads besides; the others would do nothing
READ_BY = {
    "momentum": ("momentum",), "nesterov": ("momentum",), "adagrad": ("epsilon",),
    "adadelta": ("decay", "epsilon"), "rmsprop": ("decay", "epsilon"), "adam": ("beta1", "beta2", "epsilon"),
    "adamw": ("beta1", "beta2", "epsilon", "weight_decay"),
    "cross_entropy": ("label_smoothing", "class_weighting"), "own": ("class_weights",),
    "huber": ("huber_delta",), "step": ("schedule_steps", "schedule_factor"), "cosine": ("schedule_steps",),
    "exponential": ("schedule_steps", "schedule_factor"), "one_cycle": ("schedule_steps",),
    "value": ("clip_limit",), "norm": ("clip_limit",), "plateau": ("schedule_factor", "patience", "watched"),
    "stops": ("watched",),
}  # fmt: skip


def choices_of(training: TrainingSpec) -> tuple[str, ...]:
    """What is chosen that has settings of its own."""
    stops = "stops" if training.stop_after else ""
    return (training.optimizer, training.loss, training.schedule, training.clipping, stops,
            training.class_weighting)  # fmt: skip


class SettingsPopup(QFrame):
    """All training settings, with those of the optimizer chosen; closes when the person looks away."""

    refused = Signal(str)

    def __init__(self, document: Document, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("surface", "raised")
        self._document = document
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.px(16), theme.px(12), theme.px(16), theme.px(16))
        self._column.setSpacing(theme.px(12))
        self._head = QLabel(tr("Training settings"))
        self._head.setProperty("role", "title")
        self._column.addWidget(self._head)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column.addWidget(self._area)
        self._form: Form | None = None
        self._build()
        document.changed.connect(self._on_changed)

    def _build(self) -> None:
        training = self._document.training
        read = [READ_BY.get(choice, ()) for choice in choices_of(training)]
        optimizer, loss, schedule, clipping, stops, listed = read
        used = {loss_of(end, training) for end in outputs_of(self._document.graph)} - {training.loss}
        loss += tuple(name for each in sorted(used) for name in READ_BY.get(each, ()))
        if "class_weighting" in loss:
            at = loss.index("class_weighting") + 1
            loss = (*loss[:at], *listed, *loss[at:])
        rate = ("learning_rate", "schedule", *schedule, "warm_up")
        known = TrainingSpec.settings()
        fields = [
            Field(name, facts.label, facts.kind, facts.help, facts.minimum, facts.maximum, facts.unit,
                  tuple(facts.choices), default)
            for name in ("loss", *loss, "optimizer", *rate, "batch", "accumulate", *optimizer, "clipping",
                         *clipping, "stop_after", *(stops if "watched" not in schedule else ()), "seed")
            for facts, default in (known[name],)
        ]  # fmt: skip
        self._names = tuple(field.name for field in fields)
        form = Form(fields)
        form.set_values({name: getattr(training, name) for name in self._names})
        form.edited.connect(self._set)
        if (old := self._area.takeWidget()) is not None:
            old.deleteLater()  # it may be the one that is telling of a change
        form.installEventFilter(self)
        self._area.setWidget(form)
        form.setAutoFillBackground(False)  # else it has a ground of its own, a shade off
        self._form = form
        self.setMinimumWidth(theme.px(360))  # names must not break when fields come and go
        self._fit()

    def _fit(self) -> None:
        """As tall as its fields, where the screen has room for them; else they are scrolled."""
        form, parent, margins = self._form, self.parentWidget(), self._column.contentsMargins()
        layout = form.layout() if form is not None else None
        if form is None or layout is None or parent is None:
            return
        width = max(theme.px(360) - margins.left() - margins.right(), form.sizeHint().width())
        wanted = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else form.sizeHint().height()
        top = parent.mapToGlobal(QPoint(0, parent.height())).y()
        others = self._head.sizeHint().height() + self._column.spacing() + margins.top() + margins.bottom()
        room = parent.screen().availableGeometry().bottom() - top - others - theme.px(12)
        self._area.setFixedHeight(min(wanted, max(room, theme.px(200))))
        bar = self._area.verticalScrollBar().sizeHint().width() + theme.px(8) if wanted > room else 0
        self._area.setMinimumWidth(width + bar)
        layout.setContentsMargins(0, 0, bar and theme.px(8), 0)
        right = self.geometry().right()
        self.adjustSize()
        if self.isVisible():
            self.move(right + 1 - self.width(), self.y())

    def _set(self, name: str, value: Any) -> None:
        more: dict[str, Any] = {}
        training, data = self._document.training, self._document.data
        if value == "own" and not training.class_weights and data is not None:
            more["class_weights"] = tuple(round(w, 3) for w in class_weights(training, data))  # to start from
        try:
            self._document.set_training(**{name: value}, **more)
        except MatrizenError as refusal:
            if self._form is not None:
                self._form.set_problem(name, tr_message(refusal))

    def _on_changed(self, old: DocumentState, new: DocumentState) -> None:
        if choices_of(old.training) != choices_of(new.training):
            self._build()
        elif self._form is not None:
            self._form.set_values({name: getattr(new.training, name) for name in self._names})

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._form and event.type() == QEvent.Type.LayoutRequest:
            self._fit()  # something is said under a field
        return False
