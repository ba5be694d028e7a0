"""What views show is what the engine computed, reduced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.session import plane, reduce
from engine.session import views as v
from engine.session.protocol import Configure, Step, Watch
from engine.values import Value
from tests.engine.session.conftest import ADAM, Inline, digits_net


@given(st.integers(1, 40), st.integers(1, 45), st.integers(1, 12), st.integers(1, 12))
def test_a_reduced_matrix_holds_the_means_of_its_blocks(rows: int, cols: int, r: int, c: int) -> None:
    array = np.random.default_rng(rows * 50 + cols).standard_normal((rows, cols)).astype(np.float32)
    value = Value("w", ("out", "in"), (rows, cols))
    data = reduce.matrix(v.Matrix("w", max_rows=r, max_cols=c), value, array)
    assert data.values.shape[0] <= r and data.values.shape[1] <= c
    assert data.shape == (rows, cols)
    i, j = data.values.shape[0] - 1, data.values.shape[1] - 1
    a, b = data.step
    np.testing.assert_allclose(data.values[i, j], array[i * a : (i + 1) * a, j * b : (j + 1) * b].mean(),
                               rtol=1e-4, atol=1e-6)
    assert data.low == array.min() and data.high == array.max()
    assert data.span <= np.abs(array).max()


def test_a_part_of_a_matrix_is_cut_to_what_there_is() -> None:
    array = np.arange(60, dtype=np.float32).reshape(6, 10)
    value = Value("w", ("out", "in"), (6, 10))
    data = reduce.matrix(v.Matrix("w", rows=(2, 4), cols=(8, 99)), value, array)
    np.testing.assert_array_equal(data.values, array[2:4, 8:10])
    assert (data.rows, data.cols, data.step) == ((2, 4), (8, 10), (1, 1))
    data = reduce.matrix(v.Matrix("w", rows=(70, 90)), value, array)
    np.testing.assert_array_equal(data.values, array[5:6])


@pytest.mark.parametrize(("axes", "shape", "sample", "expected"), [
    ("F N", (4, 7), None, (4, 7)), ("F N", (4, 7), 3, (4, 1)), ("C H W N", (2, 3, 5, 7), None, (30, 7)),
    ("C H W N", (2, 3, 5, 7), 99, (6, 5)), ("out", (6,), None, (6, 1)), ("N", (7,), None, (1, 7)),
    ("out in kH kW", (4, 2, 3, 3), None, (4, 18)), ("", (), None, (1, 1)),
])  # fmt: skip
def test_every_value_can_be_rows_and_columns(axes: str, shape: tuple[int, ...], sample: int | None,
                                             expected: tuple[int, int]) -> None:
    value = Value("x", tuple(axes.split()), shape)
    array = np.random.default_rng(1).standard_normal(shape)
    assert reduce.as_matrix(value, np.asarray(array), sample).shape == expected


def test_extremes_leave_out_what_is_not_finite() -> None:
    array = np.array([1.0, -3.0, np.nan, np.inf], np.float32)
    assert reduce.extremes(array)[:2] == (-3.0, 1.0)
    assert reduce.extremes(np.full(3, np.nan, np.float32)) == (0.0, 0.0, 0.0)
    assert reduce.extremes(np.zeros((0, 3), np.float32)) == (0.0, 0.0, 0.0)
    many = np.random.default_rng(0).standard_normal((300, 1000)).astype(np.float32)
    assert reduce.extremes(many)[2] == pytest.approx(np.quantile(np.abs(many), 0.99), rel=0.1)
    found = reduce.histogram(array, 8)
    assert found.non_finite == 2 and found.counts.sum() == 2
    assert reduce.counts(np.full(50, 2.0, np.float32), 5, 2.0, 2.0)[2] == 50


def test_all_views_of_pictures(inline: Inline) -> None:
    inline.digits()
    roles: tuple[v.ThumbRole, ...] = ("activations", "weights", "gradients", "deltas")
    for role in roles:
        inline.say(Watch(role, v.Thumbs(tuple((n.uid, role) for n in digits_net().nodes), sample=2)))
    inline.say(Watch("maps", v.Maps("relu1.a", sample=2)), Watch("kernels", v.Maps("conv1.weight@new")),
               Watch("no", v.Maps("dense1.bias@old")), Watch("h", v.Histogram("conv1.z", 20)),
               Watch("big", v.Matrix("relu1.a"), bytes=100), Watch("batch", v.Batch(5)),
               Watch("b", v.Boundary()), Step("batch"))
    frame, _ = inline.pull()
    assert frame is not None and frame.phase == "step"
    read = inline.trainer.read
    maps, kernels, h = frame.views["maps"], frame.views["kernels"], frame.views["h"]
    assert isinstance(maps, v.MapsData) and isinstance(kernels, v.MapsData) and isinstance(h, v.HistogramData)
    np.testing.assert_array_equal(maps.tiles, read("relu1.a")[..., 2])
    np.testing.assert_array_equal(kernels.tiles, read("conv1.weight@new")[:, 0])
    assert h.counts.sum() == read("conv1.z").size == h.total
    assert frame.views["no"] == v.Missing("kind") == frame.views["b"]
    assert frame.views["big"] == v.Missing("budget")
    batch = frame.views["batch"]
    assert isinstance(batch, v.BatchData) and batch.inputs.shape == (5, 1, 8, 8)
    assert batch.outputs.shape == (5, 10)
    np.testing.assert_array_equal(batch.inputs, inline.trainer.dataset.train_inputs(batch.index))
    np.testing.assert_array_equal(batch.targets, inline.trainer.dataset.y_train[batch.index])
    thumbs = frame.views["activations"]
    assert isinstance(thumbs, v.ThumbsData) and set(thumbs.nodes) == {n.uid for n in digits_net().nodes}
    relu = thumbs.nodes["relu1"]
    assert relu.tiles.shape == (4, 6, 6) and relu.stats.units == 4
    assert relu.stats.active == pytest.approx((read("relu1.a") > 0).mean(), abs=0.02)
    conv = thumbs.nodes["conv1"].stats
    new, old = read("conv1.weight@new"), read("conv1.weight@old")
    assert conv.update_ratio == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old), rel=1e-5)
    assert conv.gradient_norm == pytest.approx(np.linalg.norm(read("conv1.weight@grad")), rel=1e-5)
    weights, deltas = frame.views["weights"], frame.views["deltas"]
    assert isinstance(weights, v.ThumbsData) and isinstance(deltas, v.ThumbsData)
    assert weights.nodes["conv1"].tiles.shape == (4, 3, 3)
    assert "input" not in deltas.nodes and deltas.nodes["conv1"].tiles.shape == (4, 6, 6)
    for thumb in (t for role in roles for t in frame.views[role].nodes.values()):  # type: ignore[union-attr]
        k, height, width = thumb.tiles.shape
        assert k * height * width <= 136 * 112 and thumb.histogram.sum() > 0


def test_rows_of_a_dense_weight_behind_a_picture_are_pictures(inline: Inline) -> None:
    g = digits_net().remove(["conv1", "relu1", "norm1", "drop1"])
    g = g.link("input", "flatten1").link("flatten1", "dense1")
    inline.say(Configure(g, ADAM, inline.digits().session.builder.source, 2))
    inline.say(Watch("m", v.Maps("dense1.weight@old")))
    frame, _ = inline.pull()
    assert frame is not None
    data = frame.views["m"]
    assert isinstance(data, v.MapsData)
    np.testing.assert_array_equal(data.tiles, inline.state()["dense1.weight"].reshape(10, 8, 8))


def test_the_boundary_is_what_the_network_says_there(inline: Inline) -> None:
    inline.circle()
    inline.say(Watch("b", v.Boundary(size=24, neurons=("tanh1", "input"), neuron_size=12)),
               Watch("p", v.Points(30)), Watch("t", v.Thumbs((("tanh1", "neurons"),))))
    frame, _ = inline.pull()
    assert frame is not None
    data, points = frame.views["b"], frame.views["p"]
    assert isinstance(data, v.BoundaryData) and isinstance(points, v.PointsData)
    assert data.output.shape == (2, 24, 24) and data.neurons["tanh1"].shape == (3, 12, 12)
    np.testing.assert_allclose(data.output.sum(0), 1.0, rtol=1e-5)
    x0, x1, y0, y1 = data.extent
    assert x1 - x0 == pytest.approx(y1 - y0)
    corner = inline.trainer.predict(np.array([[x1, y0]], np.float32), keep=("tanh1.a",))["tanh1.a"][0]
    np.testing.assert_allclose(data.neurons["tanh1"][:, 0, -1], corner, rtol=1e-5)
    assert data.neurons["input"][1, 0, 0] == pytest.approx(y0)
    assert data.neurons["input"][0, 0, -1] == pytest.approx(x1)
    assert points.x_train.shape == (30, 2) and points.x_test.shape == (30, 2)
    everything = inline.trainer.dataset.train_inputs()
    assert x0 < everything[:, 0].min() and y1 > everything[:, 1].max()
    thumbs = frame.views["t"]
    assert isinstance(thumbs, v.ThumbsData) and thumbs.nodes["tanh1"].tiles.shape[0] == 3
    # points do not move: they come once
    inline.say(Step("batch"))
    frame, _ = inline.pull()
    assert frame is not None and "p" not in frame.views and "b" in frame.views


def test_the_grid_rises_with_x2_and_runs_with_x1() -> None:
    g = plane.grid((-1.0, 1.0, 10.0, 20.0), 3)
    np.testing.assert_array_equal(g[:3], [[-1, 10], [0, 10], [1, 10]])
    np.testing.assert_array_equal(g[-1], [1, 20])


def test_curves_are_merged_to_the_points_asked_for(inline: Inline) -> None:
    inline.circle()
    while inline.trainer.step < 500:
        inline.trainer.run(100, 1e6)
        inline.trainer.evaluate()
    inline.say(Watch("c", v.Curves(points=50)), Watch("late", v.Curves(since=400)))
    inline.say(Watch("few", v.Curves(points=3)))
    frame, _ = inline.pull()
    assert frame is not None
    data, late = frame.views["c"], frame.views["late"]
    assert isinstance(data, v.CurvesData) and isinstance(late, v.CurvesData)
    assert len(data.steps) <= 50 and data.steps[0] == 0
    steps, _, mean, _ = inline.trainer.curve.arrays()
    assert data.mean[0] == pytest.approx(mean[: int(data.steps[1])].mean())
    assert (data.low <= data.mean).all() and (data.mean <= data.high).all()
    np.testing.assert_array_equal(late.steps, steps[steps >= 400])
    tested = [t.step for t in inline.trainer.tests]
    assert data.test_steps.tolist() == tested and len(data.test_accuracy) == len(tested) > 3
    few = frame.views["few"]
    assert isinstance(few, v.CurvesData)
    assert len(few.test_steps) <= 3 and few.test_steps[-1] == tested[-1]
    assert (np.diff(few.test_steps) > 0).all()


def test_a_view_that_fails_does_not_stop_the_others(inline: Inline, monkeypatch: pytest.MonkeyPatch,
                                                    caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake")

    inline.circle()
    monkeypatch.setattr(reduce, "histogram", broken)
    inline.say(Watch("h", v.Histogram("dense1.z")), Watch("m", v.Matrix("dense1.z")))
    frame, _ = inline.pull()
    assert frame is not None and frame.views["h"] == v.Missing("failed")
    assert isinstance(frame.views["m"], v.MatrixData)
    assert "a mistake" in caplog.text

