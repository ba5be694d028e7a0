"""The product of the steps, its inverse, and the same steps in the other order beside it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine import affine
from gui import i18n, theme
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.labs.affine_matrix import MatrixFace
from gui.labs.affine_state import AffineState, Point
from gui.labs.affine_text import point_text


def latex(letters: str) -> str:
    """ "T R S" as a product."""
    return letters.replace(" ", r" \cdot ")


class ProductPanel(QWidget):
    """`other_shown(bool)`: whether the frame of the other order is wanted in the plane."""

    other_shown = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(8))
        self.card = QFrame()
        self.card.setObjectName("affine_product")
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(theme.px(12), theme.px(6), theme.px(12), theme.px(8))
        inside.setSpacing(theme.px(2))
        self._formula = FormulaView("", 17)
        inside.addLayout(_line(self._formula, tr("one matrix does all of it")))
        self.face = MatrixFace(15)
        inside.addWidget(self.face)
        column.addWidget(self.card)
        back = QVBoxLayout()
        back.setContentsMargins(theme.px(12), 0, theme.px(12), 0)
        back.setSpacing(theme.px(2))
        beside = QHBoxLayout()
        beside.setSpacing(theme.px(8))
        formula = FormulaView("M^{-1}", 17)
        formula.setFixedWidth(theme.px(48))
        beside.addWidget(formula)
        self.inverse = MatrixFace(13)
        beside.addWidget(self.inverse)
        words = QLabel(tr("asks where each new pixel comes from"))
        words.setProperty("role", "status")
        words.setWordWrap(True)
        beside.addWidget(words, 1)
        back.addLayout(beside)
        self._reason = QLabel()
        self._reason.setProperty("role", "problem")
        self._reason.setWordWrap(True)
        self._reason.hide()
        back.addWidget(self._reason)
        column.addLayout(back)
        rule = QFrame()
        rule.setProperty("surface", "line")
        column.addWidget(rule)
        orders = QVBoxLayout()
        orders.setContentsMargins(theme.px(12), 0, theme.px(12), 0)
        orders.setSpacing(theme.px(4))
        self._check = QCheckBox(tr("Other order in the picture"))
        self._check.toggled.connect(self.other_shown)
        title = QHBoxLayout()
        head = QLabel(tr("A·B is not B·A"))
        head.setProperty("role", "title")
        title.addWidget(head)
        title.addStretch(1)
        title.addWidget(self._check)
        orders.addLayout(title)
        pair = QHBoxLayout()
        pair.setSpacing(theme.px(8))
        self._names = FormulaView("", 13), FormulaView("", 13)
        self.sides = MatrixFace(11), MatrixFace(11)
        for name, face in zip(self._names, self.sides, strict=True):
            face.decimals = 2
            part = QVBoxLayout()
            part.setSpacing(0)
            part.addWidget(name)
            part.addWidget(face)
            pair.addLayout(part)
        pair.addStretch(1)
        orders.addLayout(pair)
        self.facts = QLabel()
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setWordWrap(True)
        orders.addWidget(self.facts)
        column.addLayout(orders)
        self._written = ("", "")
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        t = theme.theme()
        color = theme.kind_color("transform").name()
        self.card.setStyleSheet(
            f"QFrame#affine_product {{ background: {t.raised}; border: 1px solid {color};"
            f" border-radius: {theme.px(10)}px; }}"
        )

    def show_state(self, state: AffineState, points: tuple[tuple[str, Point], ...], reason: str) -> None:
        """Show all of it; `reason` says why there is no inverse."""
        m, other = state.matrix(), state.other()
        forth, back = latex(state.letters()), latex(state.letters(backwards=True))
        if (forth, back) != self._written:  # typesetting is not for every frame
            self._written = (forth, back)
            self._formula.set_formula(f"M = {forth}")
            for name, text in zip(self._names, self._written, strict=True):
                name.set_formula(text)
        self.face.set_matrix(m)
        self.inverse.set_matrix(None if reason else affine.inverse(m))
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        differs = ~np.isclose(m, other, atol=5e-3)
        for face, matrix in zip(self.sides, (m, other), strict=True):
            face.set_matrix(matrix, differs)
        self.facts.setText(self._told(m, other, bool(differs.any()), points))

    def _told(
        self, m: np.ndarray, other: np.ndarray, differs: bool, points: tuple[tuple[str, Point], ...]
    ) -> str:
        t = theme.theme()

        def mono(text: str) -> str:
            return f"<span style='font-family:JetBrains Mono; color:{t.text1}'>{text}</span>"

        det = affine.determinant(m)
        grows = i18n.number(det, 3) if abs(det) < 1e5 else i18n.short(det)
        lines = []
        if differs:
            place = mono(point_text(affine.apply(other, (0, 0)), 1))
            lines.append(tr("in the other order the origin lands at {place}").format(place=place))
        else:
            lines.append(tr("here both orders give the same"))
        text = tr("areas grow by the factor {factor}") if det >= 0 else \
            tr("mirrored; areas grow by the factor {factor}")
        lines.append("<i>det M</i> &nbsp;" + text.format(factor=mono(grows.lstrip(i18n.MINUS))))
        for name, point in points:
            image = affine.apply(m, point)
            lines.append(f"{name} &nbsp; {mono(point_text(point))} → {mono(point_text(image))}")
        return f"<div style='line-height:135%; color:{t.text2}'>{'<br>'.join(lines)}</div>"



def _line(formula: FormulaView, words: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.px(8))
    formula.setSizePolicy(formula.sizePolicy().Policy.Preferred, formula.sizePolicy().Policy.Fixed)
    label = QLabel(words)
    label.setProperty("role", "status")
    row.addWidget(formula)
    row.addWidget(label)
    row.addStretch(1)
    return row
