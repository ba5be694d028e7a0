"""The affine lab without a window: examples to the printed digits, orders, and what a drag does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import affine
from gui.labs.affine_engine import in_small, shrunk
from gui.labs.affine_state import HANDLES, AffineState, Handle, dragged, examples

BUSY = AffineState(wide=1.2, high=0.8, across=0.1, along=-0.2, angle=30, right=12, low=-7)


def test_the_examples_of_the_text() -> None:
    quarter, larger = examples()["quarter"], examples()["larger"]
    assert affine.apply(quarter.state.matrix(), quarter.points).tolist() == [[0, 1]]
    assert quarter.state.step("rotate")[:2, :2].tolist() == [[0, -1], [1, 0]]
    m = larger.state.matrix()
    assert np.round(m, 3).tolist() == [[1.1, 0, 5], [0, 1.1, 0], [0, 0, 1]]
    assert np.round(affine.apply(m, larger.points), 9).tolist() == [[5, 0], [16, 11]]
    assert np.round(larger.state.other(), 9)[0, 2] == 5.5
    assert np.round(affine.inverse(m), 3).tolist() == [[0.909, 0, -4.545], [0, 0.909, 0], [0, 0, 1]]


def test_the_order_is_written_from_right_to_left() -> None:
    assert (BUSY.letters(), BUSY.letters(backwards=True)) == ("T R H S", "S H R T")
    first = BUSY.moved("shift", 0)
    assert first.order == ("shift", "scale", "shear", "rotate")
    assert first.letters() == "R H S T"
    assert np.allclose(first.matrix(), first.step("rotate") @ first.step("shear") @ first.step("scale")
                       @ first.step("shift"))  # fmt: skip
    assert BUSY.moved("scale", 99).order[-1] == "scale"
    assert np.array_equal(BUSY.reset().matrix(), np.eye(3))


def test_pixels_turn_about_the_center_unless_told_otherwise() -> None:
    turn = AffineState(angle=90)
    assert affine.apply(turn.pixels(5, 5), [(2, 2), (0, 0)]).tolist() == [[2, 2], [4, 0]]
    assert affine.apply(replace(turn, origin="corner").pixels(5, 5), (1, 0)).tolist() == [0, 1]


@pytest.mark.parametrize("order", [AffineState().order, ("shift", "rotate", "shear", "scale")])
@pytest.mark.parametrize("handle", HANDLES)
def test_a_dragged_handle_lands_under_the_pointer(handle: Handle, order: tuple[str, ...]) -> None:
    start = replace(BUSY, order=order)
    point = (handle.at[0] * 50 or 3.0, handle.at[1] * 40 or 5.0)
    name = {"rotate": "rotate", "shift": "shift"}.get(handle.kind, "scale")
    changes: dict[str, dict[str, Any]] = {
        "scale": {"wide": 1.5, "high": 0.6}, "rotate": {"angle": 55}, "shift": {"right": 20, "low": 4},
    }  # fmt: skip
    changed = changes[name]
    goal = affine.apply(replace(start, **changed).matrix(), point)
    new = dragged(start, handle, point, (float(goal[0]), float(goal[1])))
    if handle.kind in ("wide", "high"):
        other = {"wide": "high", "high": "wide"}[handle.kind]
        assert getattr(new, handle.kind) == pytest.approx(changed[handle.kind], abs=0.006)
        assert getattr(new, other) == getattr(start, other)
    else:
        assert affine.apply(new.matrix(), point) == pytest.approx(goal, abs=1.2)


def test_ctrl_shears_shift_takes_round_steps_and_the_impossible_stays() -> None:
    top = Handle("high", (0, -1))
    assert dragged(AffineState(), top, (0, -40), (-20, -40), skew=True).across == 0.5
    knob = Handle("rotate", (1, 0))
    assert dragged(AffineState(), knob, (50, 0), (40, 13), coarse=True).angle == 15
    flat = AffineState(wide=0, order=("shift", "rotate", "shear", "scale"))
    assert dragged(flat, knob, (50, 0), (0, 40)) == flat
    far = dragged(AffineState(), Handle("corner", (1, 1)), (0.001, 0.001), (1e7, 1e7))
    assert far.wide == 1e5


@pytest.mark.parametrize("shape", [(64, 48, 3), (7, 1, 1), (1, 9, 1)])
def test_the_small_picture_moves_like_the_large_one(shape: tuple[int, int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    small = shrunk(picture, 4)
    assert small.shape == (max(1, shape[0] // 4), max(1, shape[1] // 4), shape[2])
    assert small[0, 0, 0] == pytest.approx(picture[:4, :4, 0].mean(), abs=1e-4)
    m = BUSY.pixels(*shape[:2])
    in_large = affine.apply(m, (4 * 3 + 1.5, 4 * 2 + 1.5))
    assert affine.apply(in_small(m, 4), (3, 2)) * 4 + 1.5 == pytest.approx(in_large)
