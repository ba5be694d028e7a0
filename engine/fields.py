"""Fields of a declaration: `Setting` in a field's annotation gives its label, its range and its help.

Layers and the training settings are frozen dataclasses of such fields.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from engine.errors import N_, GraphError, Message


@dataclass(frozen=True)
class Setting:
    """Facts about one field of a layer or of the training, for the form, the file and the check.

    `kind` is the widget and the type: "int", "float", "bool", "choice", "pair" (height, width),
    "pads" (top, left, bottom, right), "ends" (before, after), "shape" or "list" (any count of numbers).
    """

    label: str
    help: str
    kind: Literal["int", "float", "bool", "choice", "pair", "pads", "ends", "shape", "list"] = "int"
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    hot: bool = False
    """Whether a change acts on the next step without a new program."""


def settings_of(cls: type[Any]) -> dict[str, tuple[Setting, Any]]:
    """Field name -> (its facts, its default), in declaration order."""
    hints = get_type_hints(cls, include_extras=True)
    out: dict[str, tuple[Setting, Any]] = {}
    for f in fields(cls):
        facts = next((a for a in get_args(hints[f.name]) if isinstance(a, Setting)), None)
        if facts is not None:
            out[f.name] = (facts, None if f.default is MISSING else f.default)
    return out


def check_settings(declared: Any, kind: str) -> None:
    """Bring every field of a new declaration into its canonical type. Raises GraphError."""
    for name, (facts, _) in settings_of(type(declared)).items():
        object.__setattr__(declared, name, check_setting(kind, name, facts, getattr(declared, name)))


def check_setting(kind: str, name: str, facts: Setting, value: Any) -> Any:
    """Return `value` in its canonical type; raises GraphError naming layer, field, expected and found."""

    def refuse(expected: str | Message) -> GraphError:
        shown = repr(value)
        return GraphError(
            N_("{layer}: {field} must be {expected}, not {found}."),
            layer=kind,
            field=name,
            expected=expected,
            found=shown if len(shown) < 40 else shown[:37] + "...",
        )

    def whole(v: Any) -> int:
        if isinstance(v, bool) or not isinstance(v, int):
            if isinstance(v, float) and v.is_integer():
                return int(v)
            raise refuse(Message(N_("a whole number")))
        return int(v)

    def within(v: float) -> None:
        if (
            v != v
            or (facts.minimum is not None and v < facts.minimum)
            or (facts.maximum is not None and v > facts.maximum)
        ):
            raise refuse(Message(N_("{low} to {high}"), {"low": facts.minimum, "high": facts.maximum}))

    if facts.kind == "bool":
        if not isinstance(value, bool):
            raise refuse(Message(N_("yes or no")))
        return value
    if facts.kind == "choice":
        if value not in [c for c, _ in facts.choices]:
            raise refuse(Message(N_("one of {names}"), {"names": ", ".join(c for c, _ in facts.choices)}))
        return value
    if facts.kind == "int":
        number = whole(value)
        within(number)
        return number
    if facts.kind == "float":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refuse(Message(N_("a number")))
        within(float(value))
        return float(value)
    if facts.kind == "list":
        if not isinstance(value, (tuple, list)) or any(isinstance(v, bool) for v in value):
            raise refuse(Message(N_("some numbers")))
        if not all(isinstance(v, (int, float)) for v in value):
            raise refuse(Message(N_("some numbers")))
        for v in value:
            within(float(v))
        return tuple(float(v) for v in value)
    count = {"pair": 2, "pads": 4, "ends": 2}.get(facts.kind)
    if isinstance(value, int) and count:
        value = (value,) * count
    if not isinstance(value, (tuple, list)) or (count and len(value) != count) or not value:
        raise refuse(
            Message(N_("{count} whole numbers"), {"count": count})
            if count
            else Message(N_("some whole numbers"))
        )
    numbers = tuple(whole(v) for v in value)
    for n in numbers:
        within(n)
    return numbers
