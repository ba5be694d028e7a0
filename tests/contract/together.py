"""Kernels of many one-op programs built as one: a driver takes most of its time to begin, not to compile.

Functions and kernels are named after what is in them, so texts for the same shape of device can be joined:
what they have in common is written once. What runs is the code each program asks for by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, TypeVar
from unittest.mock import patch

from engine.backends.opencl import jobs, programs
from engine.backends.opencl.backend import OpenCLBackend
from engine.backends.opencl.kernel import template
from engine.backends.opencl.runtime import Device
from engine.errors import DeviceError

Case = TypeVar("Case", bound=Hashable)
PART = re.compile(r"^(?=#define NAME |__kernel void )", re.MULTILINE)


def build_together(
    backend: OpenCLBackend, compilations: Mapping[Case, Sequence[Callable[[], object]]]
) -> dict[Case, dict[str, Any]]:
    """Of every case the texts its compilations would build, each with the program that has its kernels."""
    device = backend._device
    texts = {case: [_text_of(one) for one in some] for case, some in compilations.items()}
    groups: dict[str, dict[str, list[str]]] = {}
    """Head -> text -> its parts."""
    for text in chain.from_iterable(texts.values()):
        head, parts = split(text)
        groups.setdefault(head, {})[text] = parts
    made: dict[str, Any] = {}
    for head, group in groups.items():
        joined = head + "".join(dict.fromkeys(chain.from_iterable(group.values())))
        programs.build(device, joined, [])
        made.update(dict.fromkeys(group, device.built.pop(joined)))
    return {case: {text: made[text] for text in some} for case, some in texts.items()}


def put_at_hand(backend: OpenCLBackend, built: Mapping[str, Any]) -> None:
    """The next compilations find these programs instead of building them."""
    for text, program in built.items():
        backend._device.built.pop(text, None)
        backend._device.built[text] = program


def split(text: str) -> tuple[str, list[str]]:
    """What all texts for one shape of device begin with, and the functions and kernels behind it."""
    end = text.index(template("prelude")) + len(template("prelude"))
    return text[:end], PART.split(text[end:])


class Noted(DeviceError):
    """A text was noted instead of being built."""


def _text_of(compilation: Callable[[], object]) -> str:
    """The text that making a plan would build; it is not built."""
    texts: list[str] = []

    def build(device: Device, text: str, names: object) -> None:
        texts.append(text)
        raise Noted("noted")

    with patch.object(jobs, "build", build), suppress(Noted):
        compilation()
    (text,) = texts
    return text
