"""Permute: channels, rows and columns change places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_
from engine.fields import Setting
from engine.layers.base import Layer, Shape
from engine.layers.windows import need_picture
from engine.ops.rearranging import both, permuted

ORDERS = (
    ("crow", N_("channels, columns, rows")),
    ("rcw", N_("rows, channels, columns")),
    ("rwc", N_("rows, columns, channels")),
    ("wcr", N_("columns, channels, rows")),
    ("wrc", N_("columns, rows, channels")),
)
AXES = {"crow": (0, 2, 1), "rcw": (1, 0, 2), "rwc": (1, 2, 0), "wcr": (2, 0, 1), "wrc": (2, 1, 0)}

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Permute(Layer):
    """The same numbers in another order of their axes."""

    kind = "permute"
    label = N_("Permute")
    category = "pooling"
    help = N_("Channels, rows and columns change places. No number changes.")
    formula = r"y_{\pi(c, r, s)} = x_{c r s}"

    order: Annotated[
        str,
        Setting(
            N_("New order"),
            N_("Which axis becomes the first, the second and the third."),
            kind="choice",
            choices=ORDERS,
        ),
    ] = "crow"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = need_picture(inputs[0])
        return tuple(shape[a] for a in AXES[self.order])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        c, h, w = inputs[0].shape[:3]
        there, back = permuted((c, h, w), AXES[self.order])
        return rec.emit1("rearrange", inputs, "y", attrs=both(there, back))
