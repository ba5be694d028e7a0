"""A picture seen as what it is for a network: a matrix of numbers."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from gui import theme
from gui.i18n import tr, trn
from gui.views.base import Array, Bytes
from gui.views.matrix_view import MatrixView
from gui.views.readout import Readout
from gui.views.scale import Scale


class PictureNumbers(QWidget):
    """Any picture as numbers: grey or one channel of red, green and blue, as 0..255 or 0..1.

    `pixel_hovered(row, column)` is (-1, -1) when the pointer leaves. The wheel zooms until the numbers
    can be read.
    """

    pixel_hovered = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.matrix = MatrixView("pictures")
        self.matrix.square = True
        self.matrix.empty_text = tr("No picture yet")
        self.matrix.largest_cell = (44.0, 44.0)
        self.matrix.like_map = True
        self._readout = Readout()
        self._readout.clear(self._hint())
        self._picture: Bytes = np.zeros((0, 0), dtype=np.uint8)
        self._channel = 0
        self._unit_range = False
        self._size = QLabel()
        self._size.setProperty("role", "status")
        self._channels = QButtonGroup(self)
        self._channel_bar = QHBoxLayout()
        self._channel_bar.setSpacing(theme.px(2))
        for index, text in enumerate((tr("Red"), tr("Green"), tr("Blue"))):
            button = self._toggle(text, self._channels, index)
            self._channel_bar.addWidget(button)
        self._ranges = QButtonGroup(self)
        top = QHBoxLayout()
        top.setSpacing(theme.px(12))
        top.addWidget(self._size)
        top.addStretch(1)
        top.addLayout(self._channel_bar)
        for index, text in enumerate((tr("0 to 255"), tr("0 to 1"))):
            top.addWidget(self._toggle(text, self._ranges, index))
        self._channels.idClicked.connect(self.set_channel)
        self._ranges.idClicked.connect(lambda index: self.set_unit_range(index == 1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        layout.addLayout(top)
        layout.addWidget(self.matrix, 1)
        layout.addWidget(self._readout)
        self.matrix.cell_hovered.connect(self._hovered)
        self._refresh()

    def set_picture(self, picture: Array) -> None:
        """Show (rows, columns) or (rows, columns, 3): u8, or floats 0..1. Raises ValueError otherwise."""
        if picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
            raise ValueError(f"a picture is (rows, columns) or (rows, columns, 3), got {picture.shape}")
        if picture.dtype != np.uint8:
            clean = np.nan_to_num(np.asarray(picture, dtype=np.float64))
            picture = (np.clip(clean, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
        self._picture = picture
        self._channel = min(self._channel, 2 if picture.ndim == 3 else 0)
        self.matrix.fit()
        self._refresh()

    def set_channel(self, channel: int) -> None:
        """0 red, 1 green, 2 blue; a grey picture has only 0."""
        self._channel = channel if self._picture.ndim == 3 else 0
        self._refresh()

    def set_unit_range(self, on: bool) -> None:
        """Numbers as 0..1, the way a network gets them, instead of 0..255."""
        self._unit_range = on
        self._refresh()

    def numbers(self) -> Array:
        """The matrix shown: u8, or float32 in 0..1."""
        shown = self._picture if self._picture.ndim == 2 else self._picture[:, :, self._channel]
        return shown.astype(np.float32) / np.float32(255.0) if self._unit_range else shown

    def _refresh(self) -> None:
        color = self._picture.ndim == 3
        for button in self._channels.buttons():
            button.setVisible(color)
        self._channels.button(self._channel).setChecked(True)
        self._ranges.button(int(self._unit_range)).setChecked(True)
        self.matrix.set_values(self.numbers(), Scale(0.0, 1.0 if self._unit_range else 255.0))
        self.matrix.set_colors(self._tinted() if color else None)
        if self._picture.size:
            rows, columns = self._picture.shape[:2]
            kind = tr("color") if color else tr("grey")
            high = trn("{n} row", "{n} rows", rows).format(n=rows)
            wide = trn("{n} column", "{n} columns", columns).format(n=columns)
            self._size.setText(f"{high} × {wide}, {kind}")

    def _tinted(self) -> Bytes:
        """The channel in its own color, so that red numbers look red."""
        tinted = np.zeros_like(self._picture)
        tinted[:, :, self._channel] = self._picture[:, :, self._channel]
        return tinted

    def _hovered(self, row: int, column: int) -> None:
        self.pixel_hovered.emit(row, column)
        if row < 0:
            self._readout.clear(self._hint())
            return
        value = float(self.numbers()[row, column])
        place = tr("row {row}, column {column}").format(row=row + 1, column=column + 1)
        if self._picture.ndim == 3:
            red, green, blue = (int(v) for v in self._picture[row, column])
            fact = tr("red {red}, green {green}, blue {blue}").format(red=red, green=green, blue=blue)
        else:
            fact = ""
        self._readout.show_value(place, value, fact, 4 if self._unit_range else 0, sign=False)

    @staticmethod
    def _hint() -> str:
        return tr("Point at a pixel; the wheel zooms, dragging moves")

    @staticmethod
    def _toggle(text: str, group: QButtonGroup, index: int) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        group.addButton(button, index)
        return button
