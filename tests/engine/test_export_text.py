"""Matrices as CSV, LaTeX and NumPy text: read back they are the same float32."""

from __future__ import annotations

import csv
import io

import numpy as np

from engine.export import text

NUMBERS = np.array([[0.1, -2.0, 1e-12], [np.nan, np.inf, 3.4e38]], np.float32)


def test_csv_reads_back_exactly() -> None:
    rows = list(csv.reader(io.StringIO(text.as_csv(NUMBERS))))
    np.testing.assert_array_equal(np.array(rows, np.float32), NUMBERS)


def test_csv_with_heads_quotes_what_must_be() -> None:
    made = text.as_csv(np.array([[1.0, 2.5]]), rows=["a, b"], columns=["x", 'say "y"'])
    assert list(csv.reader(io.StringIO(made))) == [["", "x", 'say "y"'], ["a, b", "1", "2.5"]]


def test_numpy_text_is_python() -> None:
    made = text.as_numpy(NUMBERS, "W")
    space: dict[str, object] = {"np": np}
    exec(made, space)
    np.testing.assert_array_equal(np.asarray(space["W"]), NUMBERS)
    assert made.startswith("W = np.array([[0.1, -2, 1e-12],\n")
    vector = eval(text.as_numpy(np.array([1.0, 2.0])), {"np": np})
    assert vector.shape == (2,) and vector.dtype == np.float32


def test_latex_of_the_worked_example() -> None:
    assert text.as_latex(np.array([[0.5, -0.25], [0.25, 0.5]])) == (
        "\\begin{bmatrix}\n  0.5 & -0.25 \\\\\n  0.25 & 0.5\n\\end{bmatrix}"
    )
    assert r"1 \cdot 10^{-12}" in text.as_latex(NUMBERS) and r"\infty" in text.as_latex(NUMBERS)
    assert text.digits(-0.00001, 2) == "0.00"


def test_an_equation_in_numbers() -> None:
    one = np.ones((1, 1))
    made = text.equation_as_latex([one, r"\cdot", 2 * one, "=", 2 * one], None)
    assert made.count("bmatrix") == 6 and r"\cdot" in made.splitlines()
