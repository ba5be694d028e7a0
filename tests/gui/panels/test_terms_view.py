"""The terms of a cell: nothing is cut off, and the step of an update is a product one can check."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from engine.ops.base import Term, Terms
from gui import theme, tokens
from gui.panels.terms_view import TermsView, number_text


@pytest.fixture
def view(qtbot: QtBot) -> TermsView:
    made = TermsView()
    qtbot.addWidget(made)
    return made


def test_cells_are_as_wide_as_their_numbers_and_heads(view: TermsView) -> None:
    """Tiny gradients are long to write, and a head without its indices says nothing."""
    delta, x = "dense1.z@grad", "points.x"
    terms = tuple(Term(((delta, (11, k), -5.5e-5), (x, (11, k), 0.288)), -1.6e-5) for k in range(10))
    view.set_terms(Terms("sum", terms, -1.6e-4, -1.6e-4))
    view.fit(200)
    heads = QFontMetricsF(theme.ui_font(tokens.CAPTION))
    text = number_text(-5.5e-5, view._decimals)
    numbers = QFontMetricsF(view._number_font(text))
    assert view._cell_width >= heads.horizontalAdvance("∂L/∂Z 12,10")
    assert view._cell_width >= numbers.horizontalAdvance(text)
    assert view.width() >= 20 * view._cell_width


def test_the_step_of_an_update_shows_its_factor(view: TermsView) -> None:
    old = Term((("w@old", (0, 0), -1.3376),), -1.3376, "old")
    step = Term((("w@grad", (0, 0), 0.0476),), -0.001428, "step")
    view.set_terms(Terms("sum", (old, step), -1.339, -1.339), factor="−η")
    (name, _, rate), (_, _, gradient) = view._terms[1].factors
    assert name == "−η" and rate == pytest.approx(-0.03) and gradient == 0.0476
    assert view.grab().width() == view.sizeHint().width()  # it paints


def test_a_pixel_read_between_others_shows_its_weight(view: TermsView) -> None:
    """Exactly where the pixel is not 0, else as its label says; noise by the name of its spread."""
    parts = [((2.0,), 2 / 3, "0.3333"), ((0.0,), 0.0, "0.25"), ((1.5,), 0.3, "σ=0.2"), ((1.0,), 1.0, "won")]
    terms = tuple(Term((("relu1.a", (0, 0, 0, 0), x),), v, label) for (x,), v, label in parts)
    view.set_terms(Terms("sum", terms, 2.0, 2.0))
    shown = [term.factors[0][::2] if len(term.factors) > 1 else None for term in view._terms]
    assert shown == [("w", pytest.approx(1 / 3)), ("w", 0.25), ("σ", pytest.approx(0.2)), None]
    assert view.grab().width() == view.sizeHint().width()


def test_no_gradient_no_factor(view: TermsView) -> None:
    step = Term((("w@grad", (0, 0), 0.0),), 0.0, "step")
    view.set_terms(Terms("sum", (step,), 0.0, 0.0), factor="−η")
    assert len(view._terms[0].factors) == 1


def test_the_chain_rule_is_shown_as_a_product(view: TermsView) -> None:
    back_and_a = (("tanh1.a@grad", (1, 1), -0.0422), ("tanh1.a", (1, 1), 0.9694))
    term = Term(back_and_a, -0.0422 * 0.0603, "derivative")
    view.set_terms(Terms("function", (term,), term.value, term.value), "tanh′")
    (_, _, back), (name, _, slope) = view._terms[0].factors
    assert (back, name) == (-0.0422, "tanh′") and slope == pytest.approx(0.0603)
    assert not view._as_function
    still = Term((("tanh1.a@grad", (1, 1), 0.0), ("tanh1.a", (1, 1), 0.9694)), 0.0, "derivative")
    view.set_terms(Terms("function", (still,), 0.0, 0.0), "tanh′")
    assert view._as_function and len(view._terms[0].factors) == 2
