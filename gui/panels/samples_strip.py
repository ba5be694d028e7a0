"""The samples as a strip under the training bar: one click opens one, one click sends the strip away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import i18n, icons, resources, theme, tokens
from gui.i18n import tr
from gui.views.panel import ElidedLabel


@dataclass(frozen=True)
class Sample:
    """A project that ships with Matrizen."""

    stem: str
    title: str
    text: str
    icon: str
    kind: str
    reached: str = ""
    """What its training comes to (`resources/samples/make_samples.py`)."""

    @property
    def path(self) -> Path:
        return resources.path("samples", f"{self.stem}.matrizen")


def _right(percent: int, epochs: int) -> str:
    text = tr("about {percent} % of the test data right after {epochs} epochs")
    return text.format(percent=percent, epochs=epochs)


def samples() -> tuple[Sample, ...]:
    """All samples whose files exist, in the order of the strip."""
    drawn = tr("mean squared error about {error} after {epochs} epochs; the mean picture: {mean}").format(
        error=i18n.number(0.017, 3), epochs=20, mean=i18n.number(0.086, 3)
    )
    known = (
        Sample("circle", tr("Circle"), tr("the smallest network that bends"), "boundary", "data",
               _right(99, 40)),
        Sample("spiral", tr("Spiral"), tr("12 + 12 neurons tell two arms apart"), "points", "data",
               _right(95, 150)),
        Sample("fashion_cnn", tr("Clothes"), tr("a convolution finds edges"), "conv", "linear",
               _right(82, 5)),
        Sample("fashion_mlp", tr("Clothes, dense"), tr("784 pixels, 128 neurons, 10 classes"), "dense",
               "linear", _right(81, 20)),
        Sample("fashion_autoencoder", tr("Autoencoder"), tr("clothes drawn again from 16 numbers"),
               "conv_transpose2d", "linear", drawn),
        Sample("digits_cnn", tr("Digits"), tr("1,797 figures, 8 × 8 pixels"), "picture", "pooling",
               _right(97, 10)),
        Sample("fashion_residual", tr("Clothes, residual"), tr("blocks learn what to add to their input"),
               "add", "merge", _right(82, 15)),
        Sample("digits_turned", tr("Turned digits"), tr("the network turns them itself before it reads"),
               "spatial_transformer", "transform", _right(95, 15)),
        Sample("tones_cnn", tr("Tones"), tr("four waves told apart by their spectrogram"), "sine",
               "activation", _right(98, 20)),
        Sample("emma_transformer", tr("Text"), tr("attention guesses the next letter"), "self_attention",
               "recurrent", _right(42, 3)),
        Sample("emma_lstm", tr("Text, LSTM"), tr("a memory reads letter by letter"), "lstm", "recurrent",
               _right(48, 3)),
        Sample("one_layer", tr("One layer"), tr("every number checked by hand"), "matrix", "recurrent"),
    )  # fmt: skip
    return tuple(sample for sample in known if sample.path.is_file())


class Card(QPushButton):
    """One sample: tile, title and a line about it."""

    def __init__(self, sample: Sample, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sample = sample
        self._compact = False
        self.setProperty("kind", "sample")
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(sample.title)
        self.setToolTip("\n".join(filter(None, (sample.text, sample.reached))))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(8), theme.px(4), theme.px(12), theme.px(4))
        row.setSpacing(theme.px(10))
        self._tile = _Tile(sample.kind, sample.icon)
        row.addWidget(self._tile)
        words = QVBoxLayout()
        words.setSpacing(0)
        title = QLabel(sample.title)
        title.setProperty("role", "title")
        self._text = ElidedLabel(sample.text)
        self._text.setProperty("role", "caption")
        for label in (title, self._text):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            words.addWidget(label)
        row.addLayout(words, 1)
        self._title = title

    def set_compact(self, compact: bool) -> None:
        """Only the title, for narrow and low windows."""
        self._compact = compact
        self._text.setVisible(not compact)
        self._tile.set_side(20 if compact else 30)
        self.updateGeometry()

    def wide(self, compact: bool) -> int:
        """The width it wants in either form."""
        if compact:
            return self._title.sizeHint().width() + theme.px(20 + 10 + 24)
        small = self._text.fontMetrics().horizontalAdvance(self._text.text())
        return min(max(self._title.sizeHint().width(), small), theme.px(240)) + theme.px(30 + 10 + 24)

    def sizeHint(self) -> QSize:
        return QSize(self.wide(self._compact), theme.px(32 if self._compact else 46))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class _Tile(QWidget):
    """The tile of a kind, following the theme."""

    def __init__(self, kind: str, icon: str) -> None:
        super().__init__()
        self._kind, self._icon = kind, icon
        self.set_side(30)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_side(self, side: int) -> None:
        """Its size in logical pixels."""
        self.setFixedSize(theme.px(side), theme.px(side))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        icons.paint_kind_tile(painter, self.rect().toRectF(), self._kind, self._icon)
        painter.end()


class _Row(QScrollArea):
    """The cards in one line; the wheel moves along it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        by = turned.x() if abs(turned.x()) > abs(turned.y()) else turned.y()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - by)
        event.accept()

    def turn(self, by: int) -> None:
        """Most of what is in sight to the right, or with -1 to the left."""
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + by * bar.pageStep() * 4 // 5)


