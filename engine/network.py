"""A network in a few lines of Python: build, set weights, run forward, read everything, take a step.

The same programs, plans and backends as the window uses. Arrays at this border have the sample first,
(N, F) or (N, C, H, W); values read by id have it last, as the engine computes (see docs/engine.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.errors import N_, GraphError
from engine.graph import GraphSpec
from engine.inference import infer
from engine.initializers import initialize
from engine.layers import Input
from engine.optimizers import batch_controls
from engine.outputs import main_output
from engine.plan import check_room
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program, Role

Array = np.ndarray[Any, Any]


class Network:
    """A drawn network on a device, stepped by hand.

    `batch` is the largest number of examples a call may get. `classes` > 0: targets are class numbers;
    0: numbers, as many as the network gives. Raises GraphError when the network cannot run, DeviceError when
    the device cannot be used.
    """

    def __init__(
        self,
        graph: GraphSpec,
        training: TrainingSpec | None = None,
        *,
        batch: int = 32,
        classes: int = 0,
        device: str = "numpy",
    ) -> None:
        self.graph = graph
        self.training = training or TrainingSpec(loss="cross_entropy" if classes else "mse", optimizer="sgd")
        shape = next((n.layer.shape for n in graph.nodes if isinstance(n.layer, Input)), ())
        facts = infer(graph)
        output = main_output(graph)
        width = facts.shapes[output.uid][0] if output and output.uid in facts.shapes else 1
        data = DataSpec(shape, classes, width)
        self.backend = open_backend(device)
        self.program: Program = record(graph, self.training, data, "train", batch)
        check_room(self.program, self.backend)
        self._predict = record(graph, self.training, data, "predict", batch)
        self._store = self.backend.store(self.program.state(), self.training.seed)
        start = {
            f"{u}.{s.name}": initialize(s, self.training.seed, u) for u, p in facts.params.items() for s in p
        }
        zeros = {f"{v.owner}.{v.param}": np.zeros(v.shape, np.float32) for v in self.program.state()}
        self._store.load({**zeros, **start})
        self._train = self.backend.compile(self.program, self._store, traced=True)
        self._forward = self.backend.compile(self._predict, self._store, traced=True)
        self._last = self._forward
        self.steps = self.live = 0

    def weights(self) -> dict[str, Array]:
        """All parameters and running statistics by key: fc1.weight (outputs, inputs), fc1.bias, ..."""
        keys = {f"{v.owner}.{v.param}" for v in self._predict.state()}
        return {k: v for k, v in self._store.state().items() if k in keys}

    def load(self, weights: Mapping[str, Array]) -> None:
        """Set parameters by key. Raises GraphError for a key or shape this network does not have."""
        shapes = {k: v.shape for k, v in self.weights().items()}
        for key, array in weights.items():
            if shapes.get(key) != np.shape(array):
                raise GraphError(
                    N_("{key}: the network has shape {expected}, the array {found}."),
                    key=key,
                    expected=shapes.get(key),
                    found=np.shape(array),
                )
        self._store.load({k: np.ascontiguousarray(v, np.float32) for k, v in weights.items()})

    def forward(self, x: Array) -> Array:
        """Predictions (N, outputs) for inputs (N, ...); every activation can then be read.

        With several outputs that of the first with a target of its own; `value` reads the others.
        """
        self._write(self._forward, self._predict, x)
        self._forward.run([{"n": len(x)}])
        end = main_output(self.graph)
        assert end is not None
        self._last = self._forward
        return np.moveaxis(self.value(self._predict.outputs[end.uid].id), -1, 0)

    def step(self, x: Array, target: Array | None = None) -> float:
        """One step of forward, loss, backward and update; returns the loss before the update.

        An autoencoder, whose target is the input, needs no other.
        """
        self._write(self._train, self.program, x)
        if target is not None and "target" in self.program.values:
            labels = target.ndim == 1 and self.program.values["target"].dtype == "i32"
            self._train.write("target", target.astype(np.int32) if labels else np.moveaxis(target, 0, -1))
        known = {k: v for k, v in self.training.controls().items() if k in self.program.controls}
        controls = {
            "n": len(x),
            "step": self.steps,
            **batch_controls(known, self.training, self.steps),
        }
        self._train.begin(controls)
        self._train.advance(len(self.program.ops))
        self._train.commit()
        self._last = self._train
        self.steps += 1
        return float(self._train.read(self.program.losses[0].id))

    def value(self, id: str) -> Array:
        """A value of the last forward or step: "fc1.z", "relu1.a", "fc1.weight@old"; the sample last."""
        known = self._last.program.values
        if id not in known:
            raise GraphError(
                N_("There is no value “{value}”; there are {names}."), value=id, names=", ".join(known)
            )
        array = self._last.read(id)
        return array[..., : self.live] if known[id].batched else array

    def gradient(self, id: str) -> Array:
        """dL/d(value) of the last step: of a value ("fc1.z") or of a parameter ("fc1.weight")."""
        held = self.program.gradients
        found = held.get(id) or held.get(f"{id}@old")
        if found is None:
            raise GraphError(
                N_("There is no gradient of “{value}”; there are {names}."), value=id, names=", ".join(held)
            )
        return self.value(found.id)

    def _write(self, plan: Any, program: Program, x: Array) -> None:
        if not 0 < len(x) <= program.capacity:
            raise GraphError(
                N_("{found} examples were given; this network was opened for 1 to {expected}."),
                found=len(x),
                expected=program.capacity,
            )
        source = next(v for v in program.inputs if v.role is Role.INPUT and v.id != "target")
        if tuple(x.shape[1:]) != source.shape[:-1]:
            raise GraphError(
                N_("The input is {found}; this network needs {expected}."),
                found=x.shape[1:],
                expected=source.shape[:-1],
            )
        plan.write(source.id, np.ascontiguousarray(np.moveaxis(np.asarray(x, np.float32), 0, -1)))
        self.live = len(x)
