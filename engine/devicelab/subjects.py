"""What is measured, made ready on a device: computed alone, or with its numbers brought and fetched.

A single op is called once and waited for. Training steps are called as training calls them: several, then one
wait.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from engine.backends.base import Array, Backend
from engine.devicelab.network import Net, flops, input_id
from engine.devicelab.work import Work
from engine.outputs import main_output

CHECK_STEPS = 3
"""Steps from the start weights after which the weights of two devices are compared."""
CALL_SECONDS = 0.01
"""Training steps are put into calls of about this length."""


class Subject(Protocol):
    """Something made ready on a device."""

    flops: float
    moved: int
    """Bytes that travel when its numbers are brought and fetched."""
    calls: int
    """How often `compute` and `whole` do the work."""

    def compute(self) -> object:
        """Do it, `calls` times, and wait: everything lies on the device already."""

    def whole(self) -> object:
        """Bring the numbers, do it, fetch the result: each of the `calls` times."""

    def results(self) -> dict[str, Array]:
        """What two devices must agree on."""

    def settle(self, seconds: float) -> None:
        """Told how long `compute` took: how many calls make sense."""


class OpSubject:
    """One op."""

    calls = 1

    def __init__(self, backend: Backend, work: Work) -> None:
        self.program = work.program()
        self.arrays = work.arrays()
        self.flops, self.moved = work.flops, work.moved
        store = backend.store((), 1)
        self.plan: Any = backend.compile(self.program, store, traced=False, keep=["C"])
        self.bring()

    def bring(self) -> None:
        for name, array in self.arrays.items():
            self.plan.write(name, array)

    def compute(self) -> object:
        return self.plan.run([{}])

    def whole(self) -> object:
        self.bring()
        self.compute()
        return self.plan.read("C")

    def results(self) -> dict[str, Array]:
        self.whole()
        return {"C": self.plan.read("C")}

    def settle(self, seconds: float) -> None:
        """An op is always called alone."""


class StepSubject:
    """Training steps on one batch."""

    def __init__(self, backend: Backend, net: Net, batch: int) -> None:
        self.net, self.batch, self.calls = net, batch, 1
        self.program = net.program("train", batch)
        self.flops = flops(self.program)
        self.store: Any = backend.store(self.program.state(), net.training.seed)
        self.start = net.start(self.program)
        self.store.load(self.start)
        self.plan: Any = backend.compile(self.program, self.store, traced=False)
        x, y = net.examples(batch)
        self.x = np.ascontiguousarray(np.moveaxis(x, 0, -1))
        self.y = y if y.ndim == 1 else np.ascontiguousarray(y.T)
        self.moved = self.x.nbytes + self.y.nbytes
        self.bring()

    def bring(self) -> None:
        self.plan.write(input_id(self.program), self.x)
        if "target" in self.plan.program.values:
            self.plan.write("target", self.y)

    def compute(self) -> object:
        return self.plan.run([self.net.controls(k, self.batch) for k in range(self.calls)])

    def whole(self) -> object:
        for k in range(self.calls):
            self.bring()
            self.plan.run([self.net.controls(k, self.batch)])
        return self.plan

    def results(self) -> dict[str, Array]:
        self.store.load(self.start)
        self.bring()
        self.plan.run([self.net.controls(k, self.batch) for k in range(CHECK_STEPS)])
        found: dict[str, Array] = self.store.state()
        self.store.load(self.start)
        return {k: a for k, a in found.items() if k.count(".") == 1}  # moments may be as good as zero

    def settle(self, seconds: float) -> None:
        self.calls = max(1, min(256, round(CALL_SECONDS / max(seconds, 1e-6))))


class AnswerSubject:
    """The network's answer to so many pictures or points."""

    calls = 1

    def __init__(self, backend: Backend, net: Net, batch: int) -> None:
        self.batch = batch
        self.program = net.program("predict", batch)
        self.flops = flops(self.program)
        store: Any = backend.store(self.program.state(), net.training.seed)
        store.load(net.start(self.program))
        output = main_output(net.graph)
        assert output is not None
        self.out = self.program.outputs[output.uid].id
        self.plan: Any = backend.compile(self.program, store, traced=False, keep=[self.out])
        x, _ = net.examples(batch)
        self.x = np.ascontiguousarray(np.moveaxis(x, 0, -1))
        self.moved = self.x.nbytes + 4 * self.program.values[self.out].size
        self.whole()

    def compute(self) -> object:
        return self.plan.run([{"n": self.batch}])

    def whole(self) -> object:
        self.plan.write(input_id(self.program), self.x)
        self.compute()
        return self.plan.read(self.out)

    def results(self) -> dict[str, Array]:
        self.whole()
        return {"answer": self.plan.read(self.out)}

    def settle(self, seconds: float) -> None:
        """An answer is always asked for alone."""


class EpochSubject:
    """One epoch over `examples` that lie on the device, batch after batch."""

    calls = 1

    def __init__(self, backend: Backend, net: Net, examples: int) -> None:
        batch = min(net.training.batch, examples)
        program = net.program("train", batch, examples)
        steps = [(at, min(batch, examples - at)) for at in range(0, examples, batch)]
        self.flops = flops(program) / batch * examples
        store: Any = backend.store(program.state(), net.training.seed)
        store.load(net.start(program))
        x, y = net.examples(examples)
        self.moved = x.nbytes + y.nbytes
        self.store, self.x, self.y = store, x, y
        store.bind("data.order", np.arange(examples, dtype=np.int32))
        self.bring()
        self.plan: Any = backend.compile(program, store, traced=False)
        self.steps = [{**net.controls(k, n), "pos": at} for k, (at, n) in enumerate(steps)]

    def bring(self) -> None:
        self.store.bind("data.x", self.x)
        self.store.bind("data.y", self.y)

    def compute(self) -> object:
        return self.plan.run(self.steps)

    def whole(self) -> object:
        self.bring()
        return self.compute()

    def results(self) -> dict[str, Array]:
        return {}

    def settle(self, seconds: float) -> None:
        """An epoch is long enough."""
