"""AffineWarp: feature maps turned, scaled, sheared and shifted by one matrix, given or learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.augment import BORDERS
from engine.layers.base import Layer, ParamSpec, Shape
from engine.layers.warping import record_warp, theta_of
from engine.layers.windows import need_picture

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class AffineWarp(Layer):
    """y(p) = x(M⁻¹ p) with M about the center of the map, the same for every example and channel."""

    kind = "affine_warp"
    label = N_("Affine warp")
    category = "transform"
    help = N_(
        "Turns, scales, shears and shifts every feature map by one matrix about its center; each pixel is "
        "read between four others, at the inverse of the matrix. With “Learn the matrix” the settings are "
        "only its start, and its gradient comes from the slopes of the map."
    )
    formula = (
        r"y(p) = x(M^{-1} p), \quad M = \begin{pmatrix} a & b & t_x \\ c & d & t_y \\ 0 & 0 & 1 \end{pmatrix}"
    )
    stem = "warp"

    angle: Annotated[
        float,
        Setting(
            N_("Angle"),
            N_("To the right, as y points down."),
            kind="float",
            minimum=-180.0,
            maximum=180.0,
            unit="°",
        ),
    ] = 0.0
    scale: Annotated[
        float,
        Setting(
            N_("Scale"),
            N_("Size of the map that comes out."),
            kind="float",
            minimum=1.0,
            maximum=1000.0,
            unit="%",
        ),
    ] = 100.0
    shear: Annotated[
        float,
        Setting(
            N_("Shear"),
            N_("Columns to the side for each row."),
            kind="float",
            minimum=-10.0,
            maximum=10.0,
        ),
    ] = 0.0
    shift_x: Annotated[
        float,
        Setting(
            N_("Shift right"),
            N_("Columns to the right."),
            kind="float",
            minimum=-1024.0,
            maximum=1024.0,
            unit="px",
        ),
    ] = 0.0
    shift_y: Annotated[
        float,
        Setting(
            N_("Shift down"), N_("Rows down."), kind="float", minimum=-1024.0, maximum=1024.0, unit="px"
        ),
    ] = 0.0
    border: Annotated[
        str, Setting(N_("Border"), N_("What lies outside the picture."), kind="choice", choices=BORDERS)
    ] = "zero"
    trained: Annotated[
        bool,
        Setting(
            N_("Learn the matrix"),
            N_("The matrix is a parameter; the settings are its start."),
            kind="bool",
        ),
    ] = False

    @property
    def theta(self) -> tuple[float, ...]:
        """a, b, tx, c, d, ty as the settings say."""
        return theta_of(self.angle, self.scale, self.shear, (self.shift_x, self.shift_y))

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        need_picture(inputs[0])
        return inputs[0]

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (2, 3), start=self.theta),) if self.trained else ()

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        if self.trained:
            return record_warp(rec, inputs[0], (params["weight"],), self.border)
        return record_warp(rec, inputs[0], (), self.border, theta=self.theta)

    def summary(self) -> Message:
        if self.trained:
            return Message(N_("learnt matrix"))
        return Message(
            "{angle}°, {scale} %, {x}, {y} px",
            {
                "angle": f"{self.angle:g}",
                "scale": f"{self.scale:g}",
                "x": f"{self.shift_x:g}",
                "y": f"{self.shift_y:g}",
            },
        )

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        c, h, w = inputs[0]
        return 4 * c * h * w
