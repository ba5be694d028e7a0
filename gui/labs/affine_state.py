"""What the affine lab is set to: four steps, their order, the origin; and what a drag makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine import affine
from engine.errors import MatrizenError

Point = tuple[float, float]
STEPS = ("scale", "shear", "rotate", "shift")
LETTERS = {"scale": "S", "shear": "H", "rotate": "R", "shift": "T"}
MOST = 1e5
"""The largest number a field takes."""


@dataclass(frozen=True)
class AffineState:
    """Numbers of the steps; `order` is first step first. Angles in degrees, shifts in pixels."""

    wide: float = 1.0
    high: float = 1.0
    across: float = 0.0
    along: float = 0.0
    """Shear: x grows by `across` times y, y by `along` times x."""
    angle: float = 0.0
    right: float = 0.0
    low: float = 0.0
    order: tuple[str, ...] = STEPS
    origin: str = "center"
    """"center": of the picture; "corner": its first pixel."""
    border: str = "zero"
    interpolation: str = "bilinear"

    def step(self, name: str) -> affine.Array:
        """The matrix of one step."""
        if name == "scale":
            return affine.scaling(self.wide, self.high)
        if name == "shear":
            return affine.shear(self.across, self.along)
        if name == "rotate":
            return affine.rotation(self.angle)
        return affine.shift(self.right, self.low)

    def matrix(self) -> affine.Array:
        """M, counted from the origin; not to be written to."""
        return self._matrix

    @cached_property
    def _matrix(self) -> affine.Array:
        # asked for some thirty times while one frame is painted
        found = affine.compose([self.step(name) for name in self.order])
        found.setflags(write=False)
        return found

    def other(self) -> affine.Array:
        """The product of the same steps in the other order."""
        return affine.compose([self.step(name) for name in reversed(self.order)])

    def origin_of(self, height: int, width: int) -> Point:
        """The origin in pixels."""
        return affine.center(height, width) if self.origin == "center" else (0.0, 0.0)

    def pixels(self, height: int, width: int) -> affine.Array:
        """M in pixels of a picture."""
        return affine.about(self.matrix(), self.origin_of(height, width))

    def letters(self, backwards: bool = False) -> str:
        """The product as it is written, the first step at the right: "T R H S"."""
        order = self.order if backwards else reversed(self.order)
        return " ".join(LETTERS[name] for name in order)

    def moved(self, name: str, place: int) -> AffineState:
        """With one step at another place of the order."""
        left = [step for step in self.order if step != name]
        left.insert(max(0, min(place, len(left))), name)
        return replace(self, order=tuple(left))

    def with_steps(self, other: AffineState) -> AffineState:
        """With the numbers and the order of another state; origin, border and interpolation stay."""
        return replace(other, origin=self.origin, border=self.border, interpolation=self.interpolation)

    def reset(self) -> AffineState:
        """The identity, everything else as it is."""
        return AffineState(
            order=self.order, origin=self.origin, border=self.border, interpolation=self.interpolation
        )


@dataclass(frozen=True)
class Handle:
    """Something to drag: a corner, the middle of an edge, the knob that turns, or the middle.

    `at` in -1..1 of the picture's half width and height.
    """

    kind: str
    at: Point


HANDLES = (
    *(Handle("corner", (x, y)) for y in (-1.0, 1.0) for x in (-1.0, 1.0)),
    Handle("wide", (-1, 0)), Handle("wide", (1, 0)), Handle("high", (0, -1)), Handle("high", (0, 1)),
    Handle("rotate", (1, 0)), Handle("shift", (0, 0)),
)  # fmt: skip


def dragged(state: AffineState, handle: Handle, point: Point, to: Point, *, coarse: bool = False,
            skew: bool = False) -> AffineState:
    """The state in which `point` (before the steps, from the origin) lands on `to`, as far as the handle can.

    `coarse` snaps to round numbers; `skew` shears where an edge is dragged. What cannot be solved stays.
    """
    name = {"rotate": "rotate", "shift": "shift"}.get(handle.kind, "scale")
    if skew and handle.kind in ("wide", "high"):
        name = "shear"
    place = state.order.index(name)
    before = affine.compose([state.step(step) for step in state.order[:place]])
    after = affine.compose([state.step(step) for step in state.order[place + 1 :]])
    bx, by = affine.apply(before, point)
    try:
        x, y = affine.apply(affine.inverse(after), to)
    except MatrizenError:
        return state
    changes: dict[str, float] = {}
    unit = 0.25 if coarse else 0.01
    if name == "rotate":
        turn = math.degrees(math.atan2(y, x) - math.atan2(by, bx))
        turn = (turn + 180) % 360 - 180
        changes["angle"] = _snap(turn, 15 if coarse else 0.5)
    elif name == "shift":
        pixels = 10.0 if coarse else 1.0
        changes = {"right": _snap(x - bx, pixels), "low": _snap(y - by, pixels)}
    elif name == "shear":
        if handle.kind == "high" and by:
            changes["across"] = _snap((x - bx) / by, unit)
        elif handle.kind == "wide" and bx:
            changes["along"] = _snap((y - by) / bx, unit)
    else:
        if handle.kind != "high" and abs(bx) > 1e-9:
            changes["wide"] = _snap(x / bx, unit)
        if handle.kind != "wide" and abs(by) > 1e-9:
            changes["high"] = _snap(y / by, unit)
    limited: dict[str, Any] = {key: max(-MOST, min(MOST, value)) for key, value in changes.items()}
    return replace(state, **limited)


def _snap(value: float, unit: float) -> float:
    return round(round(value / unit) * unit, 6) + 0.0


@dataclass(frozen=True)
class Example:
    """A worked example of the text: a state and the points it speaks of."""

    state: AffineState
    points: tuple[Point, ...]


def examples() -> dict[str, Example]:
    """By name: "quarter" (P = (1, 0) turned by 90 degrees) and "larger" (10 % larger, 5 px to the right)."""
    return {
        "quarter": Example(AffineState(angle=90.0, origin="corner"), ((1.0, 0.0),)),
        "larger": Example(
            AffineState(wide=1.1, high=1.1, right=5.0, origin="corner"), ((0.0, 0.0), (10.0, 10.0))
        ),
    }
