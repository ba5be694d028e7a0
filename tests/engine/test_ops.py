"""References against sums written out by hand: they define what correct is, so nothing else checks them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
import pytest

from engine.ops.base import REGISTRY, Array, Context, normal

NONE: Mapping[str, Hashable] = {}


def reference(
    kind: str, *ins: Array, attrs: Mapping[str, Hashable] = NONE, ctx: Context | None = None
) -> tuple[Array, ...]:
    lanes = ins[0].shape[-1] if ins and ins[0].ndim else 1
    return REGISTRY[kind].reference(ins, attrs, ctx or Context(lanes))


@pytest.mark.parametrize(
    ("stride", "padding"), [((1, 1), (0, 0, 0, 0)), ((2, 1), (1, 0, 2, 1)), ((3, 2), (0, 3, 1, 0))]
)
def test_convolution_is_cross_correlation(
    stride: tuple[int, int], padding: tuple[int, int, int, int]
) -> None:
    k, x, b = normal(1, 3, 2, 3, 2), normal(2, 2, 6, 5, 4), normal(3, 3)
    (z,) = reference("conv2d", k, x, b, attrs={"stride": stride, "padding": padding})
    top, left, bottom, right = padding
    assert z.shape[1:3] == ((6 + top + bottom - 3) // stride[0] + 1, (5 + left + right - 2) // stride[1] + 1)
    for o, r, c, s in np.ndindex(*z.shape):
        total = b[o]
        for ch, i, j in np.ndindex(2, 3, 2):
            y, w = r * stride[0] + i - top, c * stride[1] + j - left
            if 0 <= y < 6 and 0 <= w < 5:
                total += k[o, ch, i, j] * x[ch, y, w, s]
        assert z[o, r, c, s] == pytest.approx(total)


def test_maximum_takes_the_first_of_equals_and_never_the_padding() -> None:
    x = np.array([[[-5.0, -5.0], [-5.0, -7.0]]])[..., None]
    attrs = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    y, place = reference("maxpool2d", x, attrs=attrs)
    assert y[0, 0, 0, 0] == -5
    assert place[0, 0, 0, 0] == 0
    y, place = reference("maxpool2d", x, attrs={**attrs, "padding": (1, 1, 1, 1)})
    assert y[0, :, :, 0].tolist() == [[-5, -5], [-5, -7]]
    assert place[0, :, :, 0].tolist() == [[3, 2], [1, 0]]


def test_average_counts_the_padding_as_zeros() -> None:
    x = np.full((1, 2, 2, 1), 8.0)
    (y,) = reference("avgpool2d", x, attrs={"kernel": (2, 2), "stride": (2, 2), "padding": (1, 1, 1, 1)})
    assert y[0, :, :, 0].tolist() == [[2, 2], [2, 2]]


def test_average_pooling_is_a_matrix() -> None:
    """4 x 16 on a picture of 4 x 4: each row has four quarters."""
    attrs = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    unit = np.eye(16).reshape(1, 4, 4, 16)
    (y,) = reference("avgpool2d", unit, attrs=attrs)
    matrix = y.reshape(4, 16)
    assert sorted(matrix[0].tolist()) == [0.0] * 12 + [0.25] * 4
    x = normal(1, 1, 4, 4, 1)
    assert np.allclose(reference("avgpool2d", x, attrs=attrs)[0].ravel(), matrix @ x.ravel())


def test_slope_of_relu_at_zero_is_zero() -> None:
    a = reference("relu", np.array([[0.0, -0.0, 2.0]]))[0]
    assert reference("relu_grad", np.ones((1, 3)), a)[0].tolist() == [[0, 0, 1]]


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    z = np.array([[1e4, -1e4], [0.0, 0.0]], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        assert reference("softmax", z)[0].tolist() == [[1, 0], [0, 1]]
        assert reference("sigmoid", z)[0].tolist() == [[1, 0], [0.5, 0.5]]


def test_cross_entropy_is_the_mean_of_natural_logarithms() -> None:
    z, y = (
        np.log(np.array([[0.7, 0.1, 9.0], [0.2, 0.8, 9.0], [0.1, 0.1, 9.0]])),
        np.array([0, 1, 2], np.int32),
    )
    p, loss = reference("softmax_xent", z, y, ctx=Context(2))
    assert float(loss) == pytest.approx(-(math.log(0.7) + math.log(0.8)) / 2)
    (dz,) = reference("softmax_xent_grad", p, y, ctx=Context(2))
    assert np.allclose(dz[:, :2], [[-0.15, 0.05], [0.1, -0.1], [0.05, 0.05]])
    assert not dz[:, 2].any()


def test_mean_squared_error_is_the_mean_over_all_entries() -> None:
    y, t = np.array([[1.0, 2.0, 9.0], [3.0, 5.0, 9.0]]), np.array([[0.0, 2.0, 0.0], [1.0, 2.0, 0.0]])
    assert float(reference("mse", y, t, ctx=Context(2))[0]) == pytest.approx((1 + 0 + 4 + 9) / 4)
    assert reference("mse_grad", y, t, ctx=Context(2))[0].tolist() == [[0.5, 0, 0], [1, 1.5, 0]]


def test_normalization_leaves_mean_zero_and_variance_one() -> None:
    x = normal(1, 3, 4, 5, 8) * 7 + 3
    ones, zeros = np.ones(3), np.zeros(3)
    y, mean, invstd, new_mean, new_var = reference(
        "batchnorm", x, ones, zeros, zeros, ones, attrs={"epsilon": 1e-12, "momentum": 0.25}, ctx=Context(6)
    )
    live = y[..., :6].reshape(3, -1)
    assert np.allclose(live.mean(1), 0)
    assert np.allclose(live.var(1), 1)
    flat = x[..., :6].reshape(3, -1)
    assert np.allclose(mean, flat.mean(1))
    assert np.allclose(invstd, 1 / flat.std(1))
    assert np.allclose(new_mean, 0.25 * flat.mean(1))
    assert np.allclose(new_var, 0.75 + 0.25 * flat.var(1, ddof=1))


def test_dropout_keeps_the_mean_and_repeats_itself() -> None:
    x = np.ones((200, 100))
    ctx = Context(100, {"p": 0.3}, seed=1, step=2, stream=3)
    y, mask = reference("dropout", x, ctx=ctx)
    assert np.array_equal(y, mask)
    assert set(np.unique(mask)) == {0.0, float(np.float32(1) / np.float32(0.7))}
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert np.array_equal(reference("dropout", x, ctx=ctx)[0], y)
    for other in (
        Context(100, {"p": 0.3}, 2, 2, 3),
        Context(100, {"p": 0.3}, 1, 3, 3),
        Context(100, {"p": 0.3}, 1, 2, 4),
    ):
        assert not np.array_equal(reference("dropout", x, ctx=other)[0], y)


def test_adam_first_step_is_the_rate_in_the_sign_of_the_gradient() -> None:
    w, g = np.zeros(3), np.array([4.0, -0.001, 100.0])
    controls = {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.0, "c1": 0.1, "c2": 0.001}
    new, m, v = reference("adam", w, g, np.zeros(3), np.zeros(3), ctx=Context(1, controls))
    assert np.allclose(new, [-0.1, 0.1, -0.1])
    assert np.allclose(m, 0.1 * g)
    assert np.allclose(v, 0.001 * g * g)


def test_momentum_gathers_speed() -> None:
    w, v = np.zeros(1), np.zeros(1)
    for _ in range(3):
        w, v = reference("momentum", w, np.ones(1), v, ctx=Context(1, {"lr": 1.0, "momentum": 0.5}))
    assert v[0] == 1.75
    assert w[0] == -(1 + 1.5 + 1.75)


def test_every_rule_is_found_under_its_kind() -> None:
    assert all(kind == rule.kind for kind, rule in REGISTRY.items())
