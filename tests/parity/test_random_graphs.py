"""Two hundred random networks beside PyTorch: predictions, and every gradient of a training step.

PyTorch's half is the script that the export writes (`engine/export/scripts`), in double precision, so that
what is left is our own rounding. A layer without a writer there fails here, by its name.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.export.npz import named_weights
from engine.export.scripts import FRAMEWORKS
from engine.export.scripts.walk import helpers_for, walk
from engine.graph import GraphSpec
from engine.inference import infer
from engine.network import Network
from engine.ops.base import Array
from engine.settings import TrainingSpec
from tests.contract.harness import BACKENDS, distance, opencl_devices
from tests.parity import drawn, measured

GRAPHS = {"numpy": 200}
"""So many of each backend; drivers that compile get `COMPILED`."""
COMPILED = 12
FORWARD, WARPED, GRADIENT = 1e-6, 5e-6, 1e-5
WARPS = {"affine_warp", "spatial_transformer"}
"""They read at places that are rounded: `WARPED` is their limit, and of what comes after them."""


def peer(graph: GraphSpec, weights: dict[str, Array]) -> Any:
    """The exported script's network, in double precision."""
    torch = FRAMEWORKS["torch"]
    lines = torch.layout(walk(graph, torch))
    code = "\n".join([*torch.imports, *helpers_for(lines, torch.helpers), *lines])
    names: dict[str, Any] = {"weights": weights, "np": np}
    exec(code, names)
    return names["net"].double()


def apart(torch: Any, graph: GraphSpec, seed: int, device: str) -> tuple[float, float]:
    """How far prediction and gradients are from PyTorch's, as norms of differences over norms.

    A gradient that is nothing but rounding (a bias before a norm) counts against a thousandth of all.
    """
    rng = np.random.default_rng(seed)
    net = Network(graph, TrainingSpec("mse", "sgd", 0.01, seed=3), batch=drawn.BATCH, device=device)
    net.load(drawn.random_weights(graph, rng))
    x = drawn.random_inputs(graph, rng)
    theirs = peer(graph, named_weights(graph, net.weights()))
    given_x = torch.tensor(x.astype(np.float64))
    theirs.eval()
    with torch.no_grad():
        wanted = theirs(given_x).numpy()
    forward = distance(net.forward(x), wanted)
    target = rng.standard_normal(wanted.shape).astype(np.float32)
    theirs.train()
    loss = torch.nn.functional.mse_loss(theirs(given_x), torch.tensor(target.astype(np.float64)))
    loss.backward()
    assert net.step(x, target) == pytest.approx(loss.item(), rel=1e-5)
    grads = {k: v.grad.numpy() for k, v in theirs.named_parameters() if v.grad is not None}
    floor = 1e-3 * float(np.sqrt(sum((g**2).sum() for g in grads.values())))
    far = 0.0
    for uid, specs in infer(graph).params.items():
        for s in specs:
            wanted = grads.get(f"{graph.node(uid).name}.{s.key}")
            if s.trained and wanted is not None:
                difference = np.linalg.norm(net.gradient(f"{uid}.{s.name}") - wanted)
                far = max(far, float(difference / max(np.linalg.norm(wanted), floor)))
    return forward, far


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("backend", BACKENDS)
def test_random_graphs(torch: Any, backend: str) -> None:
    device = opencl_devices()[backend.split(":")[1]] if ":" in backend else "numpy"
    count = GRAPHS.get(backend, COMPILED)
    seen: list[tuple[float, float]] = []
    kinds: dict[str, bool] = dict.fromkeys(drawn.INSIDE, False)

    @settings(max_examples=count, derandomize=True, deadline=None, database=None)
    @given(seed=st.integers(0, 2**32 - 1), layers=st.integers(3, 9))
    def run(seed: int, layers: int) -> None:
        check(drawn.random_graph(Random(seed), layers), seed)

    def check(graph: GraphSpec, seed: int) -> None:
        forward, gradient = apart(torch, graph, seed, device)
        drawn_kinds, told = {n.layer.kind for n in graph.nodes}, drawn.told(graph)
        assert forward < (WARPED if drawn_kinds & WARPS else FORWARD), f"prediction {forward:.1e}: {told}"
        assert gradient < GRADIENT, f"gradient {gradient:.1e} apart: {told}"
        seen.append((forward, gradient))
        kinds.update(dict.fromkeys(drawn_kinds, True))

    run()
    assert len(seen) >= count
    if count >= 200:
        for kind in [kind for kind in drawn.INSIDE if not kinds[kind]]:  # what chance left out
            check(drawn.graph_with(kind), 1)
    worst = np.max(seen, axis=0)
    measured.keep("random graphs", backend, len(seen), {"forward": worst[0], "gradient": worst[1]})
