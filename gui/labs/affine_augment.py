"""The affine lab's way into training: ranges for the layer Augment, and a batch as it would see them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.layers.augment import Augment
from gui import theme
from gui.i18n import tr, tr_message
from gui.labs.affine_engine import while_alive
from gui.labs.affine_face import image_of
from gui.labs.affine_sources import Subject, ask_maps, input_of
from gui.labs.affine_state import AffineState
from gui.labs.augment_ranges import RangesForm
from gui.views.base import View, draw_empty

if TYPE_CHECKING:
    from gui.workbench import Workbench

ROWS, COLUMNS = 3, 4


def ranges(state: AffineState, seen: tuple[int, int], taken: tuple[int, int]) -> Augment:
    """The layer whose ranges just hold this map; a shift keeps its share of the picture's size (h, w)."""
    share = max(
        abs(state.right) / max(1, seen[1]) * taken[1], abs(state.low) / max(1, seen[0]) * taken[0]
    )
    angle = abs((state.angle + 180) % 360 - 180)
    size = max(abs(abs(state.wide) - 1), abs(abs(state.high) - 1)) * 100
    return Augment(
        rotation=round(min(angle, 180.0), 1),
        scale=round(min(size, 90.0), 1),
        shift=round(min(share, 512.0), 1),
        border=state.border,
    )


def augment_node(bench: Workbench) -> str | None:
    """The uid of the layer Augment that is drawn, if there is one."""
    return next((n.uid for n in bench.document.graph.nodes if isinstance(n.layer, Augment)), None)


def use(bench: Workbench, layer: Augment) -> str:
    """Put the ranges into the drawn layer, or a new one behind the input: one undo step. Its uid."""
    document = bench.document
    uid = augment_node(bench)
    if uid is None:
        return document.add_layer(layer, after=input_of(bench))
    graph = document.graph.replace_node(uid, layer=layer)
    document.edit(replace(document.state, graph=graph), tr("Use as augmentation"))
    return uid


class Batch(View):
    """A grid of small pictures: as they are in the upper left halves, as training sees them beside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[QImage] = []
        self.empty = ""

    def set_pictures(self, pictures: np.ndarray) -> None:
        """(N, H, W, C) bytes."""
        self._images = [image_of(p) for p in pictures]
        self.update()

    def count(self) -> int:
        return len(self._images)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(400), theme.px(300))

    def paint(self, painter: QPainter) -> None:
        if not self._images:
            draw_empty(self, painter, self.empty)
            return
        gap = theme.px(6)
        side = min((self.width() + gap - 1) / COLUMNS, (self.height() + gap - 1) / ROWS) - gap
        for k, image in enumerate(self._images[: ROWS * COLUMNS]):
            box = QRectF(k % COLUMNS * (side + gap), k // COLUMNS * (side + gap), side, side)
            painter.drawImage(box, image)
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawRect(box)


class AugmentDialog(QDialog):
    """Ranges to change, a batch drawn anew with every change, and the button that puts them to use.

    `compare(Augment)` when what these ranges change in training is to be measured first.
    """

    compare = Signal(object)

    def __init__(self, bench: Workbench, layer: Augment, subject: Subject, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Use as augmentation"))
        self.bench, self.layer_, self.used = bench, layer, ""
        self._seed = 0
        self._pictures: np.ndarray | None = None
        self._asking = self._again = False
        across = QHBoxLayout(self)
        across.setContentsMargins(theme.px(20), theme.px(16), theme.px(20), theme.px(16))
        across.setSpacing(theme.px(24))
        left = QVBoxLayout()
        left.setSpacing(theme.px(10))
        words = QLabel(
            tr(
                "While training every picture is changed anew, at random within these ranges. "
                "Tests see the pictures as they are."
            )
        )
        words.setWordWrap(True)
        words.setFixedWidth(theme.px(270))
        left.addWidget(words)
        self.form = RangesForm(layer)
        self.form.changed.connect(self._changed)
        left.addWidget(self.form)
        self._note = QLabel()
        self._note.setProperty("role", "status")
        self._note.setWordWrap(True)
        left.addWidget(self._note)
        left.addStretch(1)
        self.comparing = QPushButton(tr("Compare training with and without …"))
        self.comparing.setProperty("kind", "link")
        self.comparing.clicked.connect(self._compare)
        left.addWidget(self.comparing)
        again = QPushButton(tr("Another batch"))
        again.clicked.connect(self._redraw)
        self.button = QPushButton(tr("Put into the network"))
        self.button.setProperty("kind", "primary")
        self.button.setDefault(True)
        self.button.clicked.connect(self._use)
        row = QHBoxLayout()
        row.addWidget(again)
        row.addStretch(1)
        row.addWidget(self.button)
        left.addLayout(row)
        across.addLayout(left)
        self.batch = Batch()
        self.batch.empty = tr("The batch comes from the engine …")
        across.addWidget(self.batch, 1)
        self.resize(theme.px(780), theme.px(400))
        uid = input_of(bench)
        if uid is None or bench.configured is None:
            self._take([subject] * (ROWS * COLUMNS))
            self._note.setText(tr("There are no training pictures: the preview shows the lab's own."))
            if uid is None:
                self.button.setEnabled(False)
                self._note.setText(tr("The network has no input for pictures; draw one first."))
        else:
            text = tr("The drawn layer {name} takes these ranges.") if augment_node(bench) else \
                tr("A layer Augment is put behind the input.")
            drawn = augment_node(bench)
            self._note.setText(text.format(name=bench.document.node(drawn).name if drawn else ""))
            ask_maps(bench, uid, self._take, self._fail, self)

    def _changed(self, layer: Augment) -> None:
        self.layer_ = layer
        self._preview()

    def _redraw(self) -> None:
        self._seed += 1
        self._preview()

    def _take(self, subjects: list[Subject]) -> None:
        found = [s.pixels for s in subjects[: ROWS * COLUMNS]]
        self._pictures = np.stack(found * (ROWS * COLUMNS // len(found) + 1))[: ROWS * COLUMNS]
        self._preview()

    def _fail(self, message: Message) -> None:
        self._note.setText(tr_message(message))

    def _preview(self) -> None:
        """The newest ranges; while one batch is asked for, the next waits."""
        if self._pictures is None:
            return
        if self._asking:
            self._again = True
            return
        self._asking = True
        layer = self.layer_

        def answered(pictures: Any, error: Message | None) -> None:
            self._asking = False
            if pictures is not None:
                self.batch.set_pictures(pictures)
            elif error is not None:
                self._fail(error)
            if self._again:
                self._again = False
                self._preview()

        ranges_ = layer.rotation, layer.scale, layer.shift
        told = while_alive(self, answered)
        self.bench.runner.augment(self._pictures, *ranges_, layer.border, self._seed, told)

    def _compare(self) -> None:
        if not self.form.commit():
            self.reject()
            self.compare.emit(self.layer_)

    def _use(self) -> None:
        if self.form.commit():
            return
        self.used = use(self.bench, self.layer_)
        self.accept()
