"""Which cells of a parameter are locked: what is asked of the engine beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.locks import lock_key
from engine.session.protocol import Configured
from engine.session.views import Maps, Matrix
from engine.values import Program, Role
from gui.watching import Wish

LOCK = ".lock"
"""Ends the names of such wishes."""


def parameter_of(program: Program | None, value_id: str) -> str:
    """The key "<node>.<name>" of a parameter as it is before the step; "" for any other value."""
    value = program.values.get(value_id) if program is not None else None
    known = value is not None and value.role is Role.PARAM and value_id.endswith("@old")
    return value_id.removesuffix("@old") if known else ""


def mask_of(program: Program, value_id: str) -> str:
    """The value that says which cells of a parameter are locked; "" where none can be."""
    key = parameter_of(program, value_id)
    found = f"{lock_key(key)}@old"
    return found if key and found in program.values else ""


def with_locks(wishes: Mapping[str, Wish], configured: Configured | None) -> dict[str, Wish]:
    """Beside every wish for a parameter that has a mask one for the mask, over the same cells."""
    found = dict(wishes)
    if configured is None:
        return found
    for name, wish in wishes.items():
        request = wish.request
        if isinstance(request, Matrix | Maps) and (mask := mask_of(configured.program, request.value)):
            found[name + LOCK] = replace(wish, request=replace(request, value=mask))
    return found
