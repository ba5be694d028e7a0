"""One cell opened: its factors, products and sum, from the engine's own numbers.

The card lies over the lower edge of the canvas. Yellow is the calculation, as everywhere.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
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
from engine.ops.base import Terms
from engine.ops.functions import FUNCTIONS
from engine.ops.updates import LOCKED_NOTE
from engine.settings import OPTIMIZER_CHOICES
from gui import i18n, icons, theme, tokens
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.panels.terms_view import TermsView, index_text, number_text, symbol

FUNCTION_NAMES = {
    **{kind: f.name for kind, f in FUNCTIONS.items()},
    **{f"{kind}_grad": "ReLU′" if kind == "relu" else f"{f.name}′" for kind, f in FUNCTIONS.items()},
    "softmax": "softmax",
}
"""An op that is a function of one number, in plain letters."""


class ExplainCard(QFrame):
    """`closed()` when it is sent away; `opened(value, cell)` when a factor's source is asked for."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("explain_card")
        self.setProperty("surface", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clear_of: tuple[QWidget, ...] = ()
        """Widgets in the corners of the canvas that it does not cover."""
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
            names = {**inputs_of(explanation), **deltas_of(explanation)}
            factor = {"sgd": "−η"}.get(explanation.kind, tr("rate here")) if is_update(explanation) else ""
            self._view.set_terms(terms, FUNCTION_NAMES.get(explanation.kind, "f"), names, factor)
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
        """Take the lower edge of the canvas, clear of what floats there."""
        host = self.parentWidget()
        if host is None:
            return
        margin = theme.px(12)
        most = min(host.width() - 2 * margin, theme.px(1100))
        rest = 0
        # where there is no room for all the sum goes (the products stand under their factors), then size
        for summed, small in ((True, False), (False, False), (False, True)):
            self._sum.setVisible(summed and bool(self._sum.text()))
            self._dress(small)
            rest = self._rest_width()
            self._view.fit(most - rest)
            if self._view.width() <= most - rest:
                break
        wanted = self._view.width() + rest if not self._area.isHidden() else theme.px(420)
        head, formula = self._head_width(), self._formula.sizeHint().width()
        wide = min(most, max(wanted, theme.px(640), head + formula))
        self._formula.setVisible(wide - head >= 0.7 * formula)  # smaller it cannot be read
        self.setFixedWidth(wide)
        self.adjustSize()
        left, top = (host.width() - wide) // 2, host.height() - self.height() - margin
        place = QRect(left, top, wide, self.height())
        corners = [QRect(w.mapTo(host, QPoint()), w.size()) for w in self.clear_of if w.isVisible()]
        covered = [corner.top() for corner in corners if corner.intersects(place)]
        # above what floats in the corners, where there is room for that
        above = min(covered, default=0) - theme.px(8) - self.height()
        self.move(left, above if covered and above >= margin else top)

    def _head_width(self) -> int:
        """Of the first line without the formula."""
        return theme.px(90) + self._name.sizeHint().width() + self._text.sizeHint().width()

    def _rest_width(self) -> int:
        """Of all but the terms: margins, the result with what stands above it, the function, its result."""
        column = max(w.sizeHint().width() for w in (self._figure, self._sum, self._check) if not w.isHidden())
        others = (self._equals, self._arrow, self._after)
        return theme.px(124) + column + sum(w.sizeHint().width() for w in others if not w.isHidden())

    def close_card(self) -> None:
        """Send it away."""
        if not self.isHidden():
            if (within := self.focusWidget()) is not None:
                within.clearFocus()  # else the next button in the order would have it, and Space press that
            self.hide()
            self.explanation = None
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        else:
            super().keyPressEvent(event)

    def _dress(self, small: bool = False) -> None:
        current = theme.theme()
        # on light ground the calculation is a dark line on yellow
        ground = current.tracebg if not current.is_dark else current.raised
        ink = current.trace
        common = f"border-radius: {theme.px(6)}px; font-family: '{theme.MONO_FAMILY}'; font-weight: 700;"
        framed = (
            f"{common} color: {ink}; background: {ground}; border: 2px solid {ink};"
            f"padding: {theme.px(4)}px {theme.px(6 if small else 14)}px;"
            f"font-size: {theme.px(16 if small else 20)}px;"
        )
        plain = (
            f"{common} color: {current.text1}; padding: {theme.px(2 if small else 4)}px;"
            f"font-size: {theme.px(14 if small else 17)}px;"
        )
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


def deltas_of(explanation: Explanation) -> dict[str, str]:
    """∂L/∂Z is δ in the formulas of the way back, and so above its numbers."""
    return {value: "δ" for value in explanation.ins if value.endswith(".z@grad")}


def is_update(explanation: Explanation) -> bool:
    """Whether the number is a weight that a step has changed."""
    return explanation.kind in dict(OPTIMIZER_CHOICES)


def describe(explanation: Explanation, node: str) -> str:
    """One line: which row meets which column."""
    cell = explanation.cell
    row, column = (cell[0] + 1, cell[-1] + 1) if cell else (1, 1)
    what = {
        "dense": tr("{node}, example {column}: row {row} of W times column {column} of X, plus bias {row}"),
        "dense_dw": tr("{node}: row {row} of δ = ∂L/∂Z times row {column} of X, over the batch"),
        "dense_dx": tr("{node}: column {row} of W times column {column} of δ = ∂L/∂Z"),
        "sum_samples": tr("{node}: row {row} of δ = ∂L/∂Z, added up over the batch"),
    }
    template = what.get(explanation.kind)
    if template is None:
        if explanation.kind in ("input", "parameter"):
            template = tr("{node}: the number before this step, changed only by the update")
        elif explanation.terms is not None and any(t.label == "derivative" for t in explanation.terms.terms):
            template = tr("{node}, example {column}, neuron {row}: what comes back, times the slope there")
        elif explanation.terms is not None and explanation.terms.rule == "function":
            template = function_of(explanation.terms)
        else:
            template = places_of(explanation)
        if is_update(explanation):
            template = tr("{node}: the weight before this step, and what the update adds to it")
            if explanation.terms is not None and explanation.terms.note == LOCKED_NOTE:
                template = tr("{node}: this weight is locked, the update leaves it as it is")
    picture = len(cell) == 4
    at = cell[2:] if kernel(explanation) else cell[1:3]
    down, across = (at[0] + 1, at[1] + 1) if picture else (1, 1)
    channel = cell[1] + 1 if len(cell) > 2 else 1
    return template.format(
        node=node, row=row, column=column, place=index_text(cell), down=down, across=across, channel=channel
    )


def function_of(terms: Terms) -> str:
    """The line about a cell that is a function of others of its place, or one of them unchanged."""
    if terms.note == "y = x":
        return tr("{node}, example {column}, neuron {row}: a number handed on unchanged")
    if sum(len(term.factors) for term in terms.terms) > 1:
        return tr("{node}, example {column}, neuron {row}: a function of these numbers")
    return tr("{node}, example {column}, neuron {row}: the function of one number")


def kernel(explanation: Explanation) -> bool:
    """Whether a cell of four indices lies in a kernel, not in a map."""
    return len(explanation.cell) == 4 and explanation.kind in ("conv2d_dw", "conv_transpose2d_dw")


def places_of(explanation: Explanation) -> str:
    """Where a cell lies that is neither of a product nor of a function."""
    if kernel(explanation):
        if explanation.kind == "conv_transpose2d_dw":
            return tr("{node}, channel {row}, map {channel}: row {down}, column {across} of the kernel")
        return tr("{node}, filter {row}, channel {channel}: row {down}, column {across} of the kernel")
    if len(explanation.cell) == 3 and explanation.kind.startswith("conv1d"):
        if explanation.kind.endswith("_dw"):
            return tr("{node}, filter {row}: cell {column} of the kernel for feature {channel}")
        return tr("{node}, example {column}, feature {row}: position {channel}")
    if len(explanation.cell) == 4:
        return tr("{node}, example {column}, map {row}: row {down}, column {across}")
    return tr("{node}, place {place}")
