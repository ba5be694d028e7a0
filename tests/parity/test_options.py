"""Twenty steps beside PyTorch with what stands between gradients and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import random
from engine.export.npz import named_weights
from engine.settings import TrainingSpec
from engine.training import SHUFFLE
from engine.watch import Watch, judged
from tests.contract.test_options import RULES, data, trainer
from tests.parity import peers
from tests.parity.test_training import assert_close

STEPS = 20


def batches(torch: Any, seed: int, batch: int) -> list[tuple[Any, Any]]:
    """The batches of the first steps, as the trainer shuffles them."""
    d, found, epoch = data(), [], 0
    while len(found) < STEPS:
        order = random.permutation(seed, SHUFFLE, epoch, d.n_train)
        for at in range(0, d.n_train, batch):
            chosen = order[at : at + batch]
            x, y = d.to_float(d.x_train[chosen]), d.y_train[chosen].astype("int64")
            found.append((torch.from_numpy(x), torch.from_numpy(y)))
        epoch += 1
    return found[:STEPS]


@pytest.mark.parametrize("clipping", ["value", "norm"])
def test_clipping(torch: Any, backend_name: str, clipping: str) -> None:
    t = trainer(backend_name, clipping)
    peer = peers.build(torch, t.graph)
    peers.load(torch, peer, named_weights(t.graph, t.store.state()))
    limit, clip = t.training.clip_limit, torch.nn.utils
    steps = peers.optimizer(torch, t.training.optimizer, peer.parameters(), t.training.learning_rate)
    norms = []
    for x, y in batches(torch, t.seed, t.capacity):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(peer(x), y).backward()
        if clipping == "value":
            clip.clip_grad_value_(peer.parameters(), limit)
        else:
            norms.append(float(clip.clip_grad_norm_(peer.parameters(), limit)))
        steps.step()
        t.run(1)
        assert t.figures.get("grad_norm", 0.0) == pytest.approx(norms[-1] if norms else 0.0, rel=1e-4)
    assert clipping == "value" or max(norms) > limit, "nothing was clipped"
    for key, array in named_weights(t.graph, t.store.state()).items():
        assert_close(key, array, peer.state_dict()[key].numpy())


@pytest.mark.parametrize("name", ["rules", "all"])
def test_rules(torch: Any, backend_name: str, name: str) -> None:
    """Penalties in PyTorch's loss, and rows of the first layer shortened after each step; then with clipping
    and three batches to an update, too."""
    t = trainer(backend_name, name)
    several = t.training.accumulate
    peer = peers.build(torch, t.graph)
    peers.load(torch, peer, named_weights(t.graph, t.store.state()))
    steps = peers.optimizer(torch, t.training.optimizer, peer.parameters(), t.training.learning_rate)
    for k, (x, y) in enumerate(batches(torch, t.seed, t.capacity)):
        if k % several == 0:
            steps.zero_grad()
        loss = torch.nn.functional.cross_entropy(peer(x), y)
        for layer, rules in RULES.items():
            w = getattr(peer, layer).weight
            loss = loss + rules.l1 * w.abs().sum() + rules.l2 / 2 * w.square().sum()
        assert t.run(1).losses[0] == pytest.approx(float(loss.detach()), rel=1e-5)
        (loss / several).backward()
        if k % several < several - 1:
            continue
        if t.training.clipping == "norm":
            torch.nn.utils.clip_grad_norm_(peer.parameters(), t.training.clip_limit)
        steps.step()
        with torch.no_grad():
            peer.dense1.weight.copy_(torch.renorm(peer.dense1.weight, 2, 0, RULES["dense1"].max_norm))
    for key, array in named_weights(t.graph, t.store.state()).items():
        assert_close(key, array, peer.state_dict()[key].numpy())


def test_the_rate_on_a_plateau(torch: Any) -> None:
    """PyTorch's scheduler on the same losses."""
    losses = np.random.default_rng(1).random(200) / np.arange(1, 201) ** 0.3
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.7, patience=4)
    training, watch = TrainingSpec(schedule="plateau", schedule_factor=0.7, patience=4), Watch()
    for epoch, loss in enumerate(losses):
        peer.step(loss)
        watch, _, _ = judged(watch, training, float(loss), epoch + 1, epoch)
        assert watch.factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6, abs=2e-8)
    assert watch.factor < 0.1
