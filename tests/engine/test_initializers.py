"""Start values have the spread, the angles and the repeatability their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from engine.initializers import INITIALIZER_CHOICES, initialize
from engine.layers.base import ParamSpec

SHAPES = ((40, 60), (60, 40), (8, 3, 3, 3), (50,))


def made(kind: str, shape: tuple[int, ...], seed: int = 3) -> np.ndarray:
    return initialize(ParamSpec("weight", shape, kind, fan_in=60, fan_out=40), seed, "layer")


@pytest.mark.parametrize("kind", [k for k, _ in INITIALIZER_CHOICES])
def test_the_same_seed_gives_the_same_numbers_of_any_shape(kind: str) -> None:
    for shape in SHAPES:
        first = made(kind, shape)
        assert first.dtype == np.float32 and first.shape == shape and np.isfinite(first).all()
        assert np.array_equal(first, made(kind, shape))
        if kind not in ("zeros", "ones", "constant", "identity"):
            assert not np.array_equal(first, made(kind, shape, seed=4))


@pytest.mark.parametrize(
    ("kind", "deviation"),
    [("xavier_uniform", 0.02**0.5), ("xavier_normal", 0.02**0.5), ("he_uniform", (2 / 60) ** 0.5),
     ("he_normal", (2 / 60) ** 0.5), ("normal", 0.1), ("uniform", 0.1 / 3**0.5)],
)  # fmt: skip
def test_the_spread(kind: str, deviation: float) -> None:
    numbers = made(kind, (200, 200))
    assert abs(numbers.mean()) < 0.02 * deviation
    assert numbers.std() == pytest.approx(deviation, rel=0.02)


def test_orthogonal_rows_or_columns() -> None:
    for shape in ((40, 60), (60, 40), (8, 3, 3, 3)):
        w = made("orthogonal", shape).reshape(shape[0], -1).astype(np.float64)
        product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        assert np.allclose(product, np.eye(len(product)), atol=1e-6)


def test_identity_hands_on_what_comes_in() -> None:
    assert np.array_equal(made("identity", (3, 5)), np.eye(3, 5))
    kernel = made("identity", (2, 2, 3, 3))
    assert kernel.sum() == 2 and kernel[0, 0, 1, 1] == kernel[1, 1, 1, 1] == 1
