"""The curves of a run in a `.matrizen` file: a few numbers in project.json, the points as arrays beside it.

Curves are worth less than weights: whatever is wrong with them, they are left out with a warning and the
rest of the file opens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from engine.curves import LIMIT, CurveState
from engine.errors import N_, Message
from engine.run import Checkpoint, Evaluation

VERSION = 1
FOLDER = "curves"
TYPES = {"points": "<f4", "tests": "<f8"}
"""Arrays and how they are written: (k, 3) minimum, mean, maximum; (m, 3) step, loss, accuracy or NaN, and
behind them, where the loss is a sum, the parts of the newest test's outputs or NaN."""
MAX_BYTES = 1 << 20
"""No array of these is larger."""
MAX_TESTS = 4096
MOST_PARTS = 16
MAX_STRIDE = 2**40
Array = np.ndarray[Any, Any]
Curves = tuple[CurveState | None, tuple[Evaluation, ...]]


def curves_to_plain(run: Checkpoint) -> dict[str, Any] | None:
    """What project.json says of the curves; None when there are none."""
    curve = run.curve
    if curve is None:
        return None
    last = curve.last if curve.last is not None and math.isfinite(curve.last) else None
    return {
        "version": VERSION,
        "first": curve.first,
        "stride": curve.stride,
        "open": list(curve.open),
        "last": last,
    }


def curve_arrays(run: Checkpoint) -> dict[str, Array]:
    """The points by name."""
    if run.curve is None:
        return {}
    count = min(len(run.tests[-1].parts), MOST_PARTS) if run.tests else 0
    unknown = (math.nan,) * count
    tests = [
        (
            t.step,
            t.loss,
            math.nan if t.accuracy is None else t.accuracy,
            *(t.parts[:count] if len(t.parts) >= count else unknown),
        )
        for t in run.tests
    ]
    return {
        "points": np.asarray(run.curve.points, TYPES["points"]),
        "tests": np.array(tests, TYPES["tests"]).reshape(-1, 3 + count),
    }


def with_sound_curves(run: Checkpoint) -> Checkpoint:
    """The run; without its curves where they could not be read again. Saving must not fail for them."""
    _, said = curves_from_plain(curves_to_plain(run), curve_arrays(run), run.step, "")
    return replace(run, curve=None, tests=()) if said else run


def curves_from_plain(
    plain: Any, arrays: Mapping[str, Array], step: int, file: str
) -> tuple[Curves, tuple[Message, ...]]:
    """The curves up to `step`, and what has to be said about them. Never raises."""
    if plain is None:
        return (None, ()), ()
    if isinstance(plain, dict) and _whole(plain.get("version"), VERSION + 1, 10**6):
        text = N_("{file}: the curve of the loss was saved by a newer Matrizen and was left out.")
        return (None, ()), (Message(text, {"file": file}),)
    curve, tests = _curve(plain, arrays.get("points"), step), _tests(arrays.get("tests"), step)
    if curve is None or tests is None:
        text = N_("{file}: the saved curve of the loss is damaged and was left out; the weights are whole.")
        return (None, ()), (Message(text, {"file": file}),)
    return (curve, tests), ()


def _curve(plain: Any, points: Array | None, step: int) -> CurveState | None:
    """The curve of the training loss; None when anything about it is not as it was written."""
    if not isinstance(plain, dict) or points is None:
        return None
    first, stride, part, last = (plain.get(k) for k in ("first", "stride", "open", "last"))
    shaped = points.dtype.kind == "f" and points.ndim == 2 and points.shape[1] == 3 and len(points) < LIMIT
    if (
        not _whole(plain.get("version"), VERSION, VERSION)
        or not _whole(first, 0, step)
        or not _whole(stride, 1, MAX_STRIDE)
        or stride & (stride - 1)
        or not (last is None or _real(last))
        or not shaped
        or not np.isfinite(points).all()
        or not isinstance(part, list)
        or len(part) != 4
        or not _whole(part[0], 0, stride - 1)
        or not all(_real(v) for v in part[1:])
    ):
        return None
    numbers = (part[0], float(part[1]), float(part[2]), float(part[3]))
    curve = CurveState(first, stride, np.asarray(points, np.float64), numbers, last)
    empty = not len(points) and not part[0]
    return curve if empty or curve.end == step else None


def _tests(found: Array | None, step: int) -> tuple[Evaluation, ...] | None:
    """The points of the test curve; None when anything about them is not as it was written."""
    if found is None or found.dtype.kind != "f" or found.ndim != 2:
        return None
    if not 3 <= found.shape[1] <= 3 + MOST_PARTS:
        return None
    steps, loss, accuracy = found[:, 0], found[:, 1], found[:, 2]
    known = accuracy[~np.isnan(accuracy)]
    if (
        len(found) > MAX_TESTS
        or not np.isfinite(steps).all()
        or (steps != np.floor(steps)).any()
        or (np.diff(steps) <= 0).any()
        or (steps < 0).any()
        or (steps > step).any()
        or (known < 0).any()
        or (known > 1).any()
        or len(known) not in (0, len(found))
    ):
        return None
    return tuple(
        Evaluation(int(s), float(v), None if np.isnan(a) else float(a), () if np.isnan(p).any() else tuple(p))
        for s, v, a, p in zip(steps, loss, accuracy, found[:, 3:].tolist(), strict=True)
    )


def _whole(value: Any, low: int, high: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
