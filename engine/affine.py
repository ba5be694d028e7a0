"""Affine maps of the plane as homogeneous 3 x 3 matrices, and the warp of a whole picture by one.

M maps input to output in pixels: x is the column, y the row and points down, so a positive angle looks
clockwise; pixel centers are whole numbers; angles are degrees. Rotation, scale and shear keep the origin
of the coordinates; `about` moves it, usually to the `center` of a picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from engine.backends.base import Backend, Plan
from engine.errors import N_, DataError
from engine.ops.base import REGISTRY, Context, Terms
from engine.ops.warp import BORDERS, FAR, METHODS, source_of
from engine.values import Op, Program, Role, Value

Array = np.ndarray[Any, Any]
FLAT = 1e-9
"""A determinant smaller than this share of the largest possible one cannot be told from zero."""
MOST_PLANS = 4


def identity() -> Array:
    return np.eye(3)


def rotation(degrees: float) -> Array:
    """R: turns by an angle; quarter turns are exact."""
    turns, rest = divmod(degrees, 90.0)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    if rest == 0:
        c, s = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(turns % 4)]
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float64)


def scaling(wide: float, high: float) -> Array:
    """S: stretches x and y."""
    return np.diag([float(wide), float(high), 1.0])


def shear(across: float, down: float) -> Array:
    """H: x grows by `across` times y, y by `down` times x."""
    return np.array([[1, across, 0], [down, 1, 0], [0, 0, 1]], np.float64)


def shift(right: float, down: float) -> Array:
    """T: adds to x and y."""
    return np.array([[1, 0, right], [0, 1, down], [0, 0, 1]], np.float64)


def compose(steps: Sequence[Array]) -> Array:
    """One matrix for all steps, the first step first: compose([S, R, T]) is T · R · S."""
    product = identity()
    for step in steps:
        product = step @ product
    return product


def about(matrix: Array, origin: tuple[float, float]) -> Array:
    """The same map in pixels, where `matrix` counts from the point `origin` (x, y)."""
    x, y = origin
    return shift(x, y) @ matrix @ shift(-x, -y)


def center(height: int, width: int) -> tuple[float, float]:
    """The middle of a picture (x, y), between pixels where their number is even."""
    return (width - 1) / 2, (height - 1) / 2


def determinant(matrix: Array) -> float:
    """The factor by which areas grow; negative where the picture is mirrored."""
    m = np.asarray(matrix, np.float64)
    return float(m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])


def check(matrix: Array) -> Array:
    """The matrix in float64. Raises DataError for what is no affine map, or too large to be computed."""
    m = np.asarray(matrix, np.float64)
    if m.shape != (3, 3):
        shape = " × ".join(map(str, m.shape))
        raise DataError(N_("An affine map is a 3 × 3 matrix, not {found}."), found=shape)
    if not np.isfinite(m).all() or np.abs(m).max() > FAR:
        text = N_("The numbers of the matrix are too large; the largest may be {most}.")
        raise DataError(text, most=int(FAR))
    if m[2].tolist() != [0, 0, 1]:
        raise DataError(N_("The last row of an affine map is 0 0 1; this one is {found}."),
                        found=" ".join(f"{v:g}" for v in m[2]))
    return m


def inverse(matrix: Array) -> Array:
    """M⁻¹: from output back to input. Raises DataError with the reason where there is none."""
    m = check(matrix)
    (a, b, tx), (c, d, ty) = m[:2].tolist()
    det = a * d - b * c
    if not a and not b and not c and not d:
        raise DataError(N_("There is no way back: everything lands on one point."))
    if abs(det) <= FLAT * math.hypot(a, c) * math.hypot(b, d):
        raise DataError(
            N_("There is no way back: the determinant is 0, many points land on the same one.")
        )
    back = np.array([[d, -b, 0], [-c, a, 0], [0, 0, 1]], np.float64)
    back[:2] /= det
    back[0, 2] = -(back[0, 0] * tx + back[0, 1] * ty)
    back[1, 2] = -(back[1, 0] * tx + back[1, 1] * ty)
    if not np.isfinite(back).all() or np.abs(back).max() > FAR * FAR:
        raise DataError(N_("The way back cannot be computed: the picture becomes too small."))
    return back + 0.0  # no negative zeros


def apply(matrix: Array, points: Any) -> Array:
    """The images of points (x, y), shape (k, 2) or (2,)."""
    p = np.asarray(points, np.float64)
    return np.asarray(p @ matrix[:2, :2].T + matrix[:2, 2])


def six(matrix: Array) -> Array:
    """(a, b, tx, c, d, ty) float32 (6, 1): the matrix as the op takes it."""
    return np.ascontiguousarray(check(matrix)[:2].reshape(6, 1), np.float32)


def planes(picture: Array) -> Array:
    """(H, W) or (H, W, C), bytes or numbers -> (C, H, W) float32. Raises DataError for anything else."""
    a = np.asarray(picture)
    if a.ndim not in (2, 3) or 0 in a.shape:
        raise DataError(N_("The picture is empty; at least one pixel is needed."))
    a = a[..., None] if a.ndim == 2 else a
    return np.ascontiguousarray(np.moveaxis(a, -1, 0), np.float32)


def psnr(found: Array, wanted: Array, mask: Array | None = None, peak: float = 255.0) -> float:
    """Peak signal to noise ratio in dB over the pixels (H, W) of `mask`; infinite for equal pictures."""
    error = np.asarray(found, np.float64) - np.asarray(wanted, np.float64)
    mean = float(np.mean((error if mask is None else error[mask]) ** 2))
    return math.inf if mean == 0 else 10 * math.log10(peak * peak / mean)


def disc(height: int, width: int) -> Array:
    """(H, W) bool: what many turns about the center leave inside, far enough from the border's influence."""
    x, y = center(height, width)
    radius = max(0.5, min(x, y) * 0.85)
    rows, columns = np.ogrid[0:height, 0:width]
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 <= radius**2)


