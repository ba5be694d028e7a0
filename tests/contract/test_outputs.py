"""Several outputs, smoothed labels and class weights: fast and traced steps are the same bit for bit."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from engine.graph import GraphSpec
from engine.layers import Dense, Flatten, Input, Output
from engine.settings import DataSpec, TrainingSpec
from tests.contract.harness import distance, open_backend, same_bits
from tests.contract.networks import Task

STEPS = 4
"""With a last batch of 7."""


def graph() -> GraphSpec:
    """A class, and the picture itself, from the same layer."""
    g = GraphSpec().add("input", Input((1, 2, 2))).add("flat", Flatten(), after="input")
    g = g.add("d", Dense(10), after="flat").add("output", Output(weight=2.0), after="d")
    g = g.add("copy", Dense(4), after="d")
    return g.add("back", Output(weight=0.3, loss="bce", target="input"), after="copy")


class Both(Task):
    @cached_property
    def data(self) -> DataSpec:
        counts = tuple(int(n) for n in np.bincount(self.examples["data.y"], minlength=self.classes))
        return replace(super().data, counts=counts)

    @cached_property
    def training(self) -> TrainingSpec:
        return replace(super().training, label_smoothing=0.1, class_weighting="balanced")


def test_fast_and_traced_and_repeated(backend_name: str) -> None:
    task, device = Both(graph(), "sgd", 0.1), open_backend(backend_name)
    runs, losses = [], []
    for _ in range(2):
        store = task.store(device)
        losses.append(task.fast(device, store).run(task.steps(STEPS)).scalars)
        runs.append(store.state())
    store = task.store(device)
    plan = task.traced(device, store)
    for k, controls in enumerate(task.steps(STEPS)):
        plan.begin(controls)
        plan.advance(len(task.program.ops))
        for name, value in {"loss": task.program.losses[0], **task.program.metrics}.items():
            assert plan.read(value.id) == losses[0][name][k] == losses[1][name][k], name
        plan.commit()
    assert same_bits(runs[0], runs[1]) and same_bits(runs[0], store.state())
    parts = losses[0]["loss:back"], losses[0]["loss:output"]
    np.testing.assert_allclose(losses[0]["loss"], 0.3 * parts[0] + 2.0 * parts[1], rtol=1e-6)
    assert distance(runs[0]["d.weight"], task.start["d.weight"]) > 1e-3
