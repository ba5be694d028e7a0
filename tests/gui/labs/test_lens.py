"""What a lens shows and where: places and cells are each other's inverse, and the numbers are theirs."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ops.base import Term, Terms, value
from engine.session import reduce
from gui.labs.equation import Factor
from gui.labs.lens import lens_for
from gui.labs.sheet import Sheet
from gui.opening import cells_of

VALUES = {
    "weights": value("l.weight@old", "out in", (3, 4)),
    "bias": value("l.bias@old", "out", (3,)),
    "batch": value("l.z", "F N", (3, 5)),
    "labels": value("y", "N", (5,)),
    "sequence": value("e.y", "F T N", (3, 4, 5)),
    "maps": value("c.z", "C H W N", (2, 3, 4, 5)),
    "kernels": value("c.weight@old", "out in kH kW", (2, 3, 2, 2)),
    "kernels along a sequence": value("c.weight@old", "out in k", (2, 3, 4)),
    "loss": value("L", "", ()),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("example", [None, 3])
def test_the_number_at_a_place_is_that_of_its_cell(name: str, turned: bool, example: int | None) -> None:
    v = VALUES[name]
    array = np.arange(v.size or 1, dtype=np.float32).reshape(v.shape)
    lens = lens_for(v, 5, example=example, shown=2, channel=1, channel_in=2)
    lens = lens.turn() if turned else lens
    shown = lens.array(reduce.matrix(lens.request(), v, array))
    assert shown.shape == lens.shape
    np.testing.assert_array_equal(shown, lens.of(array))
    for place in np.ndindex(*lens.shape):
        cell = lens.cell(*place)
        assert shown[place] == array[cell]
        assert lens.place(cell) == place


def test_what_is_out_of_sight_has_no_place() -> None:
    assert lens_for(VALUES["batch"], 5, example=3).place((0, 2)) is None
    assert lens_for(VALUES["maps"], 5, channel=1).place((0, 0, 0, 0)) is None
    assert lens_for(VALUES["kernels"], 5).place((1, 0, 0, 0)) is None


def test_the_bias_folded_in_is_the_last_column() -> None:
    w, b = VALUES["weights"], VALUES["bias"]
    sheet = Sheet(Factor(w.id, "W", extra=b.id), lens_for(w, 5), lens_for(b, 5))
    assert sheet.shape == (3, 5)
    assert sheet.cell(2, 4) == (b.id, (2,)) and sheet.place(b.id, (2,)) == (2, 4)
    assert sheet.cell(2, 3) == (w.id, (2, 3))
    joined = sheet.join(np.zeros((3, 4)), np.ones((3, 1)))
    assert joined[:, 4].all() and not joined[:, :4].any()


def test_ones_below_x_are_no_cells() -> None:
    x = VALUES["batch"]
    for turned in (False, True):
        lens = lens_for(x, 5)
        sheet = Sheet(Factor(x.id, "X", ones=True), lens.turn() if turned else lens)
        assert sheet.shape == ((5, 4) if turned else (4, 5))
        assert sheet.cell(*((1, 3) if turned else (3, 1))) is None
        assert sheet.cell(0, 0) == (x.id, (0, 0))


def test_of_very_many_terms_the_whole_window_is_ringed() -> None:
    told = [Term((("d", (0, r, q, 1), 1.0),), 1.0) for r, q in ((0, 0), (2, 1), (19, 18))]
    assert len(cells_of(Terms("sum", tuple(told), 3.0, 3.0))["d"]) == 3
    many = cells_of(Terms("sum", tuple(told), 380.0, 380.0, left_out=(377, 377.0)))["d"]
    assert many == {(0, r, q, 1) for r in range(20) for q in range(19)}
