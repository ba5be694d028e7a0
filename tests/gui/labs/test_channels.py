"""Which channels a sight shows: with groups only those that have to do with each other."""

from __future__ import annotations

import pytest

from engine.ops.base import value
from engine.values import Op, Role
from gui.labs.channels import channel_of, counts, shown, sight_of
from gui.labs.equation import Factor
from gui.labs.lens import lens_for
from gui.labs.pane import Sight
from gui.labs.sheet import Sheet

KERNEL = value("k", "out in kH kW", (4, 3, 3, 3), Role.PARAM)
PICTURE, MAPS = value("x", "C H W N", (6, 8, 8, 5)), value("z", "C H W N", (4, 8, 8, 5))
ATTRS = {"stride": (1, 1), "padding": (1, 1, 1, 1), "groups": 2}


def sheet(op: Op, name: str) -> Sheet:
    found = next(v for v in (*op.ins, *op.outs) if v.id == name)
    return Sheet(Factor(name, name, "weights"), lens_for(found, 5), op=op)


@pytest.mark.parametrize("op", [
    Op("conv2d", (KERNEL, PICTURE), (MAPS,), ATTRS), Op("conv2d_dx", (KERNEL, MAPS), (PICTURE,), ATTRS),
    Op("conv2d_dw", (MAPS, PICTURE), (KERNEL,), ATTRS),
    Op("conv_transpose2d", (KERNEL, MAPS), (PICTURE,), ATTRS),
    Op("conv_transpose2d_dx", (KERNEL, PICTURE), (MAPS,), ATTRS),
    Op("conv_transpose2d_dw", (MAPS, PICTURE), (KERNEL,), ATTRS),
])  # fmt: skip
def test_a_filter_is_shown_with_a_channel_of_its_group(op: Op) -> None:
    for channel, inner, picture in ((0, 0, 0), (1, 2, 2), (2, 0, 3), (3, 1, 4), (3, 9, 5)):
        sight = Sight(channel=channel, channel_in=inner)
        assert (channel_of(op, "x", sight), channel_of(op, "z", sight)) == (picture, channel)
    # a cell of another group takes the filter along, one of the same group leaves it
    assert sight_of(sheet(op, "x"), (4, 1, 1, 0), Sight(channel=1)) == Sight(channel=2, channel_in=1)
    assert sight_of(sheet(op, "x"), (4, 1, 1, 0), Sight(channel=3)) == Sight(channel=3, channel_in=1)
    assert sight_of(sheet(op, "z"), (3, 1, 1, 0), Sight(channel_in=2)) == Sight(channel=3, channel_in=2)
    assert sight_of(sheet(op, "k"), (2, 1, 0, 0), Sight()) == Sight(channel=2, channel_in=1)
    values = {v.id: v for v in (KERNEL, PICTURE, MAPS)}
    assert counts([sheet(op, name) for name in ("k", "x", "z")], values) == (4, 3)


def test_along_a_sequence_a_row_of_z_takes_its_filter_along() -> None:
    k, x = value("k", "out in k", (4, 6, 3), Role.PARAM), value("x", "F T N", (6, 9, 5))
    z = value("z", "F T N", (4, 9, 5))
    op = Op("conv1d", (k, x), (z,), {"stride": 1, "padding": (2, 0)})
    kernel = lens_for(k, 5, channel=2)
    assert kernel.shape == (6, 3) and kernel.cell(4, 1) == (2, 4, 1) and kernel.place((2, 4, 1)) == (4, 1)
    assert kernel.place((1, 4, 1)) is None
    assert shown(sheet(op, "z"), "z", (2, 5, 0), Sight(channel=2))
    assert not shown(sheet(op, "z"), "z", (2, 5, 0), Sight(channel=1))
    assert sight_of(sheet(op, "z"), (2, 5, 0), Sight(channel=1)).channel == 2
    assert shown(sheet(op, "x"), "x", (5, 5, 0), Sight(channel=1))
    assert counts([sheet(op, name) for name in ("k", "x", "z")], {v.id: v for v in (k, x, z)}) == (4, 1)
