"""Networks and inline sessions for the tests of the engine's process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import LAYERS
from engine.session import protocol as p
from engine.session.session import Session
from engine.settings import TrainingSpec

T = TypeVar("T")


def layer(kind: str, **settings: Any) -> Any:
    return LAYERS[kind](**settings)


def circle_net() -> GraphSpec:
    g = GraphSpec().add("input", layer("input", shape=(2,)))
    g = g.add("dense1", layer("dense", units=3), after="input").add("tanh1", layer("tanh"), after="dense1")
    g = g.add("dense2", layer("dense", units=1), after="tanh1").add("tanh2", layer("tanh"), after="dense2")
    return g.add("output", layer("output"), after="tanh2")


def dropped_net() -> GraphSpec:
    """The circle with what draws random numbers and keeps statistics."""
    g = GraphSpec().add("input", layer("input", shape=(2,)))
    g = g.add("dense1", layer("dense", units=8), after="input")
    g = g.add("norm1", layer("batch_norm"), after="dense1").add("tanh1", layer("tanh"), after="norm1")
    g = g.add("drop1", layer("dropout", rate=0.25), after="tanh1")
    g = g.add("dense2", layer("dense", units=1), after="drop1").add("tanh2", layer("tanh"), after="dense2")
    return g.add("output", layer("output"), after="tanh2")


def digits_net(dropout: float = 0.25) -> GraphSpec:
    g = GraphSpec().add("input", layer("input", shape=(1, 8, 8)))
    g = g.add("conv1", layer("conv2d", filters=4, kernel=3), after="input")
    g = g.add("relu1", layer("relu"), after="conv1").add("norm1", layer("batch_norm"), after="relu1")
    g = g.add("flatten1", layer("flatten"), after="norm1")
    g = g.add("drop1", layer("dropout", rate=dropout), after="flatten1")
    g = g.add("dense1", layer("dense", units=10), after="drop1")
    return g.add("output", layer("output"), after="dense1")


CIRCLE = SourceSpec.toy("circle", 250, seed=3)
DIGITS = SourceSpec.sample("digits")
SGD = TrainingSpec("mse", "momentum", 0.05, batch=16, seed=5)
ADAM = TrainingSpec("cross_entropy", "adam", 0.003, batch=32, seed=5)


class Inline:
    """A session with all it said, and the commands tests need."""

    def __init__(self, **more: Any) -> None:
        self.events: list[p.Event] = []
        self.session = Session(self.events.append, **more)

    def say(self, *commands: p.Command) -> None:
        for command in commands:
            self.session.handle(command)

    def circle(self, **more: Any) -> Inline:
        self.say(p.Configure(circle_net(), SGD, CIRCLE, 1, **more))
        return self

    def digits(self, **more: Any) -> Inline:
        self.say(p.Configure(digits_net(), ADAM, DIGITS, 1, **more))
        return self

    def of(self, kind: type[T]) -> list[T]:
        return [e for e in self.events if isinstance(e, kind)]

    def pull(self) -> tuple[p.Frame | None, p.Status]:
        """Pull once and work until the answer is there."""
        self.events[:] = [e for e in self.events if not isinstance(e, p.Frame | p.Status)]
        self.say(p.Pull())
        for _ in range(1000):
            self.session.work()
            if self.of(p.Status):
                break
        frames = self.of(p.Frame)
        return frames[-1] if frames else None, self.of(p.Status)[-1]

    def reply(self, command: Any) -> Any:
        self.say(command)
        (found,) = [r for r in self.of(p.Reply) if r.id == command.id]
        assert found.error is None, str(found.error)
        return found.payload

    def work_until(self, done: Callable[[Session], bool], turns: int = 20_000) -> None:
        for _ in range(turns):
            if done(self.session):
                return
            self.session.work()
        raise AssertionError("it did not come to that")

    @property
    def trainer(self) -> Any:
        assert self.session.trainer is not None
        return self.session.trainer

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        return dict(self.trainer.store.state())


@pytest.fixture
def inline() -> Iterator[Inline]:
    made = Inline()
    yield made
    made.session.close()
