"""Upsample: pictures made larger by a whole factor."""

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

MODES = (("nearest", N_("Nearest")), ("bilinear", N_("Bilinear")))


@dataclass(frozen=True)
class Upsample(Layer):
    """As PyTorch's Upsample with align_corners=False: pixels have a width, edges go on outside."""

    kind = "upsample"
    label = N_("Upsample")
    category = "pooling"
    help = N_(
        "Makes each map larger by a whole factor. Nearest repeats every pixel; bilinear reads between four. "
        "Pixels have a width: pixel r of the result lies at (r + ½) / f − ½ of the map (PyTorch's "
        "align_corners=False), and beyond its edge the outermost pixels go on."
    )
    formula = r"y(r, s) = \sum_{i,j} w_i w_j \, x(i, j), \quad i \approx \frac{r + 1/2}{f} - \frac{1}{2}"

    factor: Annotated[
        tuple[int, int],
        Setting(N_("Factor"), N_("How many times as many rows and columns."), kind="pair", minimum=1,
                maximum=64),
    ] = (2, 2)  # fmt: skip
    mode: Annotated[
        str, Setting(N_("Between pixels"), N_("How pixels are read."), kind="choice", choices=MODES)
    ] = "nearest"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        c, h, w = need_picture(inputs[0])
        return (c, h * self.factor[0], w * self.factor[1])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("upsample", inputs, "y", attrs={"factor": self.factor, "mode": self.mode})

    def summary(self) -> Message:
        return Message("× {rows}, × {columns}", {"rows": self.factor[0], "columns": self.factor[1]})

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        c, h, w = self.output_shape(inputs)
        return 0 if self.mode == "nearest" else 4 * c * h * w
