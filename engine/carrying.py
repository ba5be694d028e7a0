"""Carried weights: what a new program starts with, and what is remembered of parameters that went away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.backends.base import Array, state_key
from engine.inference import Inference
from engine.initializers import initialize
from engine.locks import lock_key
from engine.ops.accumulating import GATHERED
from engine.optimizers import moments
from engine.settings import OPTIMIZER_CHOICES
from engine.values import Program

ATTIC_BYTES = 256 << 20
"""What is remembered of removed and resized parameters; the oldest go first."""
_MOMENTS = frozenset({GATHERED, *(m for name, _ in OPTIMIZER_CHOICES for m in moments(name))})


class Attic:
    """State that the present program has no place for, kept so that undoing an edit brings it back."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, tuple[int, ...]], Array] = {}

    def find(self, key: str, shape: tuple[int, ...]) -> Array | None:
        """What was remembered, or None."""
        return self._arrays.get((key, shape))

    def keep(self, old: Mapping[str, Array], program: Program) -> None:
        """Remember of `old` what `program` has no place for, and forget what it has."""
        present = {(state_key(v), v.shape) for v in program.state()}
        for key, array in old.items():
            if (key, array.shape) not in present:
                self._arrays.pop((key, array.shape), None)
                self._arrays[key, array.shape] = array
        for entry in present:
            self._arrays.pop(entry, None)
        while self.bytes > ATTIC_BYTES:
            del self._arrays[next(iter(self._arrays))]

    def without_moments(self) -> Attic:
        """An attic with the parameters alone."""
        parameters = Attic()
        parameters._arrays = {k: v for k, v in self._arrays.items() if not _is_moment(k[0])}
        return parameters

    @property
    def bytes(self) -> int:
        """What is remembered in all."""
        return sum(a.nbytes for a in self._arrays.values())


def start_state(
    program: Program, facts: Inference, carried: Mapping[str, Array], attic: Attic, seed: int
) -> dict[str, Array]:
    """Fresh values, overlaid with what is carried: whole where shapes match, else the common block."""
    out: dict[str, Array] = {}
    specs = {f"{uid}.{s.name}": (uid, s) for uid, params in facts.params.items() for s in params}
    for v in program.state():
        key = state_key(v)
        owner, spec = specs.get(key, ("", None))
        fresh = initialize(spec, seed, owner) if spec else np.zeros(v.shape, np.float32)
        fixed = spec is not None and spec.fixed
        out[key] = np.ascontiguousarray(fresh if fixed else _overlaid(fresh, key, carried, attic))
    return out


def _overlaid(fresh: Array, key: str, carried: Mapping[str, Array], attic: Attic) -> Array:
    old = carried.get(key)
    kept = attic.find(key, fresh.shape)
    if old is not None and old.shape == fresh.shape:
        return np.asarray(old, np.float32)
    if kept is not None:
        return kept
    if old is not None and old.ndim == fresh.ndim:
        common = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, fresh.shape, strict=True))
        fresh[common] = old[common]
    return fresh


def locked_parameters(facts: Inference, carried: Mapping[str, Array], attic: Attic) -> frozenset[str]:
    """Parameters of which cells are locked in what is carried."""
    return frozenset(
        key
        for uid, params in facts.params.items()
        for s in params
        if (key := f"{uid}.{s.name}") and s.trained
        and _overlaid(np.zeros(s.shape, np.float32), lock_key(key), carried, attic).any()
    )  # fmt: skip


def without_moments(state: Mapping[str, Array]) -> dict[str, Array]:
    """The state without what its optimizer remembers."""
    return {k: v for k, v in state.items() if not _is_moment(k)}


def without_gathered(state: Mapping[str, Array]) -> dict[str, Array]:
    """The state without gradients that wait for more batches."""
    return {k: v for k, v in state.items() if not k.endswith(f".{GATHERED}")}


def _is_moment(key: str) -> bool:
    """Whether a state key is an optimizer's: <node>.<param>.<moment>."""
    return key.count(".") >= 2 and key.rsplit(".", 1)[1] in _MOMENTS
