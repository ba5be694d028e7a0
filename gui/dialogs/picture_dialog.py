"""A picture as its matrix of numbers, what the network says to it, and what each layer makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QSplitter, QToolButton, QVBoxLayout, QWidget

from engine.data.pictures import Picture
from engine.graph import GraphSpec
from engine.session.protocol import Configured, Prediction
from gui import icons, theme
from gui.dialogs.network_says import Face, NetworkSays
from gui.i18n import tr, tr_message
from gui.picture_words import Array, picture_words
from gui.views.base import words_from_rgb
from gui.views.picture_view import PictureNumbers


class PictureDialog(QDialog):
    """One or several pictures; leafing with the arrows. Not modal: training goes on."""

    def __init__(self, pictures: Sequence[Picture], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("picture_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pictures = list(pictures)
        self._at = 0
        self._inputs: Array | None = None
        self._copies: Array | None = None
        """(n, 2, C, H, W): what should have been made beside what was made."""
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(12), theme.px(12), theme.px(12))
        head = QHBoxLayout()
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        head.addWidget(self._title, 1)
        self._place = QLabel()
        self._place.setProperty("role", "status")
        head.addWidget(self._place)
        for icon, tip, step in (
            ("chevron-left", tr("Picture before"), -1),
            ("chevron-right", tr("Next picture"), 1),
        ):
            button = QToolButton()
            button.setIcon(icons.icon(icon, "text2"))
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setVisible(len(self._pictures) > 1)
            button.clicked.connect(lambda _checked=False, step=step: self.leaf(step))
            head.addWidget(button)
        column.addLayout(head)
        self._notes = QLabel()
        self._notes.setProperty("role", "muted")
        self._notes.setWordWrap(True)
        column.addWidget(self._notes)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        self.numbers = PictureNumbers()
        split.addWidget(self.numbers)
        side = QWidget()
        right = QVBoxLayout(side)
        right.setContentsMargins(theme.px(16), 0, theme.px(4), 0)
        right.setSpacing(theme.px(10))
        faces = QHBoxLayout()
        faces.setSpacing(theme.px(16))
        self._whole, self._seen = Face(tr("The picture")), Face(tr("As the network gets it"))
        faces.addWidget(self._whole)
        faces.addWidget(self._seen)
        self._made = Face(tr("As the network made it"))
        faces.addWidget(self._made)
        self._made.hide()
        faces.addStretch(1)
        self._seen.hide()
        right.addLayout(faces)
        self.says = NetworkSays()
        self.shares = self.says.shares
        right.addWidget(self.says, 1)
        split.addWidget(side)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([theme.px(560), theme.px(400)])
        column.addWidget(split, 1)
        self.resize(theme.px(980), theme.px(640))
        self._show()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(980), theme.px(640))

    def set_reason(self, text: str) -> None:
        """Why nothing is said about the pictures."""
        self.says.set_reason(text)

    def set_prediction(
        self, prediction: Prediction, configured: Configured, graph: GraphSpec, trained: bool
    ) -> None:
        """What the network says to all pictures, and every layer's activations."""
        self._copies = next(iter(prediction.made.values()), None)
        self.says.set_prediction(prediction, configured, graph, trained)
        self._show()

    def set_inputs(self, inputs: Array) -> None:
        """The pictures as the network gets them, (n, C, H, W) in 0..1."""
        self._inputs = inputs
        self._seen.show()
        self._show()

    def leaf(self, step: int) -> None:
        """Another picture."""
        self._at = (self._at + step) % len(self._pictures)
        self._show()

    def best(self) -> str:
        """The likeliest class of the picture shown, "" while unknown."""
        return self.says.best()

    def _show(self) -> None:
        picture = self._pictures[self._at]
        self._title.setText(picture.name)
        self.setWindowTitle(picture.name)
        self._place.setText(f"{self._at + 1} / {len(self._pictures)}" if len(self._pictures) > 1 else "")
        self._notes.setText("\n".join(tr_message(note) for note in picture.notes))
        self._notes.setVisible(bool(picture.notes))
        array = picture.array
        if array.dtype == np.uint16:
            array = (array >> 8).astype(np.uint8)
        self.numbers.set_picture(array[..., 0] if array.shape[2] == 1 else array[..., :3])
        self._whole.show_words(
            words_from_rgb(np.repeat(array, 3, 2) if array.shape[2] == 1 else array), smooth=True
        )
        if self._inputs is not None:
            self._seen.show_words(picture_words(self._inputs[self._at][None])[0], smooth=False)
        self._made.setVisible(self._copies is not None)
        if self._copies is not None:  # both in one scale
            seen, copied = picture_words(self._copies[self._at])
            self._seen.show_words(seen, smooth=False)
            self._made.show_words(copied, smooth=False)
        self.says.show_at(self._at)
