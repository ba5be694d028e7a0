"""How one cell came about, drawn: factors as colored cells, a product under each pair."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.ops.base import Term, Terms
from gui import i18n, theme, tokens
from gui.views.base import View
from gui.views.scale import Scale, scale_of

SHOWN = 24
"""Terms drawn one by one; of more, the largest are drawn and the rest is one sum."""
_ROW = 30
_POSITION = re.compile(r"(u|q|z|h|c|gates)(\d+)")
"""A value of one position of a recurrence: h3."""
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_WIDE, _NARROW = (60, 24, 4), (46, 18, 3)
"""Least width of a cell, gap between terms, decimals: with room, and where there is little."""


def symbol(value: str) -> str:
    """What a value is called in a formula: "dense1.weight@grad" is ∂L/∂W."""
    name = value.split(".", 1)[-1]
    base = name.split("@")[0].split("/")[0]
    letters = {"weight": "W", "bias": "b", "z": "Z", "a": "A", "y": "Y", "x": "X", "p": "P",
               "state_weight": "Wₕ", "state_bias": "bₕ", "out_weight": "W_O", "out_bias": "b_O"}  # fmt: skip
    place = _POSITION.fullmatch(base)
    letter = letters.get(base, base)
    if place is not None:
        letter = place[1].replace("gates", "G") + place[2].translate(_BELOW)
    return f"∂L/∂{letter}" if "@grad" in name else letter


def index_text(cell: tuple[int, ...]) -> str:
    """Indices from 1, as in a book: 2,4."""
    return ",".join(str(c + 1) for c in cell)


def role_of(value: str) -> str:
    """The ramp a factor is painted in."""
    if "@grad" in value and "~matrix" not in value:
        return "gradients"
    return "weights" if any(mark in value for mark in ("@old", "@new", "~matrix")) else "activations"


def _with_scale(term: Term) -> Term:
    """A product with what it is multiplied by as a factor: the scale of attention, the weight of a loss.

    A label that is a number, "0.25", or ends in one, "σ=0.25", is the weight itself, with its name.
    """
    product = math.prod(number for _, _, number in term.factors)
    name = {"scaled": "1/√d", "weight": "w"}.get(term.label, "")
    if not name:
        name, _, weight = term.label.rpartition("=")
        if len(term.factors) != 1 or not weight[-1:].isdigit():
            return term
        exact = term.value / product if product else float(weight)
        return replace(term, label="", factors=((name or "w", (), exact), *term.factors))
    if not product:
        return term
    return replace(term, label="", factors=((name, (), term.value / product), *term.factors))


class TermsView(View):
    """The factors as colored cells, a product under each pair, the sum in a yellow frame.

    With `running` the sum so far stands below each product. `factor_clicked(value, cell)`.
    """

    factor_clicked = Signal(str, object)

    def __init__(self, parent: QWidget | None = None, *, running: bool = False) -> None:
        super().__init__(parent)
        self._running = running
        self._places: list[tuple[QRectF, str, tuple[int, ...]]] = []
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._terms: list[Term] = []
        self._rest: tuple[int, float] | None = None
        self._all: Terms | None = None
        self._scales: dict[str, Scale] = {}
        self._cell_width, self._gap, self._decimals = _WIDE
        self._function = "f"
        self._factor = ""
        self._as_function = False
        self._names: Mapping[str, str] = {}

    def set_terms(
        self, terms: Terms, function: str = "f", names: Mapping[str, str] | None = None, factor: str = ""
    ) -> None:
        """Show how a cell came about; `function` names the rule where it is one, `names` the factors.

        `factor` names what an update multiplies the gradient by; the number follows from the step.
        """
        self._all, self._function, self._names = terms, function, names or {}
        self._factor = factor
        order = [self._with_slope(self._with_rate(_with_scale(term))) for term in terms.terms]
        self._as_function = terms.rule == "function" and order == list(terms.terms)
        if len(order) > SHOWN:
            keep = set(sorted(range(len(order)), key=lambda i: -abs(order[i].value))[: SHOWN - 1])
            keep |= {i for i, term in enumerate(order) if term.label}
            left = [term for i, term in enumerate(order) if i not in keep]
            self._terms = [term for i, term in enumerate(order) if i in keep]
            count, amount = terms.left_out
            self._rest = (count + len(left), amount + sum(term.value for term in left))
        else:
            self._terms, self._rest = order, None
        numbers: dict[str, list[float]] = {}
        for term in order:
            for value, cell, number in term.factors:
                if cell:
                    numbers.setdefault(role_of(value), []).append(number)
        self._scales = {}
        for role, found in numbers.items():
            signed = role != "activations" or min(found) < 0
            self._scales[role] = scale_of(np.array(found), "weights" if signed else role)
        self._space(_WIDE)
        self.setFixedSize(self.sizeHint())
        self.update()

    def _with_rate(self, term: Term) -> Term:
        """The step of an update as a product, as far as the gradient is not zero."""
        if term.label != "step" or not self._factor or len(term.factors) != 1 or not term.factors[0][2]:
            return term
        rate = (self._factor, (), term.value / term.factors[0][2])
        return replace(term, factors=(rate, *term.factors))

    def _with_slope(self, term: Term) -> Term:
        """The chain rule as a product: what comes back, times the slope of the function there."""
        if term.label != "derivative" or len(term.factors) != 2 or not term.factors[0][2]:
            return term
        back = term.factors[0]
        slope = (self._function, (), term.value / back[2])
        return replace(term, factors=(back, slope))

    def fit(self, room: int) -> None:
        """Draw closer together, with a decimal less, where `room` pixels would not do otherwise."""
        self._space(_WIDE)
        if self.sizeHint().width() > room:
            self._space(_NARROW)
        self.setFixedSize(self.sizeHint())
        self.update()

    def _space(self, wanted: tuple[int, int, int]) -> None:
        """Cells as wide as the widest number and head among them; nothing is cut off."""
        least, self._gap, self._decimals = wanted
        wide = float(theme.px(least))
        heads = QFontMetricsF(theme.ui_font(tokens.CAPTION))
        for term in self._terms:
            for value, cell, amount in term.factors:
                text = number_text(amount, self._decimals)
                number = QFontMetricsF(self._number_font(text)).horizontalAdvance(text) + theme.px(8)
                head = heads.horizontalAdvance(self._head(value, cell)) + theme.px(4)
                wide = max(wide, number, head)
        self._cell_width = math.ceil(wide)

    def _head(self, value: str, cell: tuple[int, ...]) -> str:
        if not cell:
            return value
        return f"{self._names.get(value, symbol(value))} {index_text(cell)}"

    @staticmethod
    def _number_font(text: str) -> QFont:
        size = tokens.BASE if len(text) <= 6 else tokens.STATUS if len(text) <= 7 else tokens.CAPTION
        return theme.mono_font(size, theme.MEDIUM)

    def sizeHint(self) -> QSize:
        if self._as_function and self._terms:
            count = len(self._terms[0].factors)
            wide = self._name_width() + count * (self._cell_width + theme.px(12)) + theme.px(28)
            return QSize(int(wide), theme.px(self._height))
        wide = theme.px(12) + sum(self._width(term) for term in self._terms)
        if self._rest is not None:
            wide += theme.px(120)
        return QSize(int(wide), theme.px(self._height))

    @property
    def _height(self) -> int:
        return 118 if self._running else 96

    def _width(self, term: Term) -> float:
        count = max(1, len(term.factors))
        return self._cell_width * count + theme.px(12) * (count - 1) + theme.px(self._gap)

    def paint(self, painter: QPainter) -> None:
        self._places = []
        if self._all is None:
            return
        x = float(theme.px(4))
        top = float(theme.px(20))
        if self._as_function and self._terms:
            self._paint_function(painter, self._terms[0], x, top)
            return
        sum_so_far = 0.0
        sign = "," if self._all.rule == "max" else "+"
        for number, term in enumerate(self._terms):
            if number:
                self._word(painter, sign, x - theme.px(self._gap - 2), top, theme.px(self._gap - 4))
            start, sum_so_far = x, sum_so_far + term.value
            x = self._paint_term(painter, term, x, top)
            if self._running and self._all.rule == "sum" and self._rest is None and number:
                text = "Σ " + number_text(sum_so_far, self._decimals)
                wide = x - theme.px(self._gap) - start
                self._caption(painter, text, start - 8, top + theme.px(_ROW + 46), wide + 16)
        if self._rest is not None:
            self._word(painter, sign, x - theme.px(self._gap - 2), top, theme.px(self._gap - 4))
            count, value = self._rest
            text = i18n.trn("{n} more term", "{n} more terms", count).format(n=i18n.integer(count))
            self._caption(painter, text, x, top + theme.px(18), theme.px(96))
            self._product(painter, value, x, top + theme.px(_ROW + 12), theme.px(96))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = next((p for p in self._places if p[0].contains(event.position())), None)
        if hit is not None and event.button() == Qt.MouseButton.LeftButton:
            self.factor_clicked.emit(hit[1], hit[2])
        else:
            super().mousePressEvent(event)

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
            self._cell(painter, value, amount, QRectF(x, top, self._cell_width, theme.px(_ROW)))
            self._places.append((QRectF(x, top, self._cell_width, theme.px(_ROW)), value, cell))
            self._caption(painter, self._head(value, cell), x, top - theme.px(5), self._cell_width)
            x += self._cell_width
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
            self._cell(painter, value, amount, QRectF(x, top, self._cell_width, theme.px(_ROW)), not cell)
            if cell:
                self._places.append((QRectF(x, top, self._cell_width, theme.px(_ROW)), value, cell))
            self._caption(painter, self._head(value, cell), x, top - theme.px(5), self._cell_width)
            x += self._cell_width
        if not term.factors:
            x += self._cell_width
        wide = x - start
        self._bracket(painter, start, wide, top + theme.px(_ROW + 3))
        self._product(painter, term.value, start, top + theme.px(_ROW + 12), wide)
        return x + theme.px(self._gap)

    def _cell(self, painter: QPainter, value: str, amount: float, rect: QRectF, plain: bool = False) -> None:
        text = number_text(amount, self._decimals)
        painter.setFont(self._number_font(text))
        if plain:
            painter.setPen(theme.color("text1"))  # no number of a matrix, so no color of one
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
            return
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
