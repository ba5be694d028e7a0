"""Runs exported scripts in the process of a framework, without the project: `python scripted.py TASK.json`.

For each script: what it prints; its predictions beside the engine's; and one step of SGD on the mean squared
error, whose weights are compared with those the same script loads from the engine's file of after the step.
Prints one JSON object: name -> {"forward": ..., "weights": {name: ...}}, norms of differences over norms.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Named = dict[str, Any]


def apart(got: Any, wanted: Any) -> float:
    got, wanted = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
    return float(np.linalg.norm(got - wanted) / max(float(np.linalg.norm(wanted)), 1e-30))


def torch_step(script: Named, x: Any, target: Any, rate: float) -> None:
    import torch

    net = script["net"].train()
    steps = torch.optim.SGD(net.parameters(), lr=rate)
    torch.nn.functional.mse_loss(net(torch.from_numpy(x)), torch.from_numpy(target)).backward()
    steps.step()


def torch_weights(script: Named) -> Named:
    state = script["net"].state_dict()
    return {k: v.numpy() for k, v in state.items() if "num_batches" not in k}


def tensorflow_step(script: Named, x: Any, target: Any, rate: float) -> None:
    import tensorflow as tf

    net = script["net"]
    with tf.GradientTape() as tape:
        y = net(np.moveaxis(x, 1, -1) if x.ndim == 4 else x, training=True)
        loss = tf.reduce_mean((y - target) ** 2)
    learnt = net.trainable_variables
    for variable, gradient in zip(learnt, tape.gradient(loss, learnt), strict=True):
        if gradient is not None:
            variable.assign_sub(rate * tf.convert_to_tensor(gradient))


def tensorflow_weights(script: Named) -> Named:
    """Not compared: the running variance (Keras keeps the biased one of the batch), and the one bias that its
    LSTM and SimpleRNN have for our two, which moves half as far.
    """
    other = "moving_variance", "lstm_cell/bias", "simple_rnn_cell/bias"
    found = [v for v in script["net"].weights if not v.path.endswith(other)]
    return {f"{i} {v.path}": np.asarray(v) for i, v in enumerate(found)}


def jax_step(script: Named, x: Any, target: Any, rate: float) -> None:
    import jax

    forward, w = script["forward"], script["w"]
    trains = "train" in forward.__code__.co_varnames[: forward.__code__.co_argcount]

    def loss(w: Named) -> Any:
        if not trains:
            return ((forward(w, x) - target) ** 2).mean(), {}
        new: Named = {}
        return ((forward(w, x, new) - target) ** 2).mean(), new

    gradients, running = jax.jit(jax.grad(loss, has_aux=True))(w)
    for key in script["learnt"]:
        w[key] = w[key] - rate * gradients[key]
    w.update(running)


def jax_weights(script: Named) -> Named:
    return {k: np.asarray(v) for k, v in script["w"].items() if k in script["used"]}


WAYS: dict[str, tuple[Callable[..., None], Callable[[Named], Named]]] = {
    "torch": (torch_step, torch_weights),
    "tensorflow": (tensorflow_step, tensorflow_weights),
    "jax": (jax_step, jax_weights),
}


def main(task: Named) -> Named:
    step, weights_of = WAYS[task["framework"]]
    out = {}
    for net in task["networks"]:
        before = runpy.run_path(net["before"])
        after = runpy.run_path(net["after"])
        for script in (before, after):
            script["learnt"], script["used"] = net["learnt"], net["used"]
        with np.load(net["data"]) as data:
            x, target, wanted = data["x"], data["target"], data["predictions"]
        forward = apart(before["predict"](x), wanted)
        step(before, x, target, task["rate"])
        got, right = weights_of(before), weights_of(after)
        assert len(got) == len(right), (sorted(got), sorted(right))
        pairs = zip(got.items(), right.values(), strict=True)
        out[net["name"]] = {"forward": forward, "weights": {k: apart(a, b) for (k, a), b in pairs}}
    return out


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps(main(json.load(file))))