class SamplesStrip(QFrame):
    """`chosen(path)` opens a sample, `dismissed()` sends the strip away."""

    chosen = Signal(object)
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samples_strip")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(6), theme.px(8), theme.px(6))
        row.setSpacing(theme.px(8))
        head = QLabel(tr("Samples"))
        head.setProperty("role", "head")
        row.addWidget(head)
        row.addSpacing(theme.px(4))
        self._open: Path | None = None
        self._cards = [Card(sample) for sample in samples()]
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.px(8))
        for card in self._cards:
            card.clicked.connect(lambda _checked=False, path=card.sample.path: self._choose(path))
            line.addWidget(card)
        line.addStretch(1)
        area = _Row()
        area.setWidget(holder)
        area.setWidgetResizable(True)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area = area
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        holder.setAutoFillBackground(False)
        area.viewport().setAutoFillBackground(False)
        self._arrows = [
            self._arrow("chevron-left", tr("Samples before"), -1),
            self._arrow("chevron-right", tr("More samples"), 1),
        ]
        row.addWidget(self._arrows[0])
        row.addWidget(area, 1)
        row.addWidget(self._arrows[1])
        bar = area.horizontalScrollBar()
        bar.rangeChanged.connect(self._reveal)
        bar.valueChanged.connect(self._turned)
        close = QToolButton()
        close.setIcon(icons.icon("close", "text2"))
        close.setIconSize(QSize(theme.px(14), theme.px(14)))
        close.setToolTip(tr("Hide samples (File menu shows them again)"))
        close.setAccessibleName(tr("Hide samples"))
        close.clicked.connect(self.dismissed)
        row.addWidget(close)
        self._head = head
        self._low = False
        self._fit()

    def set_low(self, low: bool) -> None:
        """One line of titles, for low windows."""
        self._low = low
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - self._head.sizeHint().width() - theme.px(80)
        needed = sum(card.wide(False) + theme.px(8) for card in self._cards)
        compact = self._low or needed > room
        least = sum(card.wide(True) + theme.px(8) for card in self._cards)
        for arrow in self._arrows:
            arrow.setVisible(least > room)
        for card in self._cards:
            card.set_compact(compact)
        self._area.setFixedHeight(theme.px(34 if compact else 48))
        self.setFixedHeight(theme.px(46 if compact else 64) + tokens.LINE_HAIR)

    def mark(self, path: Path | None) -> None:
        """Show which sample is open."""
        self._open = path
        self._check()
        self._reveal()

    def cards(self) -> tuple[Card, ...]:
        """The cards, in order."""
        return tuple(self._cards)

    # ---- inside --------------------------------------------------------------------------------------

    def _arrow(self, icon: str, tip: str, by: int) -> QToolButton:
        arrow = QToolButton()
        arrow.setIcon(icons.icon(icon, "text2"))
        arrow.setIconSize(QSize(theme.px(14), theme.px(14)))
        arrow.setToolTip(tip)
        arrow.setAccessibleName(tip)
        arrow.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab walks through the cards and takes the line along
        arrow.clicked.connect(lambda: self._area.turn(by))
        return arrow

    def _choose(self, path: Path) -> None:
        self._check()  # a click alone marks nothing: the person may still stay with what is open
        self.chosen.emit(path)

    def _check(self) -> None:
        for card in self._cards:
            card.setChecked(self._open is not None and card.sample.path == self._open)

    def _reveal(self) -> None:
        """The open sample is in sight."""
        self._turned()
        for card in self._cards:
            if card.isChecked():
                self._area.ensureWidgetVisible(card, theme.px(48), 0)

    def _turned(self) -> None:
        bar = self._area.horizontalScrollBar()
        self._arrows[0].setEnabled(bar.value() > bar.minimum())
        self._arrows[1].setEnabled(bar.value() < bar.maximum())
