"""One cell opened: its factors, products and sum, from the engine's own numbers.

The card lies over the lower edge of the canvas. Yellow is the calculation, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.explain import Explanation
from engine.graph import GraphSpec
from engine.ops.base import Term, Terms
from gui import i18n, icons, theme, tokens
from gui.formulas import FormulaView
from gui.i18n import tr
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


FUNCTION_NAMES = {
    "tanh": "tanh", "sigmoid": "σ", "relu": "max 0,", "leaky_relu": "LeakyReLU", "softmax": "softmax",
    "tanh_grad": "tanh′", "sigmoid_grad": "σ′", "relu_grad": "ReLU′",
}  # fmt: skip


class ExplainCard(QFrame):
    """`closed()` when it is sent away; `opened(value, cell)` when a factor's source is asked for."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("explain_card")
        self.setProperty("surface", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(10), theme.px(12), theme.px(10))
        column.setSpacing(theme.px(4))
        head = QHBoxLayout()
        head.setSpacing(theme.px(12))
        self._name = QLabel()
        self._name.setTextFormat(Qt.TextFormat.RichText)
        head.addWidget(self._name)
        self._text = QLabel()
        self._text.setProperty("role", "muted")
        head.addWidget(self._text, 1)
        self._formula = FormulaView("", tokens.BASE)
        self._formula.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        head.addWidget(self._formula)
        close = QToolButton()
        close.setIcon(icons.icon("close", "text2"))
        close.setIconSize(QSize(theme.px(14), theme.px(14)))
        close.setToolTip(tr("Close (Esc)"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.close_card)
        head.addWidget(close)
        column.addLayout(head)
        body = QHBoxLayout()
        body.setSpacing(theme.px(12))
        self._view = TermsView()
        self._area = QScrollArea()
        self._area.setWidget(self._view)
        self._area.setWidgetResizable(False)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFixedHeight(theme.px(108))
        # a scroll area paints its own ground otherwise, a shade off the card's
        self._area.viewport().setAutoFillBackground(False)
        self._view.setAutoFillBackground(False)
        body.addWidget(self._area, 1)
        self._equals = QLabel("=")
        self._equals.setProperty("role", "heading")
        body.addWidget(self._equals)
        result = QVBoxLayout()
        result.setSpacing(theme.px(4))
        self._sum = QLabel()
        self._sum.setProperty("role", "caption")
        self._sum.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._figure = QLabel()
        self._figure.setObjectName("explain_result")
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._check = QLabel()
        self._check.setProperty("role", "caption")
        self._check.setAlignment(Qt.AlignmentFlag.AlignCenter)
        result.addStretch(1)
        for label in (self._sum, self._figure, self._check):
            result.addWidget(label)
        result.addStretch(1)
        body.addLayout(result)
        self._arrow = QLabel()
        self._arrow.setProperty("role", "muted")
        body.addWidget(self._arrow)
        self._after = QLabel()
        body.addWidget(self._after, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(body)
        self.explanation: Explanation | None = None
        self._on_after = False
        theme.changed.connect(self._dress)
        self._dress()
        self.hide()

    def show_explanation(
        self, explanation: Explanation, graph: GraphSpec, after: Explanation | None = None, opened: str = ""
    ) -> None:
        """Show how a cell came about and, with `after`, what the activation function made of it.

        `opened` is the value that was clicked, where it is not the explained one (A instead of Z).
        """
        self.explanation = explanation
        shown = after if after is not None and after.value == opened else explanation
        node = graph.node(explanation.node).name if graph.has(explanation.node) else explanation.node
        sign = symbol(shown.value)
        trace = theme.theme().trace
        self._name.setText(
            f'<span style="color:{trace};font-size:{theme.px(17)}px">{sign}'
            f'<span style="font-size:{theme.px(12)}px"> {index_text(explanation.cell)}</span></span>'
        )
        self._text.setText(describe(explanation, node))
        terms = explanation.terms
        self._formula.set_formula(terms.note if terms is not None else "")
        self._area.setVisible(terms is not None)
        self._equals.setVisible(terms is not None)
        self._figure.setText(number_text(explanation.number))
        self._after.setVisible(after is not None)
        self._arrow.setVisible(after is not None)
        if after is not None:
            self._arrow.setText(f"→  {FUNCTION_NAMES.get(after.kind, after.kind)}  =")
            self._after.setText(number_text(after.number))
        self._on_after = shown is after
        self._dress()
        self._check.setText("")
        self._sum.setText("")
        if terms is not None:
            self._view.set_terms(terms, FUNCTION_NAMES.get(explanation.kind, "f"), inputs_of(explanation))
            products = [term.value for term in terms.terms if term.label != "bias"]
            if terms.rule == "sum" and len(products) < len(terms.terms):
                text = tr("sum of products") + "\n" + number_text(sum(products))
                self._sum.setText(text)
            off = abs(terms.difference)
            # float32 keeps about seven digits; the engine's sum may differ in the last ones
            if off > 1e-4 * max(1.0, abs(terms.engine)):
                self._check.setText(tr("differs by {n}").format(n=i18n.short(off)))
        self.settle()
        self.show()
        self.raise_()
        self.setFocus()

    def settle(self) -> None:
        """Take the lower edge of the canvas."""
        host = self.parentWidget()
        if host is None:
            return
        margin = theme.px(12)
        most = min(host.width() - 2 * margin, theme.px(1100))
        shown = (self._equals, self._figure, self._arrow, self._after)
        rest = theme.px(110) + sum(max(w.sizeHint().width(), 0) for w in shown if not w.isHidden())
        self._view.fit(most - rest)
        wanted = self._view.width() + rest if not self._area.isHidden() else theme.px(420)
        wide = min(most, max(wanted, theme.px(640)))
        self._formula.setVisible(wide >= theme.px(560))
        self.setFixedWidth(wide)
        self.adjustSize()
        self.move((host.width() - wide) // 2, host.height() - self.height() - margin)

    def close_card(self) -> None:
        """Send it away."""
        if not self.isHidden():
            self.hide()
            self.explanation = None
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        current = theme.theme()
        # on light ground the calculation is a dark line on yellow
        ground = current.tracebg if not current.is_dark else current.raised
        ink = current.trace
        common = f"border-radius: {theme.px(6)}px; font-family: '{theme.MONO_FAMILY}'; font-weight: 700;"
        framed = (
            f"{common} color: {ink}; background: {ground}; border: 2px solid {ink};"
            f"padding: {theme.px(4)}px {theme.px(14)}px; font-size: {theme.px(20)}px;"
        )
        plain = f"{common} color: {current.text1}; padding: {theme.px(4)}px; font-size: {theme.px(17)}px;"
        self._figure.setStyleSheet(plain if self._on_after else framed)
        self._after.setStyleSheet(framed if self._on_after else plain)
        if self.explanation is not None:
            self._view.update()


def inputs_of(explanation: Explanation) -> dict[str, str]:
    """What comes into a layer is X in its formula, whatever it is called where it comes from."""
    if not explanation.kind.startswith(("dense", "conv")):
        return {}
    others = ("@old", "@new", "@grad")
    return {value: "X" for value in explanation.ins if not any(mark in value for mark in others)}


def describe(explanation: Explanation, node: str) -> str:
    """One line: which row meets which column."""
    cell = explanation.cell
    row = cell[0] + 1
    column = cell[-1] + 1
    what = {
        "dense": tr("{node}, example {column}: row {row} of W times column {column} of X, plus bias {row}"),
        "dense_dw": tr("{node}: row {row} of ∂L/∂Z times row {column} of X, over the batch"),
        "dense_dx": tr("{node}: column {row} of W times column {column} of ∂L/∂Z"),
        "sum_samples": tr("{node}: row {row} of ∂L/∂Z, added up over the batch"),
    }
    template = what.get(explanation.kind)
    if template is None:
        if explanation.kind in ("input", "parameter"):
            template = tr("{node}: the number before this step, changed only by the update")
        elif explanation.terms is not None and explanation.terms.rule == "function":
            template = tr("{node}, example {column}, neuron {row}: the function of one number")
        else:
            template = tr("{node}, place {place}")
        if explanation.kind in ("sgd", "momentum", "rmsprop", "adam"):
            template = tr("{node}: the weight before this step, and what the update adds to it")
    return template.format(node=node, row=row, column=column, place=index_text(cell))
