"""The steps of one layer as a list: a number, the formula, a few words; the one shown in yellow."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.values import Phase
from gui import theme, tokens
from gui.formulas import formula_size, paint_formula
from gui.i18n import tr
from gui.labs.equation import Equation
from gui.views.base import View

ROW, HEAD = 50, 34


def part_of(phase: Phase) -> str:
    """The third of a step a phase belongs to, in words."""
    if phase in (Phase.AUGMENT, Phase.FORWARD, Phase.LOSS):
        return tr("Forward")
    return tr("Update") if phase in (Phase.CLIP, Phase.UPDATE) else tr("Backward")


class Rail(View):
    """`chosen(index)`."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._equations: list[Equation] = []
        self._at = 0
        self._hover = -1
        self._rows: list[QRectF] = []
        self.setMouseTracking(True)

    def set_equations(self, equations: Sequence[Equation], at: int) -> None:
        """The steps and which one is shown."""
        self._equations, self._at = list(equations), at
        self._place()

    def row_rect(self, index: int) -> QRectF:
        """Where a step stands."""
        return self._rows[index]

    def _place(self) -> None:
        y, before = 0.0, ""
        self._rows = []
        for equation in self._equations:
            head = part_of(equation.phase)
            if head != before:
                y += theme.px(HEAD)
                before = head
            self._rows.append(QRectF(0, y, 0, theme.px(ROW)))
            y += theme.px(ROW)
        self.setFixedHeight(int(y) + theme.px(8))
        self.setAccessibleName(self._equations[self._at].title if self._equations else "")
        self.update()

    def restyle(self) -> None:
        self._place()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), self.height())

    def paint(self, painter: QPainter) -> None:
        before = ""
        trace = theme.color("trace")
        for index, (equation, rect) in enumerate(zip(self._equations, self._rows, strict=True)):
            row = QRectF(0, rect.top(), self.width(), rect.height())
            head = part_of(equation.phase)
            if head != before:
                before = head
                painter.setFont(theme.ui_font(tokens.CAPTION, theme.SEMIBOLD))
                painter.setPen(theme.color("text3"))
                place = QRectF(theme.px(16), row.top() - theme.px(HEAD), row.width(), theme.px(HEAD - 6))
                painter.drawText(place, int(Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft), head)
            here = index == self._at
            if here:
                painter.fillRect(row, theme.color("tracebg"))
                painter.fillRect(QRectF(0, row.top(), theme.px(4), row.height()), trace)
            elif index == self._hover:
                painter.fillRect(row, theme.color("raised"))
            center = QPointF(theme.px(27), row.center().y())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(trace if here else theme.color("border"), 1.5 if here else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = theme.px(11)
            painter.drawEllipse(center, radius, radius)
            painter.setFont(theme.ui_font(tokens.CAPTION))
            ink = "text1" if here else "text2"
            painter.setPen(theme.color(ink))
            painter.drawText(QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius),
                             Qt.AlignmentFlag.AlignCenter, str(index + 1))
            x = theme.px(48)
            room = row.width() - x - theme.px(8)
            size = formula_size(equation.title, 13)
            wide = min(size.width(), room)
            words = bool(equation.words)
            top = row.top() + theme.px(5 if words else 0)
            high = theme.px(24) if words else row.height()
            paint_formula(painter, equation.title, QRectF(x, top, wide, high), 13, ink)
            painter.setPen(theme.color("text2" if here else "text3"))
            text = painter.fontMetrics().elidedText(equation.words, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(QRectF(x, row.top() + theme.px(29), room, theme.px(16)),
                             int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)

    def _index_at(self, y: float) -> int:
        return next((i for i, r in enumerate(self._rows) if r.top() <= y < r.bottom()), -1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hover = self._index_at(event.position().y())
        if hover != self._hover:
            self._hover = hover
            self.setToolTip(self._equations[hover].words if hover >= 0 else "")
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._index_at(event.position().y())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(index)
