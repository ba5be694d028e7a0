"""Lines of the inspector's form about the weights of a layer, whatever the layer: frozen, rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.errors import N_
from engine.graph import NodeSpec, Uid
from engine.layers.base import ParamSpec
from engine.weight_rules import WeightRules
from gui.document import Document
from gui.forms import Field

FROZEN = Field("frozen", N_("Frozen"), "bool", N_("Learning leaves the weights as they are."))
RULE = "rules."
"""Names of fields that are rules begin so."""


def weight_fields(specs: Sequence[ParamSpec]) -> list[Field]:
    """What can be set about these parameters; nothing where none is learnt."""
    trained = [p for p in specs if p.trained]
    if not trained:
        return []
    found = [FROZEN]
    if any(len(p.shape) > 1 for p in trained):
        found += [
            Field(RULE + name, f.label, f.kind, f.help, f.minimum, f.maximum, default=default)
            for name, (f, default) in WeightRules.settings().items()
        ]
    return found


def weight_values(owner: NodeSpec) -> dict[str, Any]:
    """The values of these fields."""
    rules = {RULE + name: getattr(owner.rules, name) for name in WeightRules.settings()}
    return {"frozen": owner.frozen, **rules}


def edit_weights(document: Document, uid: Uid, name: str, value: Any) -> bool:
    """Take a new value; False where the field is the layer's own. Raises GraphError for a bad one."""
    if name == "frozen":
        document.freeze(uid, bool(value))
    elif name.startswith(RULE):
        document.set_rule(uid, name.removeprefix(RULE), float(value))
    else:
        return False
    return True
