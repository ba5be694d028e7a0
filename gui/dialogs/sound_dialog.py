"""A sound as numbers, samples or spectrogram, and what the network says to each of its pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.data.audio import QUIET, as_inputs, length_of, pieces_of, stride_of
from engine.data.sound import centers, frames_of, spectrogram
from engine.data.source import SourceSpec
from engine.data.wav import Sound
from engine.graph import GraphSpec
from engine.session.protocol import Configured, Prediction
from gui import i18n, icons, theme
from gui.dialogs.network_says import Face, NetworkSays
from gui.i18n import tr, tr_message
from gui.panels.data_panel import READING_TEXTS
from gui.panels.docks import Switch
from gui.panels.numbers import Numbers
from gui.picture_words import Array, picture_words
from gui.views.wave_view import WaveView
from gui.wave_words import wave_words

MOST = 64
"""Pieces that are shown to the network."""
COLUMNS = {512: 16, 2048: 32}
"""Samples in a row of numbers, by the length of a piece up to which it holds."""
WIDEST = 64
LONGEST = 1024
"""Columns of the spectrogram shown."""


class SoundDialog(QDialog):
    """Leafing through the pieces of a sound with the arrows, or by a click on its wave. Not modal."""

    def __init__(self, read: Sound, sound: Sound, spec: SourceSpec, parent: QWidget) -> None:
        """`read` as the file has it, `sound` at the rate of `spec`, which says how it becomes inputs."""
        super().__init__(parent)
        self.setObjectName("sound_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._sound, self._spec, self._at = sound, spec, 0
        every = pieces_of(sound.samples, spec)
        self.pieces: Array = every[:MOST]
        self.inputs: Array = as_inputs(self.pieces, spec)
        self.setWindowTitle(read.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(12),) * 4)
        column.addLayout(self._head(read.name))
        notes = [self._facts(read), *(tr_message(note) for note in sound.notes)]
        if len(every) > MOST:
            notes.append(tr("The first {n} of {count} pieces are shown.").format(n=MOST, count=len(every)))
        if len(sound.samples) < length_of(spec):
            text = tr("Shorter than an example of {n} samples: the rest of it is silence.")
            notes.append(text.format(n=i18n.integer(length_of(spec))))
        if np.abs(sound.samples).max() <= QUIET:
            notes.append(tr("There is only silence in it."))
        self._notes = QLabel("\n".join(notes))
        self._notes.setProperty("role", "muted")
        self._notes.setWordWrap(True)
        column.addWidget(self._notes)
        self.wave = WaveView()
        self.wave.set_sound(sound.samples, sound.rate)
        self.wave.chosen.connect(self._choose)
        column.addWidget(self.wave)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._left())
        side = QWidget()
        right = QVBoxLayout(side)
        right.setContentsMargins(theme.px(16), 0, theme.px(4), 0)
        right.setSpacing(theme.px(10))
        self._seen = Face(tr("As the network gets it"))
        self._seen.hide()
        right.addWidget(self._seen)
        self.says = NetworkSays()
        self.shares = self.says.shares
        right.addWidget(self.says, 1)
        split.addWidget(side)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([theme.px(560), theme.px(400)])
        column.addWidget(split, 1)
        self.resize(self.sizeHint())
        self._show()

    def _head(self, name: str) -> QHBoxLayout:
        head = QHBoxLayout()
        title = QLabel(name)
        title.setProperty("role", "heading")
        head.addWidget(title, 1)
        self._place = QLabel()
        self._place.setProperty("role", "status")
        head.addWidget(self._place)
        steps = (("chevron-left", tr("Piece before"), -1), ("chevron-right", tr("Next piece"), 1))
        for icon, tip, step in steps:
            button = QToolButton()
            button.setIcon(icons.icon(icon, "text2"))
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setVisible(len(self.pieces) > 1)
            button.clicked.connect(lambda _checked=False, step=step: self.leaf(step))
            head.addWidget(button)
        return head

    def _left(self) -> QWidget:
        """The numbers, one of two ways."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        tips = {
            "samples": tr("The samples of this piece as numbers, from left to right"),
            "spectrogram": tr("The loudness of each pitch over time; 0 to 1 are 80 decibels"),
        }
        self.switch = Switch({key: (tr(text), tips[key]) for key, text in READING_TEXTS})
        row = QHBoxLayout()
        row.addWidget(self.switch)
        row.addStretch(1)
        column.addLayout(row)
        self.samples, self.bands = Numbers("activations"), Numbers("activations")
        for numbers in (self.samples, self.bands):
            numbers.readout.hint = tr("Point at a number; the wheel zooms")
            numbers.readout.clear()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.samples)
        self._stack.addWidget(self.bands)
        column.addWidget(self._stack, 1)
        self.switch.chosen.connect(self.show_reading)
        self._show_bands()
        self.show_reading(self._spec.reading)
        return holder

    def sizeHint(self) -> QSize:
        return QSize(theme.px(980), theme.px(720))

    def show_reading(self, key: str) -> None:
        """The numbers as "samples" or as "spectrogram"."""
        self.switch.set_value(key)
        self._stack.setCurrentIndex(self.switch.choices().index(key))

    def set_reason(self, text: str) -> None:
        """Why the network says nothing about the sound."""
        self.says.set_reason(text)

    def set_prediction(
        self, prediction: Prediction, configured: Configured, graph: GraphSpec, trained: bool
    ) -> None:
        """What the network says to every piece."""
        self._seen.show()
        self.says.set_prediction(prediction, configured, graph, trained)
        self._show()

    def leaf(self, step: int) -> None:
        """Another piece."""
        self._at = (self._at + step) % len(self.pieces)
        self._show()

    def best(self) -> str:
        """The likeliest class of the piece shown, "" while unknown."""
        return self.says.best()

    def _choose(self, seconds: float) -> None:
        """The piece at a place of the sound."""
        at = int(seconds * self._sound.rate) // stride_of(self._spec)
        self._at = min(max(at, 0), len(self.pieces) - 1)
        self._show()

    def _facts(self, read: Sound) -> str:
        facts = tr("{seconds} s, {rate} samples in a second, {channels}")
        kind = tr("one channel") if read.channels == 1 else tr("{n} channels").format(n=read.channels)
        return facts.format(seconds=i18n.short(read.seconds, 3), rate=i18n.integer(read.rate), channels=kind)

    def _show(self) -> None:
        rate = self._sound.rate
        start = self._at * stride_of(self._spec)
        piece = self.pieces[self._at]
        self.wave.set_piece(start / rate, (start + len(piece)) / rate)
        count = len(self.pieces)
        self._place.setText(f"{self._at + 1} / {count}" if count > 1 else "")
        columns = next((n for most, n in COLUMNS.items() if len(piece) <= most), WIDEST)
        rows = -(-len(piece) // columns)
        matrix = np.full(rows * columns, np.nan, np.float32)
        matrix[: len(piece)] = piece
        self.samples.matrix.set_names(
            [str(start + 1 + k * columns) for k in range(rows)], [f"+{k}" for k in range(columns)]
        )
        self.samples.show_matrix(matrix.reshape(rows, columns))
        one = self.inputs[self._at : self._at + 1]
        self._seen.show_words((picture_words(one) if one.ndim == 4 else wave_words(one))[0], smooth=False)
        self.says.show_at(self._at)

    def _show_bands(self) -> None:
        """The spectrogram of the whole sound, or of its first part; a short one is filled with silence."""
        spec, rate = self._spec, self._sound.rate
        samples = self._sound.samples[: spec.frame + (LONGEST - 1) * spec.hop]
        least = length_of(replace(spec, reading="spectrogram"))
        samples = np.pad(samples, (0, max(0, least - len(samples))))
        made = spectrogram(samples[None], rate, spec.frame, spec.hop, spec.bands, spec.pitch)[0]
        middle = centers(spec.bands, rate, spec.pitch)[::-1]
        pitches = [f"{i18n.integer(round(float(c)))} Hz" for c in middle]
        count = frames_of(len(samples), spec.frame, spec.hop)
        times = [f"{i18n.number(k * spec.hop / rate, 3)}\u00a0s" for k in range(count)]  # in one line
        self.bands.matrix.stretch = (8.0, 8.0)
        self.bands.matrix.set_names(pitches, times)
        self.bands.show_matrix(made)
