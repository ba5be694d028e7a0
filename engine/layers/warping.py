"""What the layers that warp pictures share: the border, and the numbers a matrix starts with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.ops.affine_matrix import attributes

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


def theta_of(angle: float, scale: float, shear: float, shift: tuple[float, float]) -> tuple[float, ...]:
    """a, b, tx, c, d, ty of shift · turn · shear · size: angle in degrees, scale in percent, shear a slope.

    y points down, so a positive angle looks clockwise.
    """
    size, turn = scale / 100, math.radians(angle)
    cos, sin = math.cos(turn), math.sin(turn)
    b, d = size * (shear * cos - sin), size * (shear * sin + cos)
    return (size * cos, b, shift[0], size * sin, d, shift[1])


def record_warp(
    rec: Recorder, x: Value, numbers: Sequence[Value], border: str, **more: object
) -> Value:
    """The matrix from six numbers (none: `theta` is among `more`), then the warp with it."""
    _, h, w, n = x.shape
    given = attributes(h, w, n, **more)
    matrix = rec.emit1("affine_matrix", numbers, "matrix", attrs=given)
    return rec.emit1("affine_warp", (x, matrix), "y", attrs={"border": border})
