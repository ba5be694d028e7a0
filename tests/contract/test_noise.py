"""Normal random numbers: what they are made of, that they are normal, that every device has the same bits."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from engine import gaussian, random
from engine.layers import Dense, Flatten, GaussianNoise, SpatialDropout
from engine.network import Network
from engine.ops.base import REGISTRY, stream_number
from engine.settings import TrainingSpec
from tests.contract.harness import BACKENDS, case_of, one_op, opencl_devices, ran
from tests.contract.networks import chain


def test_a_word_is_the_inverse_of_the_normal_distribution() -> None:
    """Every octave of the tail, both signs, up to the last words there are."""
    rng = np.random.default_rng(1)
    tail = np.concatenate([2**k + rng.integers(0, 2**k, 50) for k in range(31)]).astype(np.uint32)
    tail = np.unique(np.append(tail, [1, 2**31 - 1]).astype(np.uint32) | np.uint32(1))
    found = gaussian.normal_of(tail)
    expected = np.array([-NormalDist().inv_cdf(int(t) / 2**32) for t in tail])
    assert found.dtype == np.float32 and np.abs(found - expected).max() < 4e-5
    assert np.array_equal(gaussian.normal_of(tail | np.uint32(1 << 31)), -found)
    assert (np.diff(found) <= 1e-6).all() and 6.2 < found.max() < 6.3


def test_many_of_them_are_normal_and_repeat_themselves() -> None:
    z = gaussian.normal(7, 3, 5, 1000, 200).astype(np.float64)
    for power, moment, within in ((1, 0, 0.01), (2, 1, 0.01), (3, 0, 0.03), (4, 3, 0.06)):
        assert (z**power).mean() == pytest.approx(moment, abs=within)
    assert abs(np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]) < 0.01
    padded = gaussian.normal(7, 3, 5, 10, 64)
    assert np.array_equal(padded[:, :50], gaussian.normal(7, 3, 5, 10, 50))
    for other in ((8, 3, 5), (7, 4, 5), (7, 3, 6)):
        assert not np.array_equal(gaussian.normal(*other, 10, 50), z[:10, :50])
    assert np.array_equal(random.uniform(7, 3, 5, 9, 4) * 2**24, random.words(7, 3, 5, 9, 4) >> 8)


@pytest.mark.parametrize("kind", ["gaussian_noise", "spatial_dropout"])
def test_the_same_bits_on_every_device(backend_name: str, kind: str) -> None:
    for number in range(len(list(REGISTRY[kind].cases()))):
        expected = one_op(kind, case_of(kind, number)).reference(np.float32)
        found = next(r for r in ran(backend_name, kind, number) if r.label == "as written").traced
        for a, b in zip(found, expected, strict=True):
            assert np.array_equal(a, b), number


NAMES = [pytest.param(name, marks=[pytest.mark.thorough] if "pocl" in name else []) for name in BACKENDS]
"""Kernels are compiled slowly there, and the bits are compared above."""


@pytest.mark.parametrize("name", NAMES)
def test_training_draws_and_evaluation_does_not(name: str) -> None:
    device = opencl_devices()[name.split(":")[1]] if ":" in name else "numpy"
    graph = chain(SpatialDropout(0.5), GaussianNoise(0.3), Flatten(), Dense(units=2), shape=(5, 3, 4))
    net = Network(graph, TrainingSpec("mse", "sgd", 0.0, seed=3), batch=7, device=device)
    x = np.random.default_rng(2).standard_normal((7, 5, 3, 4)).astype(np.float32)
    before = net.forward(x)
    target = np.zeros_like(before)
    losses = [net.step(x, target) for _ in range(3)]
    assert len(set(losses)) == 3, "new numbers in every step"
    maps = net.value("spatial_dropout1.mask").reshape(5, -1, 7)
    assert set(np.unique(maps)) == {0.0, 2.0} and (maps == maps[:, :1]).all()
    y, noise = net.value("gaussian_noise1.y"), net.value("gaussian_noise1.noise")
    assert np.array_equal(y, net.value("spatial_dropout1.y") + np.float32(0.3) * noise)
    stream = stream_number("gaussian_noise1.gaussian_noise")
    assert np.array_equal(noise.reshape(-1, 7), gaussian.normal(3, stream, 2, 60, 7)), "none used up"
    assert np.array_equal(net.forward(x), before)
