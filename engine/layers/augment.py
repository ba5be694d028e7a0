"""Augment: small random rotation, scale and shift of the training pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Shape
from engine.layers.windows import need_picture

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value

BORDERS = (("zero", N_("black")), ("edge", N_("edge")), ("reflect", N_("mirror")))


@dataclass(frozen=True)
class Augment(Layer):
    """A random affine map for each training picture; testing and prediction see the picture as it is."""

    kind = "augment"
    label = N_("Augment")
    category = "transform"
    help = N_(
        "While training each picture is turned, scaled and shifted a little, at random and about its "
        "centre, so that the network sees more than it was given. Testing uses the pictures as they are."
    )
    formula = r"x'(p) = x(M^{-1} p)"
    on_data = True

    rotation: Annotated[
        float,
        Setting(
            N_("Rotation"),
            N_("Largest angle to either side."),
            kind="float",
            minimum=0.0,
            maximum=180.0,
            unit="°",
            hot=True,
        ),
    ] = 8.0
    scale: Annotated[
        float,
        Setting(
            N_("Scale"),
            N_("Largest change of size, up or down."),
            kind="float",
            minimum=0.0,
            maximum=90.0,
            unit="%",
            hot=True,
        ),
    ] = 8.0
    shift: Annotated[
        float,
        Setting(
            N_("Shift"),
            N_("Largest shift in each direction."),
            kind="float",
            minimum=0.0,
            maximum=512.0,
            unit="px",
            hot=True,
        ),
    ] = 2.0
    border: Annotated[
        str, Setting(N_("Border"), N_("What lies outside the picture."), kind="choice", choices=BORDERS)
    ] = "zero"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        need_picture(inputs[0])
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        if not rec.train:
            return rec.view(x, "y", x.axes, x.shape)
        controls = [rec.control(f"{rec.node}.{k}", getattr(self, k)) for k in ("rotation", "scale", "shift")]
        _, h, w, n = x.shape
        matrix = rec.emit1(
            "random_affine",
            (),
            "matrix",
            attrs={"height": h, "width": w, "capacity": n},
            controls=controls,
            stream=f"{rec.node}.augment",
        )
        return rec.emit1("affine_warp", (x, matrix), "y", attrs={"border": self.border})

    def summary(self) -> Message:
        return Message(
            "± {rotation}°, ± {scale} %, ± {shift} px",
            {k: f"{getattr(self, k):g}" for k in ("rotation", "scale", "shift")},
        )
