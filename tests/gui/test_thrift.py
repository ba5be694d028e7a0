"""The rate of new numbers follows what showing them costs."""

from __future__ import annotations

import pytest

from gui.thrift import FASTEST, SLOWEST, Thrift


def _after(thrift: Thrift, cost: float, frames: int = 40) -> float:
    cpu = 0.0
    for _ in range(frames):
        thrift.pulled(cpu)
        cpu += cost
    return thrift.interval


@pytest.mark.parametrize(("cores", "share"), [(1, 0.2), (2, 0.2), (4, 0.4), (16, 0.5)])
def test_a_share_of_the_cores(cores: int, share: float) -> None:
    assert Thrift(cores).share == pytest.approx(share)


def test_cheap_frames_come_quickly_and_dear_ones_take_their_share() -> None:
    assert _after(Thrift(2), 0.005) == FASTEST
    assert _after(Thrift(2), 0.02) == pytest.approx(0.1, rel=0.01)
    assert _after(Thrift(16), 0.02) == FASTEST
    assert _after(Thrift(2), 0.5) == SLOWEST


def test_one_long_moment_is_soon_forgotten() -> None:
    thrift = Thrift(2)
    _after(thrift, 0.005)
    thrift.pulled(60.0)
    for i in range(8):
        thrift.pulled(60.0 + 0.005 * i)
    assert thrift.interval == FASTEST
