"""The worked one-layer example, digit by digit, from its sample; and cells opened to their terms."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.errors import GraphError
from engine.explain import explain
from engine.ops.base import MOST_TERMS, REGISTRY, Context
from engine.project_file import load_project
from engine.training import Trainer
from engine.values import Op, Value


@pytest.fixture
def one_layer(root) -> Trainer:
    project = load_project(root / "resources" / "samples" / "one_layer.matrizen")
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    trainer.load_checkpoint(project.run)
    return trainer


def test_every_number_of_the_worked_example(one_layer):
    t = one_layer
    assert t.traced_step() is None
    gradient = {k: v.id for k, v in t.program.gradients.items()}
    values = {
        "x.x": [[1, 2], [3, 4]],
        "layer1.weight@old": [[0.5, -0.25], [0.25, 0.5]],
        "layer1.bias@old": [0.1, -2],
        "layer1.z": [[-0.15, 0.1], [-0.25, 0.5]],
        "relu1.a": [[0, 0.1], [0, 0.5]],
        gradient["layer1.z"]: [[0, 0.05], [0, -0.25]],
        gradient["layer1.weight@old"]: [[0.1, 0.2], [-0.5, -1]],
        gradient["layer1.bias@old"]: [0.05, -0.25],
        "layer1.weight@new": [[0.49, -0.27], [0.3, 0.6]],
        "layer1.bias@new": [0.095, -1.975],
    }
    for name, expected in values.items():
        np.testing.assert_allclose(t.read(name), expected, rtol=1e-6, atol=1e-7, err_msg=name)
    np.testing.assert_allclose(t.loss, 0.315, rtol=1e-6)
    np.testing.assert_allclose(t.store.state()["layer1.weight"], [[0.49, -0.27], [0.3, 0.6]], rtol=1e-6)


def test_the_cell_of_z_is_its_row_times_its_column_plus_bias(one_layer):
    one_layer.traced_step()
    e = explain(one_layer, "layer1.z", (1, 1))
    assert e.node == "layer1" and e.step == 0 and e.cell == (1, 1)
    np.testing.assert_allclose(e.number, 0.5, rtol=1e-6)
    assert abs(e.terms.total - e.number) < 1e-6


def test_every_cell_of_every_value_sums_to_the_engine_s_number(one_layer):
    one_layer.traced_step()
    opened = 0
    for name in one_layer.program.values:
        shape = one_layer.read(name).shape
        for cell in np.ndindex(*shape):
            e = explain(one_layer, name, cell)
            assert e.number == float(one_layer.read(name)[cell])
            if e.terms is not None:
                np.testing.assert_allclose(e.terms.total, e.number, rtol=1e-5, atol=1e-6, err_msg=name)
                opened += 1
    assert opened > 20


def test_what_is_not_there_is_refused(one_layer):
    one_layer.traced_step()
    with pytest.raises(GraphError, match=r"no value .nothing\.z"):
        explain(one_layer, "nothing.z", (0, 0))
    for cell in ((2, 0), (0, -1), (0,), ()):
        with pytest.raises(GraphError, match=r"layer1\.z has no cell"):
            explain(one_layer, "layer1.z", cell)
    assert explain(one_layer, "layer1.weight@old", (0, 0)).kind == "parameter"


def test_reset_returns_to_the_numbers_of_the_example(one_layer):
    one_layer.run(5)
    one_layer.reset()
    np.testing.assert_allclose(one_layer.store.state()["layer1.weight"], [[0.5, -0.25], [0.25, 0.5]])


def test_of_very_many_terms_the_largest_are_listed_and_the_rest_is_counted():
    size = 20
    rng = np.random.default_rng(3)
    d, x = (rng.standard_normal((1, size, size, 8)).astype(np.float32) for _ in range(2))
    values = tuple(Value(name, ("C", "H", "W", "N"), a.shape) for name, a in (("d", d), ("x", x)))
    rule = REGISTRY["conv2d_dw"]
    attrs = {"stride": (1, 1), "padding": (1, 1, 1, 1), "kernel": (3, 3)}
    out = Value("dk", ("out", "in", "kH", "kW"), (1, 1, 3, 3))
    (dk,) = rule.reference((d, x), attrs, Context(8))
    arrays = {"d": d, "x": x, "dk": dk}
    op = Op("conv2d_dw", values, (out,), attrs)
    terms = rule.explain(op, 0, (0, 0, 1, 2), lambda v: arrays[v.id], Context(8))
    count = 20 * 19 * 8
    assert MOST_TERMS - 2 <= len(terms.terms) <= MOST_TERMS and terms.left_out[0] == count - len(terms.terms)
    assert sum(t.value for t in terms.terms) + terms.left_out[1] == pytest.approx(terms.total)
    assert abs(terms.difference) < 1e-3
    for term in terms.terms:
        (_, (_, r, q, s), u), (_, (_, y, z, _), v) = term.factors
        assert (u, v) == (d[0, r, q, s], x[0, y, z, s]) and (y, z) == (r, q + 1)
    fewer = terms.shortened(10)
    assert len(fewer.terms) <= 10 and fewer.total == terms.total
    assert fewer.left_out[0] == count - len(fewer.terms)
    assert (fewer.terms[0], fewer.terms[-1]) == (terms.terms[0], terms.terms[-1])
