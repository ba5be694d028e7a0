"""The loss curve: exact while short, honest extremes when long, cut where a run went back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.curves import Curve


def test_short_curves_are_exact():
    c = Curve()
    c.append(5, [3.0, 1.0])
    c.append(7, [2.0])
    steps, low, mean, high = c.arrays()
    assert steps.tolist() == [5, 6, 7] and mean.tolist() == low.tolist() == high.tolist() == [3, 1, 2]
    assert c.end == 8


@given(st.integers(1, 700), st.integers(2, 9), st.integers(1, 50))
def test_long_curves_keep_extremes_and_means(count, half, chunk):
    values = np.sin(np.arange(count)) * 10
    c = Curve(2 * half)
    for start in range(0, count, chunk):
        c.append(start, values[start : start + chunk])
    steps, low, mean, high = c.arrays()
    assert len(steps) <= 2 * half and c.end == count
    assert low.min() == values.min() and high.max() == values.max()
    for s, a, m, b in zip(steps.astype(int), low, mean, high, strict=True):
        part = values[s : s + c.stride]
        assert (a, b) == (part.min(), part.max())
        np.testing.assert_allclose(m, part.mean(), atol=1e-9)


@given(st.integers(1, 200), st.integers(0, 250), st.integers(2, 40))
def test_going_back_cuts_there(count, back, limit):
    c = Curve(limit)
    c.append(10, np.arange(count))
    c.truncate(10 + back)
    assert c.end == (10 + min(back, count) if back else 0)
    c.append(10 + min(back, count), [1.0] * 3)
    assert c.end == 10 + min(back, count) + 3
    assert c.arrays()[0][0] == 10


def test_a_gap_and_an_earlier_start_begin_anew():
    c = Curve()
    c.append(0, np.ones(5))
    c.append(100, [7.0])
    assert c.arrays()[0].tolist() == [100]
    c.append(3, [8.0])
    assert c.arrays()[0].tolist() == [3] and c.arrays()[2].tolist() == [8]
    c.clear()
    assert len(c.arrays()[0]) == 0


@given(st.integers(1, 700), st.integers(2, 9), st.integers(0, 300))
def test_a_restored_curve_goes_on_as_the_one_it_was(count, half, more):
    c, again = Curve(2 * half), Curve(2 * half)
    c.append(7, np.cos(np.arange(count)))
    kept = c.state()
    again.restore(kept)
    assert kept.end == c.end == 7 + count
    for each in (c, again):
        each.append(7 + count, np.sin(np.arange(more)))
    assert again.end == c.end and again.last == c.last and again.stride == c.stride
    for ours, theirs in zip(again.arrays(), c.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(kept.points) * kept.stride + kept.open[0] == count  # later numbers did not change it


@given(st.integers(1, 400), st.integers(2, 9))
def test_a_smaller_curve_takes_a_larger_one(count, half):
    c, small = Curve(1000), Curve(2 * half)
    c.append(0, np.arange(count))
    small.restore(c.state())
    steps, low, mean, high = small.arrays()
    assert small.end == count and len(steps) <= 2 * half
    assert (low.min(), high.max(), small.last) == (0, count - 1, count - 1)
    weights = np.diff(np.append(steps, count))
    np.testing.assert_allclose((mean * weights).sum() / count, (count - 1) / 2)
