"""Which targets each loss takes, where it cuts a single output, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Dense, Input, Output, Sigmoid, Softmax, Tanh
from engine.losses import encoding
from engine.settings import LOSS_CHOICES, NEEDS_CLASSES, DataSpec, TrainingSpec
from engine.training import Trainer


def points(last: object | None = None, units: int = 1) -> GraphSpec:
    g = GraphSpec().add("x", Input((2,))).add("fc1", Dense(8), after="x").add("tanh1", Tanh(), after="fc1")
    g = g.add("fc2", Dense(units), after="tanh1")
    end = "fc2"
    if last is not None:
        g, end = g.add("last", last, after="fc2"), "last"  # type: ignore[arg-type]
    return g.add("out", Output(), after=end)


@pytest.mark.parametrize(
    ("loss", "last", "codes", "cut"),
    [("mse", None, (0, 1), 0.5), ("mse", Tanh(), (-1, 1), 0), ("hinge", None, (-1, 1), 0),
     ("bce", None, (0, 1), 0), ("bce", Sigmoid(), (0, 1), 0.5), ("huber", Tanh(), (-1, 1), 0)],
)  # fmt: skip
def test_codes_of_the_classes(loss: str, last: object, codes: tuple[int, int], cut: float) -> None:
    graph = points(last)
    code = encoding(graph, graph.by_name("out"), loss)
    assert (code.off, code.on, code.cut) == (*codes, cut)


@pytest.mark.parametrize("loss", [k for k, _ in LOSS_CHOICES])
def test_every_loss_learns_the_circle(loss: str) -> None:
    last = Softmax() if loss == "cross_entropy" else Sigmoid() if loss == "bce" else None
    graph = points(last, units=2 if loss == "cross_entropy" else 1)
    data = load(SourceSpec.toy("circle", count=200))
    t = Trainer(graph, TrainingSpec(loss, "adam", 0.03, 16, seed=2), data, open_backend("numpy"))
    while t.step < 400:
        t.run(400 - t.step, 1e6)
    found = t.evaluate()
    assert found is not None and found.accuracy is not None and found.accuracy > 0.9
    shares = t.probabilities(t.predict(data.x_test)[t.output_value(t.predict_program(1)).id])
    assert shares.shape == (len(data.x_test), 2) and np.allclose(shares.sum(1), 1, atol=1e-6)
    assert (shares.argmax(1) == data.y_test).mean() > 0.9


def test_binary_cross_entropy_is_the_same_with_its_sigmoid_drawn() -> None:
    data = load(SourceSpec.toy("circle", count=60))
    settings, device = TrainingSpec("bce", "sgd", 0.1, 10), open_backend("numpy")
    losses = [Trainer(points(x), settings, data, device).run(5, 1e6).losses for x in (None, Sigmoid())]
    assert np.array_equal(*losses)


@pytest.mark.parametrize("loss", sorted(NEEDS_CLASSES))
def test_losses_of_classes_refuse_numbers(loss: str) -> None:
    found = infer(points(), TrainingSpec(loss), DataSpec((2,), target_width=1)).problems
    assert any("needs classes" in str(p.message) for p in found)
