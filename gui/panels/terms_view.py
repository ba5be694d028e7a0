"""How one cell came about, drawn: factors as colored cells, a product under each pair."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.ops.base import Term, Terms
from gui import i18n, theme, tokens
from gui.views.base import View
from gui.views.scale import Scale, scale_of

SHOWN = 24
"""Terms drawn one by one; of more, the largest are drawn and the rest is one sum."""
_ROW = 30
_WIDE, _NARROW = (60, 24, 4), (46, 18, 3)
"""Width of a cell, gap between terms, decimals: with room, and where there is little."""


def symbol(value: str) -> str:
    """What a value is called in a formula: "dense1.weight@grad" is ∂L/∂W."""
    name = value.split(".", 1)[-1]
    base = name.split("@")[0].split("/")[0]
    letters = {"weight": "W", "bias": "b", "z": "Z", "a": "A", "y": "Y", "x": "X", "p": "P"}
    letter = letters.get(base, base)
    return f"∂L/∂{letter}" if "@grad" in name else letter


def index_text(cell: tuple[int, ...]) -> str:
    """Indices from 1, as in a book: 2,4."""
    return ",".join(str(c + 1) for c in cell)


def role_of(value: str) -> str:
    """The ramp a factor is painted in."""
    if "@grad" in value:
        return "gradients"
    return "weights" if "@old" in value or "@new" in value else "activations"


class TermsView(View):
    """The factors as colored cells, a product under each pair, the sum in a yellow frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._terms: list[Term] = []
        self._rest: tuple[int, float] | None = None
        self._all: Terms | None = None
        self._scales: dict[str, Scale] = {}
        self._cell_width, self._gap, self._decimals = _WIDE
        self._function = "f"
        self._names: Mapping[str, str] = {}

    def set_terms(self, terms: Terms, function: str = "f", names: Mapping[str, str] | None = None) -> None:
        """Show how a cell came about; `function` names the rule where it is one, `names` the factors."""
        self._all, self._function, self._names = terms, function, names or {}
        order = list(terms.terms)
        if len(order) > SHOWN:
            keep = set(sorted(range(len(order)), key=lambda i: -abs(order[i].value))[: SHOWN - 1])
            keep |= {i for i, term in enumerate(order) if term.label}
            left = [term for i, term in enumerate(order) if i not in keep]
            self._terms = [term for i, term in enumerate(order) if i in keep]
            self._rest = (len(left), sum(term.value for term in left))
        else:
            self._terms, self._rest = order, None
        numbers: dict[str, list[float]] = {}
        for term in order:
            for value, _, number in term.factors:
                numbers.setdefault(role_of(value), []).append(number)
        self._scales = {}
        for role, found in numbers.items():
            signed = role != "activations" or min(found) < 0
            self._scales[role] = scale_of(np.array(found), "weights" if signed else role)
        self.setFixedSize(self.sizeHint())
        self.update()

    def fit(self, room: int) -> None:
        """Draw closer together, with a decimal less, where `room` pixels would not do otherwise."""
        self._cell_width, self._gap, self._decimals = _WIDE
        if self.sizeHint().width() > room:
            self._cell_width, self._gap, self._decimals = _NARROW
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        if self._all is not None and self._all.rule == "function" and self._terms:
            count = len(self._terms[0].factors)
            wide = self._name_width() + count * theme.px(self._cell_width + 12) + theme.px(28)
            return QSize(int(wide), theme.px(96))
        wide = theme.px(12) + sum(self._width(term) for term in self._terms)
        if self._rest is not None:
            wide += theme.px(120)
        return QSize(int(wide), theme.px(96))

    def _width(self, term: Term) -> float:
        count = max(1, len(term.factors))
        return theme.px(self._cell_width) * count + theme.px(12) * (count - 1) + theme.px(self._gap)

    def paint(self, painter: QPainter) -> None:
        if self._all is None:
            return
        x = float(theme.px(4))
        top = float(theme.px(20))
        if self._all.rule == "function" and self._terms:
            self._paint_function(painter, self._terms[0], x, top)
            return
        for number, term in enumerate(self._terms):
            if number:
                self._word(painter, "+", x - theme.px(self._gap - 2), top, theme.px(self._gap - 4))
            x = self._paint_term(painter, term, x, top)
        if self._rest is not None:
            self._word(painter, "+", x - theme.px(self._gap - 2), top, theme.px(self._gap - 4))
            count, value = self._rest
            text = i18n.trn("{n} more term", "{n} more terms", count).format(n=i18n.integer(count))
            self._caption(painter, text, x, top + theme.px(18), theme.px(96))
            self._product(painter, value, x, top + theme.px(_ROW + 12), theme.px(96))

    def _paint_function(self, painter: QPainter, term: Term, x: float, top: float) -> None:
        """tanh ( z ): the name, and in parentheses the numbers it is made of."""
        wide = self._name_width()
        painter.setFont(theme.ui_font(tokens.TITLE, theme.MEDIUM))
        painter.setPen(theme.color("text1"))
        room = QRectF(x, top, wide, theme.px(_ROW))
        painter.drawText(
            room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{self._function} ("
        )
        x += wide + theme.px(6)
        for number, (value, cell, amount) in enumerate(term.factors):
            if number:
                self._word(painter, ",", x, top, theme.px(12))
                x += theme.px(12)
            self._cell(painter, value, amount, QRectF(x, top, theme.px(self._cell_width), theme.px(_ROW)))
            self._caption(
                painter,
                f"{self._names.get(value, symbol(value))} {index_text(cell)}",
                x,
                top - theme.px(5),
                theme.px(self._cell_width),
            )
            x += theme.px(self._cell_width)
        self._word(painter, ")", x, top, theme.px(16))

    def _name_width(self) -> float:
        metrics = QFontMetricsF(theme.ui_font(tokens.TITLE, theme.MEDIUM))
        return float(metrics.horizontalAdvance(f"{self._function} (")) + 4

    def _paint_term(self, painter: QPainter, term: Term, x: float, top: float) -> float:
        start = x
        for number, (value, cell, amount) in enumerate(term.factors):
            if number:
                self._word(painter, "·", x, top, theme.px(12))
                x += theme.px(12)
            self._cell(painter, value, amount, QRectF(x, top, theme.px(self._cell_width), theme.px(_ROW)))
            head = f"{self._names.get(value, symbol(value))} {index_text(cell)}"
            self._caption(painter, head, x, top - theme.px(5), theme.px(self._cell_width))
            x += theme.px(self._cell_width)
        if not term.factors:
            x += theme.px(self._cell_width)
        wide = x - start
        self._bracket(painter, start, wide, top + theme.px(_ROW + 3))
        self._product(painter, term.value, start, top + theme.px(_ROW + 12), wide)
        return x + theme.px(self._gap)

    def _cell(self, painter: QPainter, value: str, amount: float, rect: QRectF) -> None:
        role = role_of(value)
        scale = self._scales[role]
        ramp = role if role != "activations" or not scale.signed else "weights"
        r, g, b = (int(v) for v in theme.lut(ramp)[int(scale.indices(np.array([amount]))[0])])
        ground = QColor(r, g, b)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setPen(QColor(tokens.ink_on(ground.name())))
        text = number_text(amount, self._decimals)
        size = tokens.BASE if len(text) <= 6 else tokens.STATUS if len(text) <= 7 else tokens.CAPTION
        painter.setFont(theme.mono_font(size, theme.MEDIUM))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)

    def _bracket(self, painter: QPainter, x: float, wide: float, y: float) -> None:
        painter.setPen(QPen(theme.color("link"), 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawLine(QPointF(x, y), QPointF(x, y + 4))
        painter.drawLine(QPointF(x + wide, y), QPointF(x + wide, y + 4))
        painter.drawLine(QPointF(x, y + 4), QPointF(x + wide, y + 4))

    def _product(self, painter: QPainter, value: float, x: float, y: float, wide: float) -> None:
        painter.setFont(theme.mono_font(tokens.BASE))
        painter.setPen(theme.color("text1"))
        room = QRectF(x - 8, y, wide + 16, theme.px(22))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, number_text(value, self._decimals, sign=True))

    def _word(self, painter: QPainter, text: str, x: float, top: float, wide: float) -> None:
        painter.setFont(theme.ui_font(tokens.TITLE))
        painter.setPen(theme.color("text2"))
        painter.drawText(QRectF(x, top, wide, theme.px(_ROW)), Qt.AlignmentFlag.AlignCenter, text)

    def _caption(self, painter: QPainter, text: str, x: float, base: float, wide: float) -> None:
        font = theme.ui_font(tokens.CAPTION)
        painter.setFont(font)
        painter.setPen(theme.color("text3"))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, wide)
        offset = (wide - QFontMetricsF(font).horizontalAdvance(shown)) / 2
        painter.drawText(QPointF(x + offset, base), shown)


def number_text(value: float, decimals: int = 4, *, sign: bool = False) -> str:
    """Fixed decimals, or a power of ten where they would show nothing."""
    if value == 0 or 10.0 ** (1 - decimals) <= abs(value) < 1e5:
        return i18n.number(value, decimals, sign=sign)
    text = i18n.short(value, max(2, decimals - 1))
    return "+" + text if sign and value > 0 else text
