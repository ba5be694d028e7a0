"""The exported scripts, run in processes of their own: PyTorch, TensorFlow and JAX go on with our numbers.

Random networks with every layer, and a small trained CNN: predictions within 1e-5, and the weights after one
more step of SGD, each as the norm of the difference over the norm.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.errors import GraphError
from engine.export.scripts import FRAMEWORKS, export_script, script_of
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import ConvTranspose2D
from engine.network import Network
from engine.settings import TrainingSpec
from tests.engine.export_help import small_cnn
from tests.parity import drawn, measured

WITHIN, RATE = 1e-5, 0.05


def networks(framework: str) -> list[GraphSpec]:
    """Random ones until every kind of layer has come; Keras lacks some kinds of transposed convolution."""
    out: list[GraphSpec] = []
    missing = set(drawn.INSIDE)
    for seed in range(1000):
        graph = drawn.random_graph(Random(seed), 9)
        kinds = {n.layer.kind for n in graph.nodes}
        if not missing & kinds:
            continue
        try:
            script_of(graph, framework, "weights.npz", "examples.npz")
        except GraphError as refusal:
            assert framework == "tensorflow" and ConvTranspose2D.label in str(refusal), refusal
            continue
        out.append(graph)
        missing -= kinds
        if not missing:
            return out
    raise AssertionError(f"never drawn: {missing}")


def written(folder: Path, framework: str, graph: GraphSpec, number: int) -> dict[str, Any]:
    """Scripts before and after one step of ours, and the batch between them."""
    rng = np.random.default_rng(number)
    net = Network(graph, TrainingSpec("mse", "sgd", RATE, seed=3), batch=drawn.BATCH)
    net.load(drawn.random_weights(graph, rng))
    x = drawn.random_inputs(graph, rng)
    before = export_script(folder / f"n{number}.py", framework, graph, net.weights())[0]
    predictions = net.forward(x)
    target = rng.standard_normal(predictions.shape).astype(np.float32)
    net.step(x, target)
    after = export_script(folder / f"after{number}.py", framework, graph, net.weights())[0]
    data = folder / f"data{number}.npz"
    np.savez(data, x=x, target=target, predictions=predictions)
    specs = [(graph.node(uid).name, s) for uid, ss in infer(graph).params.items() for s in ss]
    return {
        "name": str(number),
        "before": str(before),
        "after": str(after),
        "data": str(data),
        "learnt": [f"{name}.{s.key}" for name, s in specs if s.trained],
        "used": [f"{name}.{s.key}" for name, s in specs],
    }


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def needed(framework: str) -> None:
    module = "torch" if framework == "torch" else framework
    if find_spec(module) is None:
        pytest.fail(f"{FRAMEWORKS[framework].name} is needed here; `python3 tasks.py parity` installs it")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_goes_on_there(framework: str, tmp_path: Path) -> None:
    needed(framework)
    graphs = networks(framework)
    tasks = [written(tmp_path, framework, g, i) for i, g in enumerate(graphs)]
    task = tmp_path / "task.json"
    given = {"framework": framework, "rate": RATE, "networks": tasks}
    task.write_text(json.dumps(given), encoding="utf-8")
    found = json.loads(run(str(Path(__file__).with_name("scripted.py")), str(task)).splitlines()[-1])
    far = {}
    for i, graph in enumerate(graphs):
        result = found[str(i)]
        bad = {k: v for k, v in result["weights"].items() if not v < WITHIN}
        if not result["forward"] < WITHIN or bad:
            far[i] = (result["forward"], bad, drawn.told(graph))
    assert not far, "\n".join(map(str, far.values()))
    most = {
        "forward": max(r["forward"] for r in found.values()),
        "weights after a step": max(w for r in found.values() for w in r["weights"].values()),
    }
    measured.keep("exported scripts", FRAMEWORKS[framework].name, len(graphs), most)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_prints_what_we_predict(framework: str, tmp_path: Path) -> None:
    """As a person runs it: a trained CNN with its normalized data."""
    needed(framework)
    t = small_cnn()
    state = t.checkpoint().state
    script, _, examples = export_script(tmp_path / "a net.py", framework, t.graph, state, t.dataset)
    told = run(str(script))
    assert float(told.rsplit(":", 1)[1]) < 1e-5
    with np.load(examples) as held:
        np.save(tmp_path / "two.npy", held["inputs"][:2])
    two = np.array(run(str(script), str(tmp_path / "two.npy")).replace("[", " ").replace("]", " ").split())
    ours = t.predict(t.dataset.test_inputs(slice(2)))
    assert np.allclose(two.astype(float).reshape(2, 3), next(iter(ours.values())), rtol=1e-4, atol=1e-6)