def program(shape: tuple[int, int, int], border: str, interpolation: str) -> Program:
    """One picture (C, H, W) through the engine's op."""
    if border not in BORDERS or interpolation not in METHODS:
        raise DataError(N_("“{found}” is not known here; choose one of {expected}."),
                        found=f"{border}, {interpolation}", expected=", ".join(BORDERS + METHODS))
    x = Value("x", ("C", "H", "W", "N"), (*shape, 1), role=Role.INPUT)
    m = Value("m", ("M", "N"), (6, 1), role=Role.INPUT)
    y = Value("y", x.axes, x.shape)
    op = Op("affine_warp", (x, m), (y,), {"border": border, "interpolation": interpolation})
    return Program("predict", 1, (op,), (x, m), {}, controls={"n": 1.0})


class Warper:
    """Warps pictures with the engine's op on one backend; the last pictures stay on the device."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._plans: dict[tuple[object, ...], Plan] = {}
        self._held: dict[tuple[object, ...], Array] = {}

    def warp(
        self, picture: Array, matrix: Array, border: str = "zero", interpolation: str = "bilinear"
    ) -> Array:
        """The picture (H, W, C) or (H, W) moved by `matrix` (in pixels): (H, W, C) float32, same scale.

        Raises DataError for a singular matrix or an empty picture, DeviceError.
        """
        inverse(matrix)
        numbers = six(matrix)
        shape = np.shape(picture)
        key = (shape, border, interpolation)
        plan = self._plans.pop(key, None)
        fresh = plan is None
        if plan is None:
            x = planes(picture)
            while len(self._plans) >= MOST_PLANS:  # the oldest goes
                gone = next(iter(self._plans))
                del self._plans[gone], self._held[gone]
            made = program(cast("tuple[int, int, int]", x.shape), border, interpolation)
            plan = self.backend.compile(made, self.backend.store((), 0), traced=True)
        self._plans[key] = plan
        if fresh or self._held.get(key) is not picture:
            plan.write("x", planes(picture)[..., None])
            self._held[key] = picture
        plan.write("m", numbers)
        plan.run([{"n": 1.0}])
        return np.moveaxis(plan.read("y")[..., 0], 0, -1)

    def turns(
        self,
        picture: Array,
        degrees: float,
        times: int,
        border: str = "zero",
        interpolation: str = "bilinear",
    ) -> Array:
        """Turned about its center again and again, every time from the result before."""
        current = np.asarray(picture, np.float32)
        current = current[..., None] if current.ndim == 2 else current
        turn = about(rotation(degrees), center(*current.shape[:2]))
        for _ in range(times):
            current = np.ascontiguousarray(self.warp(current, turn, border, interpolation))
        return current


def warp(
    picture: Array,
    matrix: Array,
    border: str = "zero",
    interpolation: str = "bilinear",
    device: str = "numpy",
) -> Array:
    """`Warper.warp` once, on a device by its id."""
    from engine.backends.opening import open_backend

    backend = open_backend(device)
    try:
        return Warper(backend).warp(picture, matrix, border, interpolation)
    finally:
        backend.close()


def source(matrix: Array, x: float, y: float) -> tuple[float, float]:
    """Where output pixel (x, y) is read, as the op computes it."""
    px, py = source_of(six(matrix)[:, 0].astype(np.float64), x, y)
    return float(px), float(py)


def terms(
    picture: Array, matrix: Array, cell: tuple[int, int, int], engine: float, border: str, interpolation: str
) -> Terms:
    """How one output number came about: cell (row, column, channel) of a picture (H, W, C).

    Each term has its source pixel (channel, row, column, 0) in its factor, its weight as its label.
    """
    row, column, channel = cell
    op = program((1, *picture.shape[:2]), border, interpolation).ops[0]
    x = picture[..., channel][None, ..., None]  # only a few pixels of it are read: nothing is converted
    found = {op.ins[0].id: x, op.ins[1].id: six(matrix)}
    there = np.broadcast_to(np.float32(engine), x.shape)
    return REGISTRY["affine_warp"].explain(
        op, 0, (0, row, column, 0), lambda v: found.get(v.id, there), Context(1)
    )
