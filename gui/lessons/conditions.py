"""The vocabulary of things to do: what is seen of the window, and whether it is what a lesson waits for.

Each condition is a name, what it may be given, and a test on `Seen`; a task is done when all of its
conditions hold at once. `docs/lessons.md` lists them for teachers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import N_, Message
from engine.graph import GraphSpec
from engine.layers import LAYERS
from engine.settings import TrainingSpec

PANELS = ("weights", "activations", "gradients", "loss", "palette", "inspector")
PHASES = ("augment", "forward", "loss", "backward", "clip", "update")


@dataclass(frozen=True)
class Seen:
    """What can be observed at one moment, without a widget in it."""

    graph: GraphSpec
    training: TrainingSpec
    running: str = "empty"
    step: int = 0
    epoch: float = 0.0
    phase: str = ""
    """Inside a step: the part that the last operation belongs to."""
    loss: float | None = None
    accuracy: float | None = None
    device: str = ""
    selected: tuple[str, ...] = ()
    opened: tuple[str, tuple[int, ...]] | None = None
    """The value and cell whose story is told, from 0."""
    docks: Mapping[str, str] = field(default_factory=dict)
    """Panel on the screen -> the value it shows, "" for none."""
    example: int = 0
    data: str = ""
    """Kind of the data source: toy, sample, folder, ..."""
    picture: bool = False
    """Whether a window about a picture is open."""
    lab: str = ""
    actions: frozenset[str] = frozenset()
    """Actions that were triggered since the step began."""


Test = Callable[[Any, Seen, Seen], bool]
"""(what the lesson asks for, how it was when the step began, how it is now)"""


@dataclass(frozen=True)
class Condition:
    """`check` says what is wrong with a given value, None where it can be used."""

    check: Callable[[Any], Message | None]
    test: Test


def holds(conditions: Mapping[str, Any], before: Seen, now: Seen) -> bool:
    """Whether all of a task's conditions hold."""
    return all(CONDITIONS[name].test(value, before, now) for name, value in conditions.items())


# ---- what may be given -------------------------------------------------------------------------------------


def _one_of(*names: str) -> Callable[[Any], Message | None]:
    def check(value: Any) -> Message | None:
        if isinstance(value, str) and value in names:
            return None
        return Message(N_("one of {names}"), {"names": ", ".join(names)})

    return check


def _text(value: Any) -> Message | None:
    return None if isinstance(value, str) and value else Message(N_("a name in quotes"))


def _flag(value: Any) -> Message | None:
    return None if isinstance(value, bool) else Message(N_("true or false"))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: Any) -> Message | None:
    return None if _is_number(value) else Message(N_("a number"))


def _count(value: Any) -> Message | None:
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if good else Message(N_("a whole number from 1"))


def _pair(value: Any) -> Message | None:
    good = isinstance(value, list) and len(value) == 2 and all(isinstance(name, str) for name in value)
    return None if good else Message(N_("a list of two names"))


def _table(*, needed: tuple[str, ...], allowed: tuple[str, ...]) -> Callable[[Any], Message | None]:
    def check(value: Any) -> Message | None:
        good = isinstance(value, dict) and set(needed) <= set(value) <= {*needed, *allowed}
        if not good:
            names = ", ".join((*needed, *(f"({name})" for name in allowed)))
            return Message(N_("a table with {names}"), {"names": names})
        cell = value.get("cell", [1])
        if not isinstance(cell, list) or not all(isinstance(n, int) and n > 0 for n in cell):
            return Message(N_("a cell counted from 1, as in cell = [1, 2]"))
        limits = (value[name] for name in ("at_least", "at_most") if name in value)
        if not all(_is_number(limit) for limit in limits):
            return Message(N_("a number"))
        return None

    return check


# ---- what is seen ------------------------------------------------------------------------------------------


def _kinds(seen: Seen, kind: str) -> int:
    return sum(node.layer.kind == kind for node in seen.graph.nodes)


def _linked(value: Any, seen: Seen) -> bool:
    names = {node.uid: node.name for node in seen.graph.nodes}
    return any([names.get(k.source), names.get(k.target)] == value for k in seen.graph.links)


def _setting_of(of: str, name: str, seen: Seen) -> Any:
    if of == "training":
        return getattr(seen.training, name, None)
    node = next((node for node in seen.graph.nodes if node.name == of), None)
    return getattr(node.layer, name, None) if node is not None else None


def _setting(value: Any, before: Seen, now: Seen) -> bool:
    old, new = (_setting_of(value["of"], value["name"], seen) for seen in (before, now))
    if "is" in value:
        wanted = value["is"]
        if _is_number(wanted) and _is_number(new):
            return math.isclose(new, wanted, rel_tol=1e-6, abs_tol=1e-12)
        return bool((list(new) if isinstance(new, tuple) else new) == wanted)
    limits = ("at_least", "at_most")
    if any(name in value for name in limits):
        low, high = value.get("at_least", -math.inf), value.get("at_most", math.inf)
        return _is_number(new) and bool(low <= new <= high)
    return bool(old != new)


def _opened(value: Any, before: Seen, now: Seen) -> bool:
    if now.opened is None or now.opened[0] != value["value"]:
        return False
    cell = value.get("cell")
    return cell is None or [n + 1 for n in now.opened[1]] == cell


def _shown(value: Any, before: Seen, now: Seen) -> bool:
    panel = value["panel"]
    return panel in now.docks and value.get("value", now.docks[panel]) == now.docks[panel]


def _names(seen: Seen) -> set[str]:
    return {node.name for node in seen.graph.nodes if node.uid in seen.selected}


_KINDS = _one_of(*(kind for kind in LAYERS))
CONDITIONS: Mapping[str, Condition] = {
    "added": Condition(_KINDS, lambda v, b, n: _kinds(n, v) > _kinds(b, v)),
    "removed": Condition(_KINDS, lambda v, b, n: _kinds(n, v) < _kinds(b, v)),
    "linked": Condition(_pair, lambda v, b, n: _linked(v, n)),
    "unlinked": Condition(_pair, lambda v, b, n: not _linked(v, n)),
    "setting": Condition(
        _table(needed=("of", "name"), allowed=("is", "at_least", "at_most")), _setting
    ),
    "playing": Condition(_flag, lambda v, b, n: (n.running == "playing") == v and (v or n.step > b.step)),
    "steps": Condition(_count, lambda v, b, n: n.step >= b.step + v),
    "epochs": Condition(_number, lambda v, b, n: n.epoch >= b.epoch + v),
    "step_reached": Condition(_count, lambda v, b, n: n.step >= v),
    "inside": Condition(_one_of(*PHASES), lambda v, b, n: n.phase == v),
    "opened": Condition(_table(needed=("value",), allowed=("cell",)), _opened),
    "panel": Condition(_table(needed=("panel",), allowed=("value",)), _shown),
    "selected": Condition(_text, lambda v, b, n: v in _names(n)),
    "example": Condition(_count, lambda v, b, n: n.example == v - 1),
    "data": Condition(_text, lambda v, b, n: n.data == v),
    "picture": Condition(_flag, lambda v, b, n: n.picture == v),
    "lab": Condition(_text, lambda v, b, n: n.lab == v or v in n.actions),
    "action": Condition(_text, lambda v, b, n: v in n.actions),
    "accuracy": Condition(_number, lambda v, b, n: n.accuracy is not None and n.accuracy >= v),
    "loss_below": Condition(_number, lambda v, b, n: n.step > 0 and n.loss is not None and n.loss < v),
    "device": Condition(_text, lambda v, b, n: n.device.startswith(v)),
}
