"""One cell of the matrix lab opened: its terms with the running sum, the engine's number, the curve."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from engine.explain import Explanation
from gui import i18n, theme, tokens
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.labs.chips import Chips
from gui.labs.curve_point import CurvePoint, Point
from gui.panels.explain_card import (
    FUNCTION_NAMES,
    deltas_of,
    describe,
    inputs_of,
    is_update,
)
from gui.panels.terms_view import TermsView, index_text, number_text

RULES = ("sum", "mean")


class StoryCard(QFrame):
    """`factor_clicked(value, cell)`: where a factor came from is asked for. `step_clicked(value)`."""

    factor_clicked = Signal(str, object)
    step_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.setObjectName("story_card")
        self.explanation: Explanation | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(10), theme.px(16), theme.px(10))
        column.setSpacing(theme.px(4))
        head = QHBoxLayout()
        head.setSpacing(theme.px(12))
        self._name = QLabel()
        self._name.setTextFormat(Qt.TextFormat.RichText)
        head.addWidget(self._name)
        self._text = QLabel()
        self._text.setProperty("role", "muted")
        self._text.setWordWrap(True)
        head.addWidget(self._text, 1)
        self._formula = FormulaView("", tokens.BASE)
        self._formula.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        head.addWidget(self._formula)
        column.addLayout(head)
        body = QHBoxLayout()
        body.setSpacing(theme.px(12))
        self._terms = TermsView(running=True)
        self._terms.factor_clicked.connect(self.factor_clicked)
        self._area = QScrollArea()
        self._area.setWidget(self._terms)
        self._area.setWidgetResizable(False)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFixedHeight(theme.px(132))
        self._area.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().setAutoFillBackground(False)
        self._terms.setAutoFillBackground(False)
        body.addWidget(self._area)
        self._equals = QLabel("=")
        self._equals.setProperty("role", "heading")
        body.addWidget(self._equals)
        result = QVBoxLayout()
        result.setSpacing(theme.px(2))
        self._figure = QLabel()
        self._figure.setObjectName("lab_result")
        self._figure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sums = QLabel()
        self._sums.setProperty("role", "caption")
        self._sums.setTextFormat(Qt.TextFormat.RichText)
        for label in (self._equals, self._figure, self._sums):
            label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        result.addStretch(1)
        result.addWidget(self._figure)
        result.addWidget(self._sums)
        result.addStretch(1)
        body.addLayout(result)
        body.addStretch(1)
        self._curve = CurvePoint()
        body.addWidget(self._curve, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(body)
        self._way = Chips()
        self._way.clicked.connect(self.step_clicked)
        column.addWidget(self._way)
        theme.changed.connect(self._dress)
        self.show_hint()

    def show_hint(self) -> None:
        """No cell is open."""
        self.explanation = None
        self._name.hide()
        self._text.setText(tr("Click any number to see where it comes from."))
        self._formula.set_formula("")
        for widget in (self._area, self._equals, self._figure, self._sums, self._curve, self._way):
            widget.hide()

    def show_story(self, symbol: str, explanation: Explanation, node: str, point: Point | None,
                   way: list[tuple[str, str]], called: Mapping[str, str], words: str = "") -> None:
        """Show how a cell came about. `symbol` is what its value is called on this page.

        `point` is its place on the curve of an activation function, `way` the chips (value, text) of its way
        back to the loss, `called` what the factors are called on this page,
        `words` say where the cell lies (else the engine's op does).
        """
        self.explanation = explanation
        self._dress()
        trace = theme.theme().trace
        self._name.show()
        self._name.setText(
            f'<span style="color:{trace};font-size:{theme.px(19)}px"><i>{small(symbol)}</i>'
            f'<sub style="font-size:{theme.px(12)}px">{close_index(explanation.cell)}</sub></span>'
        )
        self._text.setText(words or describe(explanation, node))
        terms = explanation.terms
        self._formula.set_formula(terms.note if terms is not None else "")
        for widget in (self._area, self._equals, self._sums):
            widget.setVisible(terms is not None)
        self._figure.show()
        self._figure.setText(number_text(explanation.number))
        if terms is not None:
            names = {**called, **inputs_of(explanation), **deltas_of(explanation)}
            factor = {"sgd": "−η"}.get(explanation.kind, tr("rate here")) if is_update(explanation) else ""
            self._terms.set_terms(terms, FUNCTION_NAMES.get(explanation.kind, "f"), names, factor)
            self._sums.setText(sums_text(explanation))
        self._curve.show_point(point)
        self._fit()
        self._way.set_chips(way)

    def _fit(self) -> None:
        """The terms take what the result and the curve leave; the result follows them closely."""
        rest = theme.px(120) + max(self._sums.sizeHint().width(), self._figure.sizeHint().width())
        rest += self._curve.width() if not self._curve.isHidden() else 0
        room = max(theme.px(240), self.width() - rest)
        self._terms.fit(room)
        self._area.setFixedWidth(min(room, self._terms.width() + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.explanation is not None:
            self._fit()

    def _dress(self) -> None:
        current = theme.theme()
        # on light ground the calculation is a dark line on yellow
        ground = current.tracebg if not current.is_dark else current.raised
        self._figure.setStyleSheet(
            f"border-radius: {theme.px(6)}px; font-family: '{theme.MONO_FAMILY}'; font-weight: 700;"
            f"color: {current.trace}; background: {ground}; border: 2px solid {current.trace};"
            f"padding: {theme.px(4)}px {theme.px(14)}px; font-size: {theme.px(22)}px;"
        )


def small(symbol: str) -> str:
    """The letter of one entry: z of Z, ∂L/∂w of ∂L/∂W."""
    head, slash, letter = symbol.rpartition("/∂")
    return symbol if symbol == "L" else head + slash + letter.lower()


def close_index(cell: tuple[int, ...]) -> str:
    """24 for row 2, column 4; with commas where that could be misread."""
    return index_text(cell).replace(",", "") if all(c < 9 for c in cell) else index_text(cell)


def sums_text(explanation: Explanation) -> str:
    """Sum of the terms, the engine's value and their difference."""
    terms = explanation.terms
    if terms is None:
        return ""
    named = {"sum": tr("sum of the terms"), "mean": tr("mean of the terms"), "max": tr("largest term"),
             "share": tr("share"), "function": tr("function")}  # fmt: skip
    rows = [
        (named.get(terms.rule, tr("sum of the terms")), i18n.short(terms.total, 7)),
        (tr("the engine's value"), i18n.short(terms.engine, 7)),
        (tr("difference"), i18n.short(terms.difference, 2)),
    ]
    body = "".join(
        f'<tr><td style="padding-right:8px">{name}</td><td align="right">{value}</td></tr>'
        for name, value in rows
    )
    return f"<table>{body}</table>"
