"""Scales: symmetric, at a percentile with marks, calm while values tremble."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gui.views.scale import Scale, StableScale, decimals_for, label, scale_of


def test_signed_scales_are_symmetric_and_small_arrays_are_not_cut() -> None:
    scale = scale_of(np.array([[-4.44, 1.0], [2.0, 3.0]]), "weights")
    assert (scale.low, scale.high) == (-4.44, 4.44)
    assert not scale.below and not scale.above
    assert scale.labels() == ("−4.44", "0", "+4.44")


def test_an_outlier_is_cut_off_and_marked() -> None:
    values = np.random.default_rng(0).normal(0, 0.1, 5000)
    values[17] = 50.0
    scale = scale_of(values, "weights")
    assert scale.high < 0.5
    assert scale.above
    low, _, high = scale.labels()
    assert high.startswith("≥ +") and low.startswith("≤ −")


def test_activations_start_at_zero_unless_they_are_negative() -> None:
    assert scale_of(np.array([0.0, 2.0]), "activations").low == 0.0
    assert scale_of(np.array([-1.0, 2.0]), "activations").low == -1.0
    assert scale_of(np.array([[0, 200]], dtype=np.uint8), "pictures") == Scale(0.0, 255.0)
    assert scale_of(np.array([[0.0, 0.7]]), "pictures").high == 1.0


def test_a_trembling_picture_keeps_its_scale() -> None:
    rng = np.random.default_rng(1)
    stable = StableScale("gradients")
    stable.update(rng.normal(0, 1.0, 4000))
    settled = stable.update(rng.normal(0, 1.15, 4000))
    ends = {stable.update(rng.normal(0, s, 4000)).high for s in rng.uniform(0.8, 1.05, 60)}
    assert ends == {settled.high}


def test_it_widens_at_once_and_narrows_after_a_while() -> None:
    stable = StableScale("weights")
    values = np.linspace(-1, 1, 50)
    first = stable.update(values)
    assert stable.update(values * 3).high >= 3.0
    wide = stable.update(values * 3).high
    after = [stable.update(values).high for _ in range(20)]
    assert after[0] == wide
    assert first.high <= after[-1] < 0.5 * wide
    stable.reset()
    assert stable.update(values) == first


def test_where_updates_are_rare_it_narrows_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gui.views.scale.monotonic", lambda: now[0])
    stable = StableScale("gradients")
    values = np.linspace(-1, 1, 50)
    stable.update(values)
    seen = []
    for now[0] in (0.1, 0.6, 1.4):
        seen.append(stable.update(values * 0.1).high)
    assert seen[:2] == [1.0, 1.0]
    assert seen[2] < 0.2


def test_places_on_the_ramp() -> None:
    scale = Scale(-1.0, 1.0)
    values = np.array([-2.0, -1.0, 0.0, 1.0, 5.0, np.nan, np.inf, -np.inf])
    assert scale.indices(values).tolist() == [0, 0, 128, 255, 255, 128, 255, 0]
    assert Scale(0.0, 2.0).indices(np.array([np.nan, 2.0])).tolist() == [0, 255]
    assert Scale(1.0, 1.0).indices(np.array([1.0])).tolist() == [0]


@pytest.mark.parametrize("role", ["weights", "gradients", "activations", "pictures"])
@given(
    values=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)  # fmt: skip
def test_any_array_gets_a_scale_and_colors(
    role: str, values: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> None:
    scale = scale_of(values, role)
    assert np.isfinite(scale.low) and scale.high > scale.low
    assert scale.indices(values).shape == values.shape
    assert all(isinstance(text, str) for text in scale.labels())


def test_empty_and_dead_arrays() -> None:
    assert scale_of(np.zeros((0, 4)), "weights") == Scale(-1.0, 1.0)
    assert scale_of(np.zeros((4, 4)), "weights").high == 1.0
    assert scale_of(np.zeros((4, 4)), "activations").high == 1.0


def test_labels_have_the_decimals_their_size_needs() -> None:
    assert [decimals_for(v) for v in (0.107, 1.54, 12.0, 250.0, 0.0)] == [3, 2, 1, 0, 2]
    assert label(0.0000303, 4) == "3.03·10⁻⁵"
    assert label(-0.107, 3) == "−0.107"
