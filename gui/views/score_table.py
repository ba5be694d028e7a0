"""A table of numbers: a name and some columns for each line, the last line may sum up."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme, tokens
from gui.views.base import View

Line = tuple[str, tuple[str, ...]]
ROW = 26
NUMBER_WIDTH, NAMES, MARGIN = 92, 64, 10


class ScoreTable(View):
    """As high as its lines; stands in a scroll area."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._heads: tuple[str, ...] = ("",)
        self._lines: tuple[Line, ...] = ()
        self._summed = False

    def set_lines(self, heads: Sequence[str], lines: Sequence[Line], summed: bool = False) -> None:
        """`heads` of the names and of each column; `summed`: the last line is about all others."""
        self._heads, self._lines, self._summed = tuple(heads), tuple(lines), summed
        rows = [f"{name}: {', '.join(f'{h} {n}' for h, n in zip(heads[1:], numbers, strict=True))}"
                for name, numbers in lines]  # fmt: skip
        self.setAccessibleName("; ".join(rows[:50]))
        self.setFixedHeight(theme.px(ROW) * (len(self._lines) + 1))
        self.update()

    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def sizeHint(self) -> QSize:
        return QSize(theme.px(160 + NUMBER_WIDTH * (len(self._heads) - 1)), self.height())

    def restyle(self) -> None:
        self.setFixedHeight(theme.px(ROW) * (len(self._lines) + 1))

    def _column(self) -> int:
        """Wide enough for heads and numbers; in a narrow table the names keep some room."""
        heads, digits = (QFontMetricsF(f(tokens.STATUS)) for f in (theme.ui_font, theme.mono_font))
        widest = max((heads.horizontalAdvance(h) for h in self._heads[1:]), default=0.0)
        longest = max((len(n) for _, numbers in self._lines for n in numbers), default=0)
        needed = max(widest, longest * digits.horizontalAdvance("0") * tokens.BASE / tokens.STATUS)
        wanted = max(theme.px(NUMBER_WIDTH), needed + theme.px(16))
        room = (self.width() - theme.px(NAMES + MARGIN)) / max(1, len(self._heads) - 1)
        return int(max(needed + theme.px(6), min(wanted, room)))

    def paint(self, painter: QPainter) -> None:
        row, column = theme.px(ROW), self._column()
        count = len(self._heads) - 1
        names = self.width() - theme.px(MARGIN) - count * column
        painter.setFont(theme.ui_font(tokens.STATUS))
        painter.setPen(theme.color("text2"))
        self._line(painter, 0, self._heads[0], self._heads[1:], names, column, plain=True)
        painter.fillRect(QRectF(0, row - 1, self.width(), 1), theme.color("border"))
        for i, (name, numbers) in enumerate(self._lines, 1):
            last = self._summed and i == len(self._lines)
            if last:
                painter.fillRect(QRectF(0, i * row, self.width(), 1), theme.color("border"))
            painter.setPen(theme.color("text1"))
            self._line(painter, i * row, name, numbers, names, column, strong=last)

    def _line(self, painter: QPainter, top: float, name: str, numbers: Sequence[str], names: int,
              column: int, plain: bool = False, strong: bool = False) -> None:  # fmt: skip
        row = theme.px(ROW)
        if not plain:
            painter.setFont(theme.ui_font(tokens.BASE, theme.SEMIBOLD if strong else theme.REGULAR))
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, names - theme.px(8))
        painter.drawText(QRectF(0, top, names, row), int(Qt.AlignmentFlag.AlignVCenter), text)
        if not plain:
            painter.setFont(theme.mono_font(tokens.BASE))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        for i, number in enumerate(numbers):
            painter.drawText(QRectF(names + i * column, top, column, row), right, number)
