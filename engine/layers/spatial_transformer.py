"""SpatialTransformer: a second input says how each example is warped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.augment import BORDERS
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, shape_text
from engine.layers.dense import Dense
from engine.layers.flatten import Flatten
from engine.layers.warping import record_warp
from engine.layers.windows import need_picture

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class SpatialTransformer(Layer):
    """y(p) = x(M⁻¹ p) with the six numbers of M from a network: Jaderberg et al. 2015."""

    kind = "spatial_transformer"
    label = N_("Spatial transformer")
    category = "transform"
    help = N_(
        "Warps the maps of each example by a matrix of its own: the second input gives its six numbers "
        "a, b, t, c, d, t, mostly from a small network that looks at the same picture. Shifts count in "
        "halves of the picture; the gradient reaches both inputs."
    )
    formula = r"y^{(k)}(p) = x^{(k)}(M_k^{-1} p), \quad M_k = I + \theta^{(k)}"
    ports = ("x", "matrix")
    stem = "warp"

    identity: Annotated[
        bool,
        Setting(
            N_("From the identity"),
            N_("The six numbers are added to the identity, so that zeros change nothing."),
            kind="bool",
        ),
    ] = True
    border: Annotated[
        str, Setting(N_("Border"), N_("What lies outside the picture."), kind="choice", choices=BORDERS)
    ] = "zero"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        need_picture(inputs[0])
        if inputs[1] != (6,):
            raise ShapeProblem(
                Message(
                    N_("The second input needs 6 numbers for the matrix, gets {found}."),
                    {"found": shape_text(inputs[1])},
                ),
                repairs=(self._six(inputs[1]),),
            )
        return inputs[0]

    def _six(self, found: Shape) -> Repair:
        """A Dense of six units; of zeros where these change nothing."""
        if len(found) > 1:
            return Repair(Message(N_("Insert Flatten")), "insert_before", port=1, layer=Flatten())
        six = Dense(6, initializer="zeros") if self.identity else Dense(6)
        label = Message(N_("Insert Dense with {units} units"), {"units": 6})
        return Repair(label, "insert_before", port=1, layer=six)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        x, theta = inputs
        unit = (x.shape[2] / 2, x.shape[1] / 2)
        return record_warp(rec, x, (theta,), self.border, unit=unit, identity=self.identity)

    def summary(self) -> Message:
        return Message(N_("matrix from the second input"))

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        c, h, w = inputs[0]
        return 4 * c * h * w
