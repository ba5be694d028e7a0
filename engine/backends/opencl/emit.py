"""From an op to launches: the registry of emitters, one per kind that is not cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

from engine.backends.opencl.chain import Site
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.base import Attrs
from engine.values import Op, Value

Epilogue = Literal["lanes", "cells", "cell", "none"]


@dataclass
class Emission:
    """Launches of one op, in order. The one at `main` ends in the epilogue for the op's first output."""

    launches: list[Launch]
    epilogue: Epilogue = "lanes"
    main: int = -1
    scratch: dict[str, int] = field(default_factory=dict)
    """Arrays the launches hand to each other: name -> floats."""


Emitter = Callable[[Op, Site], Emission]
EMITTERS: dict[str, Emitter] = {}


def emits(*kinds: str) -> Callable[[Emitter], Emitter]:
    """Decorator: the emitter of these kinds."""

    def keep(emitter: Emitter) -> Emitter:
        for kind in kinds:
            EMITTERS[kind] = emitter
        return emitter

    return keep


def reads(name: str, value: Value) -> Pointer:
    return Pointer(name, value.id, dtype=value.dtype)


def writes(name: str, value: Value) -> Pointer:
    return Pointer(name, value.id, write=True, restrict=False, dtype=value.dtype)


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def pair(attrs: Attrs, name: str) -> tuple[int, int]:
    return cast("tuple[int, int]", attrs[name])


def pads(attrs: Attrs) -> tuple[int, int, int, int]:
    return cast("tuple[int, int, int, int]", attrs["padding"])
