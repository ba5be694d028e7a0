"""A recurrence walked by its time steps, and taken back: bit for bit the run that was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backends.devices import list_devices
from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.ops.over_time import time_of
from engine.session import protocol as p
from engine.session import views as v
from engine.settings import TrainingSpec
from tests.conftest import RequiredDevices
from tests.engine.session.conftest import Inline, layer

LENGTH, EXAMPLES = 4, 12
WATCHED = ("lstm.c2", "lstm.gates3", "lstm.u2@grad", "lstm.state_weight@grad")


def reading(device: str) -> p.Configure:
    """An LSTM over tokens, its batches drawn anew each epoch."""
    g = GraphSpec().add("input", layer("input", shape=(LENGTH,)))
    g = g.add("embed", layer("embedding", vocabulary=9, width=5), after="input")
    g = g.add("lstm", layer("lstm", units=3), after="embed")
    g = g.add("dense", layer("dense", units=3), after="lstm").add("output", layer("output"), after="dense")
    rng = np.random.default_rng(1)
    tokens, targets = rng.integers(0, 9, (EXAMPLES, LENGTH)), rng.random((EXAMPLES, 3))
    source = SourceSpec.array(tokens.tolist(), targets.tolist())
    return p.Configure(g, TrainingSpec("mse", "adam", 0.05, batch=5, seed=5), source, 1, device=device)


def shown(inline: Inline) -> dict[str, Any]:
    """The state, and what the step at hand made at some positions."""
    frame, _ = inline.pull()
    assert frame is not None
    views = {k: d.values.copy() for k, d in frame.views.items() if isinstance(d, v.MatrixData)}
    assert set(views) == set(WATCHED)
    return {**inline.state(), **views, "at": frame.step}


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        np.testing.assert_array_equal(b[key], value, err_msg=key)


# PoCL takes a quarter of a minute to compile it, as in tests/contract/test_sequences.py
@pytest.mark.parametrize("kind", ["numpy", pytest.param("pocl", marks=pytest.mark.thorough)])
def test_by_time_steps_and_back(inline: Inline, kind: str, opencl_required: RequiredDevices) -> None:
    found = [d.id for d in list_devices() if d.id.startswith(kind if kind == "numpy" else f"opencl:{kind}:")]
    if not found:
        opencl_required.missing(kind)
    whole = Inline()
    for each in (inline, whole):
        each.say(reading(found[0]))
    t, start, places = inline.trainer, inline.state(), []
    while t.step == 0:
        same(start, inline.state())
        places.append(time_of(t.program.ops[t.op_index or 0]))
        inline.say(p.Step("time"))
    forth = [(at, LENGTH) for at in range(LENGTH)]
    assert [place for place in places if place] == forth + forth[::-1]
    whole.trainer.run(1)
    same(whole.state(), inline.state())
    whole.session.close()

    for name in WATCHED:
        inline.say(p.Watch(name, v.Matrix(name), rate=1000.0))
    seen = {1: shown(inline)}
    for step in range(2, 9):
        inline.say(p.Step("batch"))
        seen[step] = shown(inline)
    for step in (5, 1, 7, 3, 8):
        inline.say(p.GoTo(step))
        inline.work_until(lambda s: not s.rewinder.seeking)
        same(seen[step], shown(inline))
    assert not np.array_equal(seen[3]["lstm.c2"], seen[5]["lstm.c2"])
