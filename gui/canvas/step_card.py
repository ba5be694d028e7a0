"""The card over the canvas while a step is walked: which op it is, its formula, where numbers come and go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import icons, theme, tokens
from gui.formulas import formula_pixmap, prepare, prepared
from gui.i18n import tr
from gui.views.panel import ElidedLabel

EDGE, GAP = 12, 10
LOOK_MS = 20
"""How often the card looks whether its formula has been typeset meanwhile."""


@dataclass(frozen=True)
class Told:
    """An op in words: where in the step, whose, its name, LaTeX, the layers it reads and writes to."""

    place: str
    layer: str
    name: str
    formula: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def ways(self) -> str:
        """ "reads Conv 1 · result to Pool 1"."""
        parts = []
        if self.reads:
            parts.append(tr("reads {layers}").format(layers=", ".join(self.reads)))
        if self.writes:
            parts.append(tr("result to {layers}").format(layers=", ".join(self.writes)))
        return "  ·  ".join(parts)


class StepCard(QFrame):
    """Floats at the lower edge, lets every click through, and is hidden outside of a step."""

    def __init__(self, parent: QWidget, nodes: Callable[[], Sequence[QRect]]) -> None:
        super().__init__(parent)
        self._nodes = nodes
        self.setProperty("surface", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas = parent
        self.told: Told | None = None
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(14), theme.px(8), theme.px(16), theme.px(8))
        row.setSpacing(theme.px(14))
        self._sign = QLabel(self)
        words = QVBoxLayout()
        words.setSpacing(theme.px(1))
        self._head, self._line = QLabel(self), ElidedLabel(parent=self)
        self._line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._head.setProperty("role", "title")
        self._line.setProperty("role", "muted")
        words.addWidget(self._head)
        words.addWidget(self._line)
        self._formula = QLabel(self)
        row.addWidget(self._sign)
        row.addLayout(words)
        row.addWidget(self._formula)
        self.hide()
        theme.changed.connect(self._fill)
        self._gone = threading.Event()
        self.destroyed.connect(self._gone.set)
        self._threads: list[threading.Thread] = []
        self._look = QTimer(self)
        self._look.timeout.connect(self._looked)

    def prepare(self, formulas: Callable[[], Iterable[str]]) -> None:
        """Typeset the formulas of a step in a thread: 50 ms each are too long between two ops."""
        gone = self._gone
        self._threads.append(prepare(lambda: filter(None, formulas()), lambda: not gone.is_set()))
        self._look.start(LOOK_MS)

    def _looked(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if not self._threads:
            self._look.stop()
        self._show_formula()

    def tell(self, told: Told | None) -> None:
        """Show this op; None hides the card."""
        if told == self.told:
            return
        self.told = told
        self._fill()

    def _fill(self) -> None:
        told = self.told
        if told is None:
            self.hide()
            return
        self._sign.setPixmap(icons.icon("step-op", "trace").pixmap(theme.px(20), theme.px(20)))
        self._head.setText(f"{told.layer}: {told.name}" if told.layer else told.name)
        ways = told.ways()
        self._line.setText(f"{told.place}  ·  {ways}" if ways else told.place)
        self._formula.hide()
        self.setAccessibleName(f"{self._head.text()}. {self._line.text()}")
        self.show()
        if not told.formula:
            self.place()
        elif prepared(told.formula):
            self._show_formula()
        else:
            self.place()
            self.prepare(lambda: [told.formula])

    def _show_formula(self) -> None:
        told = self.told
        if told is not None and told.formula and self._formula.isHidden() and prepared(told.formula):
            self._formula.setPixmap(formula_pixmap(told.formula, tokens.TITLE))
            self._formula.show()
            self.place()

    def place(self) -> None:
        """Between the corners of the lower edge, or above them; where it hides least of the nodes."""
        room, middle = self._canvas.rect(), self._canvas.rect().center().x()
        self._row.invalidate()
        self._row.activate()
        self.adjustSize()
        width = min(self.width(), room.width() - 24)
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        others = [w.geometry() for w in self._canvas.findChildren(QWidget, options=direct)
                  if w is not self and w.isVisible() and w.geometry().bottom() >= room.bottom() - EDGE - 4]
        left = max((g.right() for g in others if g.left() < middle), default=room.left())
        right = min((g.left() for g in others if g.left() >= middle), default=room.right())
        bottom = room.bottom() - EDGE
        if width > right - left - 2 * GAP:
            bottom = min((g.top() for g in others), default=bottom) - GAP
            left, right = room.left(), room.right()
        least, most = left + GAP, right - GAP - width
        size, top = QSize(width, self.height()), bottom - self.height() + 1
        nodes = self._nodes()

        def hidden(x: int) -> int:
            covered = (QRect(QPoint(x, top), size).intersected(node) for node in nodes)
            return sum(part.width() * part.height() for part in covered if not part.isEmpty())

        x = min(((least + most) // 2, most, least), key=hidden)
        self.setGeometry(QRect(QPoint(x, top), size))
        self.raise_()
