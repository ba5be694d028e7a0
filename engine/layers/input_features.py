"""InputFeatures: of the points of a plane the numbers that a person would like the network to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text
from engine.layers.dense import Dense
from engine.layers.flatten import Flatten
from engine.ops.input_features import FEATURES

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class InputFeatures(Layer):
    """Nothing is learnt here: each feature that is on is one number of the vector that leaves."""

    kind = "input_features"
    label = N_("Input features")
    category = "transform"
    help = N_(
        "Makes of the point (x, y) the chosen of x, y, x², y², x·y, sin x and sin y. What a feature says, "
        "the layers behind need not find out: with x² and y² one straight line becomes a circle."
    )
    formula = r"\varphi(x, y) = (x, \; y, \; x^2, \; y^2, \; x y, \; \sin x, \; \sin y)"
    stem = "features"

    x: Annotated[bool, Setting("x", N_("The first coordinate."), kind="bool")] = True
    y: Annotated[bool, Setting("y", N_("The second coordinate."), kind="bool")] = True
    x2: Annotated[bool, Setting("x²", N_("The first coordinate squared."), kind="bool")] = True
    y2: Annotated[bool, Setting("y²", N_("The second coordinate squared."), kind="bool")] = True
    xy: Annotated[bool, Setting("x·y", N_("The product of both."), kind="bool")] = False
    sin_x: Annotated[bool, Setting("sin x", N_("The sine of the first coordinate."), kind="bool")] = False
    sin_y: Annotated[bool, Setting("sin y", N_("The sine of the second coordinate."), kind="bool")] = False

    @property
    def names(self) -> tuple[str, ...]:
        """What is on, in order."""
        return tuple(name for name in FEATURES if getattr(self, name))

    @property
    def labels(self) -> tuple[str, ...]:
        """The same as a person reads them."""
        facts = self.settings()
        return tuple(facts[name][0].label for name in self.names)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs[0] != (2,):
            text = N_("Needs the two coordinates of a point, gets {found}.")
            raise ShapeProblem(Message(text, {"found": shape_text(inputs[0])}), repairs=(_point(inputs[0]),))
        if not self.names:
            repair = Repair(Message(N_("Turn x on")), "set_field", field="x", value=True)
            raise ShapeProblem(Message(N_("No feature is on, expected at least one.")), "x", (repair,))
        return (len(self.names),)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("input_features", inputs, "y", attrs={"features": self.names})

    def summary(self) -> Message:
        return Message("{names}", {"names": ", ".join(self.labels) or "–"})


def _point(found: Shape) -> Repair:
    """Of many numbers a Dense makes two."""
    if len(found) > 1:
        return Repair(Message(N_("Insert Flatten")), "insert_before", layer=Flatten())
    label = Message(N_("Insert Dense with {units} units"), {"units": 2})
    return Repair(label, "insert_before", layer=Dense(2))
