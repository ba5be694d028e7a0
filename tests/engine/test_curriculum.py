"""The worked examples of the curriculum, to the digits printed, computed with the engine's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import Dense, GraphSpec, Input, Network, Output, ReLU, TrainingSpec
from engine.data.pictures import read_picture
from engine.data.samples import sample_picture
from engine.ops import REGISTRY, Context

Array = np.ndarray[Any, Any]


def apply(matrix: Any, points: Any, bias: Any = None) -> Array:
    """Columns of `points` through a layer without a function: M·P, or M·P + b."""
    weight = np.array(matrix, np.float32)
    graph = GraphSpec().add("x", Input((weight.shape[1],)))
    graph = graph.add("layer", Dense(weight.shape[0], bias=bias is not None), after="x")
    network = Network(graph.add("out", Output(), after="layer"), batch=len(points))
    weights = {"layer.weight": weight}
    if bias is not None:
        weights["layer.bias"] = np.array(bias, np.float32)
    network.load(weights)
    network.forward(np.array(points, np.float32))
    return network.value("layer.z")


def printed(array: Array, digits: int) -> list[Any]:
    """Rounded as it is printed, without negative zeros."""
    return (np.round(np.asarray(array, float), digits) + 0.0).tolist()


def test_a_picture_as_shares_of_255() -> None:
    picture = np.array([[[[255, 128, 0], [64, 32, 16]]]], np.uint8)
    attrs = {"scale": 1 / 255, "shift": 0.0, "capacity": 1, "axes": ("C", "H", "W", "N")}
    order = np.zeros(1, np.int32)
    (shares,) = REGISTRY["gather"].reference((picture, order), attrs, Context(1, {"pos": 0}))
    assert printed(shares[0, :, :, 0], 3) == [[1.0, 0.502, 0.0], [0.251, 0.125, 0.063]]


def test_bias_as_a_vector_or_folded_into_w() -> None:
    weight, bias = [[0.2, -0.5, 1.0], [0.4, 0.1, -0.3]], [0.1, -0.2]
    folded = [[*row, b] for row, b in zip(weight, bias, strict=True)]
    apart = apply(weight, [[1, 2, 3]], bias)
    np.testing.assert_allclose(apply(folded, [[1, 2, 3, 1]]), apart, atol=1e-6)
    assert printed(apart, 3) == [[2.3], [-0.5]]


def test_six_products_three_sums_then_the_bias() -> None:
    weight, bias = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], [-1.0, -3.0, 0.5]
    assert printed(apply(weight, [[4, 2]]), 3) == [[0.0], [8.5], [0.0]]
    assert printed(apply(weight, [[4, 2]], bias), 3) == [[-1.0], [5.5], [0.5]]
    terms = np.array(weight) * np.array([4, 2])
    assert terms.size == 6 and printed(terms.sum(1), 3) == [0.0, 8.5, 0.0]


def test_columns_of_a_batch_do_not_meet() -> None:
    weight = [[0.5, -1.0], [2.0, 0.25]]
    one, other = apply(weight, [[4, 2], [1, 0]]), apply(weight, [[9, 9], [1, 0]])
    np.testing.assert_array_equal(one[:, 1], other[:, 1])
    assert not np.array_equal(one[:, 0], other[:, 0])


def test_transformations_of_points() -> None:
    assert printed(apply([[0, -1], [1, 0]], [[1, 0]]), 3) == [[0.0], [1.0]]
    matrix = np.array([[1.1, 0, 5], [0, 1.1, 0], [0, 0, 1]])
    assert printed(apply(matrix, [[0, 0, 1], [10, 10, 1]]), 4) == [[5.0, 16.0], [0.0, 11.0], [1.0, 1.0]]
    assert printed(apply([[1.1, 0], [0, 1.1]], [[0, 0], [10, 10]], [5, 0]), 4) == [[5.0, 16.0], [0.0, 11.0]]
    inverse = np.linalg.inv(matrix)
    assert printed(inverse, 3) == [[0.909, 0.0, -4.545], [0.0, 0.909, 0.0], [0.0, 0.0, 1.0]]
    there = apply(matrix, [[3, 4, 1]])
    np.testing.assert_allclose(apply(inverse, there.T), [[3], [4], [1]], atol=1e-5)
    shift, scale = np.diag([1.0, 1, 1]), np.diag([1.1, 1.1, 1])
    shift[0, 2] = 5
    assert printed(apply(scale, apply(shift, [[0, 0, 1]]).T), 4) == [[5.5], [0.0], [1.0]]
    assert printed(apply(scale @ shift, [[0, 0, 1]]), 4) == [[5.5], [0.0], [1.0]]
    assert not np.allclose(scale @ shift, shift @ scale)


def test_36_turns_of_10_degrees_lose_quality() -> None:
    picture = read_picture(sample_picture("chelsea")).array[60:188, 90:218]
    start = np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32) / 255
    angle, middle = np.deg2rad(10), 63.5
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([c, -s, middle - c * middle + s * middle, s, c, middle - s * middle - c * middle])
    now = start[..., None]
    for _ in range(36):
        made = REGISTRY["affine_warp"].reference(
            (now, matrix.astype(np.float32)[:, None]), {"border": "reflect"}, Context(1)
        )
        now = made[0]
    rows, columns = np.mgrid[:128, :128]
    inside = np.hypot(rows - middle, columns - middle) < 60
    error = float(np.mean((now[..., 0] - start)[:, inside] ** 2))
    psnr = -10 * np.log10(error)
    assert 18 < psnr < 32  # the same points, but not the same picture


def test_average_pooling_is_a_matrix_and_max_pooling_none() -> None:
    picture = np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4, 1)
    matrix = np.zeros((4, 16))
    for cell in range(4):
        for dr in range(2):
            for dc in range(2):
                matrix[cell, (2 * (cell // 2) + dr) * 4 + 2 * (cell % 2) + dc] = 0.25
    attrs = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)}
    pooled = REGISTRY["avgpool2d"].reference((picture,), attrs, Context(1))[0]
    assert printed(pooled.ravel(), 3) == [3.5, 5.5, 11.5, 13.5]
    assert printed(apply(matrix, picture.reshape(1, 16)).ravel(), 3) == [3.5, 5.5, 11.5, 13.5]
    largest = lambda x: REGISTRY["maxpool2d"].reference((x,), attrs, Context(1))[0]  # noqa: E731
    assert printed(largest(picture).ravel(), 3) == [6.0, 8.0, 14.0, 16.0]
    turned = picture[:, ::-1].copy()
    assert not np.allclose(largest(picture + turned), largest(picture) + largest(turned))


@pytest.fixture(scope="module")
def worked() -> Network:
    """The one-layer example after its step, with a layer before it that hands X on, so that dX is wanted."""
    graph = (
        GraphSpec().add("x", Input((2,))).add("before", Dense(2, bias=False), after="x")
        .add("layer1", Dense(2), after="before").add("relu1", ReLU(), after="layer1")
        .add("out", Output(), after="relu1")
    )  # fmt: skip
    network = Network(graph, TrainingSpec(loss="mse", optimizer="sgd", learning_rate=0.1), batch=2)
    network.load(
        {
            "before.weight": np.eye(2, dtype=np.float32),
            "layer1.weight": np.array([[0.5, -0.25], [0.25, 0.5]], np.float32),
            "layer1.bias": np.array([0.1, -2.0], np.float32),
        }
    )
    x, y = np.array([[1, 3], [2, 4]], np.float32), np.array([[1, 0], [0, 1]], np.float32)
    assert network.step(x, y) == pytest.approx(0.315, abs=5e-7)
    return network


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("layer1.z", [[-0.15, 0.1], [-0.25, 0.5]]),
        ("relu1.a", [[0, 0.1], [0, 0.5]]),
        ("layer1.z@grad", [[0, 0.05], [0, -0.25]]),
        ("layer1.weight@grad", [[0.1, 0.2], [-0.5, -1.0]]),
        ("layer1.bias@grad", [0.05, -0.25]),
        ("before.z@grad", [[0, -0.0375], [0, -0.1375]]),
        ("layer1.weight@new", [[0.49, -0.27], [0.3, 0.6]]),
        ("layer1.bias@new", [0.095, -1.975]),
    ],
)
def test_the_one_layer_example(worked: Network, value: str, expected: Any) -> None:
    assert printed(worked.value(value), 4) == printed(np.array(expected, float), 4)


def test_gradients_of_the_losses(worked: Network) -> None:
    # dL/dŷ = -(2/N)(y - ŷ) with N = 4
    assert printed(worked.value("relu1.a@grad"), 4) == [[-0.5, 0.05], [0.0, -0.25]]
