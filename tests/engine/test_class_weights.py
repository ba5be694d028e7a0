"""Class weights and smoothed labels: what they are, what a test makes of them, what does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.class_weights import class_weights
from engine.data.dataset import make_dataset
from engine.errors import GraphError
from engine.explain import explain
from engine.gradient_check import check_layer
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Dense, Input, Output
from engine.output_problems import loss_note
from engine.run import data_spec
from engine.settings import DataSpec, TrainingSpec
from engine.training import Trainer

GRAPH = GraphSpec().add("x", Input((4,))).add("c", Dense(3), after="x").add("out", Output(), after="c")
BALANCED = TrainingSpec("cross_entropy", "sgd", 0.1, 64, class_weighting="balanced", label_smoothing=0.1)


def run(count: int = 700) -> Trainer:
    """Rare and frequent classes; more test examples than fit into one slice."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((count, 4)).astype(np.float32)
    y = rng.choice(3, count, p=(0.7, 0.2, 0.1))
    data = make_dataset(x[:300], y[:300], x[300:], y[300:], kind="vectors", class_names=("a", "b", "c"))
    return Trainer(GRAPH, BALANCED, data, open_backend("numpy"))


def test_balanced_is_by_the_training_examples_and_a_test_divides_by_all_weights() -> None:
    t = run()
    counts = np.bincount(t.dataset.y_train)
    assert data_spec(t.dataset, "test").counts == tuple(counts)
    w = np.array(class_weights(BALANCED, t.spec))
    np.testing.assert_allclose(w * counts, [100, 100, 100])
    found = t.evaluate()
    z = t.predict(t.dataset.test_inputs())["c.z"].astype(np.float64)
    y = t.dataset.y_test
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    right = (w[y] * -logs[np.arange(len(y)), y]).sum()
    even = -(logs * w).sum() / 3
    wanted = (0.9 * right + 0.1 * even) / w[y].sum()
    assert found is not None and found.loss == pytest.approx(wanted, rel=1e-5)


def test_its_gradient_is_checked_and_its_cells_explained() -> None:
    t = run()
    t.traced_step()
    check = check_layer(t, "c")
    for _ in check.steps():
        pass
    assert all(c.agrees for c in check.result().checked)
    for value, cell in (("c.z@grad", (1, 3)), ("out.loss", ()), ("out.mass", ()), ("out.w", (5,))):
        terms = explain(t, value, cell).terms
        assert terms is not None and abs(terms.difference) <= 1e-5 * max(1.0, abs(terms.total)), value


def test_a_class_without_examples_has_weight_one() -> None:
    assert class_weights(BALANCED, DataSpec((4,), 3, counts=(6, 0, 3))) == (0.5, 1.0, 1.0)
    assert class_weights(BALANCED, DataSpec((4,), 3)) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("given", [(), (1.0, 2.0), (1.0, 2.0, 3.0, 4.0)])
def test_as_many_weights_as_classes(given: tuple[float, ...]) -> None:
    settings = TrainingSpec(class_weighting="own", class_weights=given)
    (problem,) = infer(GRAPH, settings, DataSpec((4,), 3)).problems
    assert "3 classes" in str(problem.message)
    (repair,) = problem.repairs
    assert infer(GRAPH, replace(settings, **{repair.field: repair.value}), DataSpec((4,), 3)).ready


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, float("nan")), "1; 2", (True,), 3])
def test_weights_that_are_none_are_refused(wrong: object) -> None:
    with pytest.raises(GraphError, match="class_weights"):
        TrainingSpec(class_weights=wrong)  # type: ignore[arg-type]


def test_the_output_says_what_its_mean_is() -> None:
    out = GRAPH.by_name("out")
    data = DataSpec((4,), 3, counts=(2, 4, 6))
    said = " ".join(str(m) for m in loss_note(GRAPH, out, "cross_entropy", BALANCED, data))
    assert "divided by the weights" in said and "2; 1; 0.667" in said and "0.9 of the target" in said
