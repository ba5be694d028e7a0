"""Several outputs in one network: the sum of their losses, its gradients, targets that are the input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import Network
from engine.backends.opening import open_backend
from engine.data.dataset import make_dataset
from engine.explain import explain
from engine.gradient_check import check_layer
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Augment, Conv2D, Dense, Flatten, Input, Output, Sigmoid, Softmax, Tanh
from engine.outputs import main_output, seen_by
from engine.project import graph_from_plain, graph_to_plain
from engine.project_curves import curve_arrays, curves_from_plain, curves_to_plain
from engine.repairs import apply_repair
from engine.settings import DataSpec, TrainingSpec
from engine.training import Trainer


def two_heads(weight: float = 0.25, loss: str = "mse") -> GraphSpec:
    """A class and the input itself from the same features."""
    return (
        GraphSpec()
        .add("x", Input((4,)))
        .add("h", Dense(5), after="x")
        .add("t", Tanh(), after="h")
        .add("c", Dense(3), after="t")
        .add("named", Output(), after="c")
        .add("d", Dense(4), after="t")
        .add("copy", Output(weight=weight, loss=loss, target="input"), after="d")
    )


def points(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(3).random((n, 4)).astype(np.float32)
    return x, x.argmax(1) % 3


def trainer(graph: GraphSpec, device: str = "numpy", **training: object) -> Trainer:
    x, y = points()
    data = make_dataset(x[:30], y[:30], x[30:], y[30:], kind="vectors", class_names=("a", "b", "c"))
    settings = replace(TrainingSpec(batch=10, learning_rate=0.05), **training)
    return Trainer(graph, settings, data, open_backend(device))


@pytest.mark.parametrize("device", ["numpy", "opencl:pocl"])
def test_the_loss_is_the_weighted_sum_and_so_is_its_gradient(device: str) -> None:
    x, y = points(6)
    net = Network(two_heads(), TrainingSpec(optimizer="sgd"), batch=8, classes=3, device=_present(device))
    start = net.weights()
    loss = net.step(x, y)
    w = {k: v.astype(np.float64) for k, v in start.items()}
    hidden = np.tanh(x @ w["h.weight"].T + w["h.bias"])
    z, copy = hidden @ w["c.weight"].T + w["c.bias"], hidden @ w["d.weight"].T + w["d.bias"]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    named, copied = -np.log(p[np.arange(6), y]).mean(), ((copy - x) ** 2).mean()
    assert [float(net.value(v.id)) for v in net.program.losses] == pytest.approx(
        [named + 0.25 * copied, named, copied], rel=1e-6
    )
    assert loss == pytest.approx(named + 0.25 * copied, rel=1e-6)
    d_copy = 0.25 * 2 * (copy - x) / copy.size
    d_z = (p - np.eye(3)[y]) / 6
    np.testing.assert_allclose(net.gradient("d.z"), d_copy.T, rtol=1e-5, atol=1e-8)
    d_hidden = d_copy @ w["d.weight"] + d_z @ w["c.weight"]
    np.testing.assert_allclose(net.gradient("t.a"), d_hidden.T, rtol=1e-5, atol=1e-8)


def _present(device: str) -> str:
    from engine import list_devices

    return next(d.id for d in list_devices() if d.id.startswith(device))


def test_one_output_of_weight_one_is_recorded_as_ever() -> None:
    graph = GraphSpec().add("x", Input((4,))).add("c", Dense(3), after="x").add("out", Output(), after="c")
    program = trainer(graph).program
    assert [v.id for v in program.losses] == ["out.loss"] and set(program.metrics) == {"hits"}
    assert not any(op.kind in ("scale", "weighted_sum") for op in program.ops)


def test_tests_of_both_and_the_accuracy_of_the_first_class_output() -> None:
    t = trainer(two_heads(0.5))
    found = t.evaluate()
    x, y = t.dataset.test_inputs(), t.dataset.y_test
    values = t.predict(x, keep=("c.z", "d.z"))
    assert found is not None and found.accuracy == (values["c.z"].argmax(1) == y).mean()
    named, copied = found.parts
    assert copied == pytest.approx(((values["d.z"] - x) ** 2).mean(), rel=1e-5)
    assert found.loss == pytest.approx(named + 0.5 * copied, rel=1e-6)
    assert t.output_value(t.program).id == "c.z" and t.classifies
    run = t.checkpoint()
    (_, tests), notes = curves_from_plain(curves_to_plain(run), curve_arrays(run), run.step, "f")
    assert tests == (found,) and not notes


def test_checked_and_explained_back_to_the_sum() -> None:
    t = trainer(two_heads())
    t.traced_step()
    check = check_layer(t, "h")
    for _ in check.steps():
        pass
    assert all(c.agrees for c in check.result().checked)
    terms = explain(t, "named.total", ()).terms
    assert terms is not None and abs(terms.difference) < 1e-6 and len(terms.terms) == 2
    scaled = explain(t, "d.z@grad", (1, 2))
    assert scaled.kind == "scale" and scaled.ins == ("d.z@grad/L2",)


def test_an_autoencoder_of_pictures_learns_its_input() -> None:
    graph = (
        GraphSpec()
        .add("x", Input((1, 5, 5)))
        .add("turn", Augment(), after="x")
        .add("conv", Conv2D(filters=1, kernel=(3, 3), padding=(1, 1, 1, 1)), after="turn")
        .add("s", Sigmoid(), after="conv")
        .add("out", Output(loss="bce", target="input"), after="s")
    )
    assert seen_by(graph, graph.by_name("out")) == "turn"
    rng = np.random.default_rng(0)
    x = (rng.random((24, 1, 5, 5)) > 0.5).astype(np.uint8) * 255
    data = make_dataset(x[:16], np.arange(16) % 2, x[16:], np.arange(8) % 2, kind="pictures",
                        class_names=("a", "b"), scale=1 / 255)  # fmt: skip
    t = Trainer(graph, TrainingSpec(learning_rate=0.1, batch=8), data, open_backend("numpy"))
    first = t.evaluate()
    while t.step < 120:
        t.run(120 - t.step, 1e6)
    last = t.evaluate()
    assert first is not None and last is not None and last.loss < 0.6 * first.loss
    assert last.accuracy is None and not last.parts and not t.classifies
    assert next(iter(t.predict(data.test_inputs()).values())).shape == (8, 1, 5, 5)


AE = {"target": "input"}


@pytest.mark.parametrize(
    ("output", "training", "data", "said"),
    [
        (Output(**AE), "cross_entropy", {}, "needs classes, but the target here is the input itself"),
        (Output(loss="hinge", **AE), "mse", {}, "needs classes, but the target here is the input itself"),
        (Output(loss="bce", **AE), "mse", {"low": -2.0, "high": 2.0}, "targets from 0 to 1"),
        (Output(loss="mse", **AE), "mse", {"shape": (6,)}, "the input with 6 numbers, the network gives 4"),
        (Output(), "cross_entropy", {"classes": 0, "target_width": 4}, "Cross-entropy needs classes"),
        (Output(loss="hinge"), "mse", {"classes": 0, "target_width": 4}, "needs classes"),
        (Output(weight=0.0), "mse", {"classes": 4}, "nothing would be learned"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_painted_with_its_repair(
    output: Output, training: str, data: dict[str, object], said: str
) -> None:
    spec = replace(DataSpec((4,), 3), **data)
    graph = GraphSpec().add("x", Input(spec.shape)).add("d", Dense(4), after="x")
    graph = graph.add("out", output, after="d")
    settings = TrainingSpec(training)
    (problem,) = infer(graph, settings, spec).problems
    assert said in str(problem.message) and not problem.warning
    (repair,) = problem.repairs
    graph, _ = apply_repair(graph, repair)
    if repair.kind == "set_training":
        settings = replace(settings, **{repair.field: repair.value})
    assert infer(graph, settings, spec).ready


def test_an_output_that_nothing_leads_to_keeps_no_other_from_training() -> None:
    graph = two_heads().add("later", Output())
    facts = infer(graph, TrainingSpec(), DataSpec((4,), 3))
    assert facts.ready and [p.node for p in facts.problems] == ["later"]
    main = main_output(graph)
    assert main is not None and main.name == "named"


def test_two_outputs_of_one_layer_add_up() -> None:
    graph = (
        GraphSpec().add("x", Input((4,))).add("c", Dense(3), after="x").add("p", Softmax(), after="c")
        .add("a", Output(weight=0.5), after="p").add("b", Output(weight=2.0, loss="mse"), after="p")
    )  # fmt: skip
    t = trainer(graph)
    t.traced_step()
    check = check_layer(t, "c")
    for _ in check.steps():
        pass
    assert all(c.agrees for c in check.result().checked)


def test_flatten_is_proposed_where_the_data_is_the_target() -> None:
    graph = GraphSpec().add("x", Input((1, 2, 2))).add("out", Output(), after="x")
    (problem,) = infer(graph).problems
    assert [r.layer for r in problem.repairs] == [Flatten()]


def test_outputs_of_older_files_are_what_they_were() -> None:
    graph = GraphSpec().add("x", Input((4,))).add("out", Output(), after="x")
    plain = graph_to_plain(graph)
    (out,) = (n for n in plain["nodes"] if n["kind"] == "output")
    out["settings"] = {}
    assert graph_from_plain(plain, "f") == (graph, ())
