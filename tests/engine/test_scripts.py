"""Scripts for other frameworks: every layer is written, and what cannot be is told by its name.

That they compute the same there is the business of tests/parity/test_scripts.py.
"""

from __future__ import annotations

import ast
import json

import numpy as np
import pytest

import main
from engine.errors import GraphError
from engine.export.scripts import FRAMEWORKS, export_script, script_of
from engine.graph import GraphSpec
from engine.layers import LAYERS, Dense, Input, Output
from engine.layers.unknown import Unknown
from engine.network import Network
from tests.engine.export_help import small_cnn


def test_every_layer_has_a_writer_in_every_framework() -> None:
    """A new layer needs a line in each table, or a test that it is refused."""
    for framework in FRAMEWORKS.values():
        assert not set(LAYERS) - set(framework.parts), framework.name
    assert tuple(FRAMEWORKS) == main.FRAMEWORKS


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_trained_network_is_written(framework, tmp_path) -> None:
    t = small_cnn()
    state = t.checkpoint().state
    script, weights, examples = export_script(
        tmp_path / "net.py", framework, t.graph, state, t.dataset, t.step
    )
    text = script.read_text(encoding="utf-8")
    assert '"net_weights.npz"' in text and '"net_examples.npz"' in text
    loaded = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)}
    with np.load(weights, allow_pickle=False) as archive:
        keys = set(archive.files) - {"__meta__"}
        assert json.loads(str(archive["__meta__"]))["input"]["mean"]
    if framework == "tensorflow":  # the others find them by their keys
        assert keys - loaded == {"fc2.weight", "fc2.bias"}, "shared weights are loaded once"
    with np.load(examples, allow_pickle=False) as held:
        wanted = next(iter(t.predict(t.dataset.to_float(held["inputs"])).values()))
        assert np.allclose(held["predictions"], wanted, rtol=1e-6)


def test_names_that_a_script_uses_itself() -> None:
    g = GraphSpec().add("x", Input((3,))).add("np", Dense(2), after="x").add("nn", Dense(2), after="np")
    g = g.add("out", Output(), after="nn")
    torch = script_of(g, "torch", "w.npz", "e.npz")
    assert "np_2 = self.np(x)" in torch and "nn_2 = self.nn(np_2)" in torch
    with pytest.raises(GraphError, match=r"TensorFlow has its own use for the name “np”"):
        script_of(g, "tensorflow", "w.npz", "e.npz")
    g = g.replace_node("np", name="train")
    with pytest.raises(GraphError, match=r"PyTorch has its own use for the name “train”"):
        script_of(g, "torch", "w.npz", "e.npz")


def test_what_cannot_be_written_is_named(monkeypatch) -> None:
    g = GraphSpec().add("x", Input((3,))).add("fc1", Dense(2), after="x").add("out", Output(), after="fc1")
    monkeypatch.delitem(FRAMEWORKS["jax"].parts, "dense")
    with pytest.raises(GraphError, match=r"fc1: a script for JAX cannot be written with the layer “Dense”"):
        script_of(g, "jax", "w.npz", "e.npz")
    half = g.add("odd", Unknown("later"), after="fc1")
    with pytest.raises(GraphError, match="cannot run yet"):
        script_of(half.remove(["out"]), "torch", "w.npz", "e.npz")


def test_without_data_the_examples_are_drawn(tmp_path) -> None:
    g = GraphSpec().add("x", Input((3,))).add("fc1", Dense(2), after="x").add("out", Output(), after="fc1")
    net = Network(g)
    _, _, examples = export_script(tmp_path / "n.py", "torch", g, net.weights())
    with np.load(examples, allow_pickle=False) as held:
        assert np.allclose(held["predictions"], net.forward(held["inputs"]))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_several_outputs_are_a_list(framework, tmp_path) -> None:
    g = GraphSpec().add("x", Input((3,))).add("copy", Dense(3), after="x").add("named", Dense(2), after="x")
    g = g.add("back", Output(target="input"), after="copy").add("out", Output(loss="bce"), after="named")
    state = {f"{n}.{p}": np.ones((k, 3)[: 1 if p == "bias" else 2], np.float32)
             for n, k in (("copy", 3), ("named", 2)) for p in ("weight", "bias")}  # fmt: skip
    script, _, examples = export_script(tmp_path / "net.py", framework, g, state)
    text = script.read_text(encoding="utf-8")
    made = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Return) and n.value}
    assert sum(isinstance(value, ast.ListComp) for value in made) == 1
    with np.load(examples, allow_pickle=False) as held:
        for key, width in (("predictions", 3), ("predictions2", 2)):
            assert np.allclose(held[key], held["inputs"].sum(1, keepdims=True) + np.ones(width), atol=1e-6)
