"""Matrices and formulas as text for other programs: CSV, LaTeX, NumPy. Always with the point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def digits(value: float, decimals: int | None = None) -> str:
    """A number that reads back as the same float32, or with fixed decimals."""
    if np.isnan(value):
        return "nan"
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    if decimals is not None:
        text = f"{value:.{decimals}f}"
        return text[1:] if text.startswith("-") and not text.strip("-0.") else text
    text = str(np.float32(value))
    return text.removesuffix(".0")


def as_csv(matrix: Array, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> str:
    """One line a row, commas between; heads only where they are given."""
    lines = []
    if columns:
        lines.append(",".join([*([""] if rows else []), *map(_quoted, columns)]))
    for i, row in enumerate(matrix):
        head = [_quoted(rows[i])] if rows else []
        lines.append(",".join([*head, *(digits(v) for v in row)]))
    return "\n".join(lines) + "\n"


def as_numpy(matrix: Array, name: str = "") -> str:
    """`W = np.array([[...], ...], dtype=np.float32)`: what Python reads as the same array."""
    if matrix.ndim == 1:
        body = "[" + ", ".join(_python(v) for v in matrix) + "]"
    else:
        indent = " " * (len(name) + (3 if name else 0) + len("np.array(["))
        body = "[" + (",\n" + indent).join("[" + ", ".join(map(_python, row)) + "]" for row in matrix) + "]"
    return f"{name + ' = ' if name else ''}np.array({body}, dtype=np.float32)"


def as_latex(matrix: Array, decimals: int | None = None) -> str:
    """A bmatrix; numbers whole, or with fixed decimals."""
    rows = [" & ".join(_latex(v, decimals) for v in row) for row in matrix]
    return "\\begin{bmatrix}\n" + " \\\\\n".join(f"  {row}" for row in rows) + "\n\\end{bmatrix}"


def equation_as_latex(parts: Sequence[str | Array], decimals: int | None = 4) -> str:
    """Signs and matrices in a row, as one formula."""
    return "\n".join(part if isinstance(part, str) else as_latex(part, decimals) for part in parts)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def _python(value: float) -> str:
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(digits(value), digits(value))


def _latex(value: float, decimals: int | None) -> str:
    text = digits(value, decimals)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return {"nan": r"\mathrm{NaN}", "inf": r"\infty", "-inf": r"-\infty"}.get(text, text)
