"""Lines of the inspector's form about the weights of a layer, whatever the layer: frozen, rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from engine.errors import N_
from engine.graph import NodeSpec, Uid
from engine.held_step import LETTERS
from engine.initializers import start_choices
from engine.layers.base import ParamSpec
from engine.weight_rules import WeightRules
from gui.document import Document
from gui.forms import Field
from gui.i18n import tr

FROZEN = Field("frozen", N_("Frozen"), "bool", N_("Learning leaves the weights as they are."))
RULE, START = "rules.", "start of "
"""Names of fields that are rules, or starts of parameters, begin so."""
OWN_START = {"weight": "initializer", "bias": "bias_initializer", "state_weight": "state_initializer"}
"""Parameters whose start some layers have a setting of their own for."""
NAMES = {name: letter for name, letter in LETTERS.items() if "_" in name}
"""Parameters that are known by a letter: W_h, b_h, W_O."""


def weight_fields(specs: Sequence[ParamSpec], settings: Collection[str]) -> list[Field]:
    """What can be set about these parameters of a layer with such settings; nothing where none is learnt."""
    trained = [p for p in specs if p.trained]
    if not trained:
        return []
    found = [
        Field(START + p.name, tr("Start of {parameter}").format(parameter=NAMES.get(p.name, p.name)),
              "choice", N_("How these numbers are drawn before training; acts at the next reset."),
              choices=(("", N_("of the layer")), *start_choices(p)), default="")
        for p in trained
        if not p.fixed and OWN_START.get(p.name, "") not in settings
    ]  # fmt: skip
    found.append(FROZEN)
    if any(len(p.shape) > 1 for p in trained):
        found += [
            Field(RULE + name, f.label, f.kind, f.help, f.minimum, f.maximum, default=default)
            for name, (f, default) in WeightRules.settings().items()
        ]
    return found


def weight_values(owner: NodeSpec, shown: Sequence[Field]) -> dict[str, Any]:
    """The values of these fields."""
    starts = {f.name: dict(owner.starts).get(f.name.removeprefix(START), "") for f in shown
              if f.name.startswith(START)}  # fmt: skip
    rules = {RULE + name: getattr(owner.rules, name) for name in WeightRules.settings()}
    return {"frozen": owner.frozen, **rules, **starts}


def edit_weights(document: Document, uid: Uid, name: str, value: Any) -> bool:
    """Take a new value; False where the field is the layer's own. Raises GraphError for a bad one."""
    if name == "frozen":
        document.freeze(uid, bool(value))
    elif name.startswith(RULE):
        document.set_rule(uid, name.removeprefix(RULE), float(value))
    elif name.startswith(START):
        document.set_start(uid, name.removeprefix(START), str(value))
    else:
        return False
    return True
