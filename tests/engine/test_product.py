"""The orders of a product: all end at the same numbers, and what is known grows."""

from __future__ import annotations

import numpy as np
import pytest

from engine import product

W = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
X = np.array([[2.0], [3.0]])
B = np.array([1.0, 0.0, -2.0])


def test_the_example_of_the_text_in_two_steps() -> None:
    # W 3x2, x 2x1, b 3x1: six products, three sums, then the bias
    assert product.count("outer", 3, 2, 1, bias=True) == 3
    np.testing.assert_allclose(product.partial(W, X, B, 0), W[:, :1] * 2)
    np.testing.assert_allclose(product.partial(W, X, B, 1), [[8], [3], [13]])
    np.testing.assert_allclose(product.partial(W, X, B, 2), [[9], [3], [11]])


@pytest.mark.parametrize("order", product.ORDERS)
def test_every_order_ends_with_everything_known(order: product.Order) -> None:
    m, n, k = 3, 4, 5
    last = product.count(order, m, n, k) - 1
    before = 0
    for at in range(last + 1):
        made = product.known(order, at, m, k)
        assert made.sum() >= before
        before = int(made.sum())
        now = product.moment(order, at, n, k)
        assert [now.row, now.column, now.inner].count(None) == (1 if order == "cells" else 2)
    assert made.all()
    assert product.count(order, m, n, k) == {"cells": 15, "columns": 5, "rows": 3, "outer": 4}[order]


def test_cells_go_along_the_rows() -> None:
    assert product.moment("cells", 6, 2, 5) == product.Moment(row=1, column=1)
    made = product.known("cells", 6, 3, 5)
    assert made[0].all() and made[1, :2].all() and not made[1, 2:].any() and not made[2].any()


def test_the_bias_is_the_last_moment_of_outer_products() -> None:
    assert product.moment("outer", 2, 2, 1).bias
    assert not product.moment("outer", 1, 2, 1).bias
