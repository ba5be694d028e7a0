"""Reshape: the same numbers as another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Repair, Shape, ShapeProblem, elements, shape_text

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Reshape(Layer):
    """A vector becomes a picture, or a picture another one; no number changes."""

    kind = "reshape"
    label = N_("Reshape")
    category = "pooling"
    help = N_(
        "The same numbers in the same order as channels × rows × columns. With 1 row and 1 column it is "
        "a vector of channels."
    )
    formula = r"y = x \text{ in another shape}"

    shape: Annotated[
        tuple[int, ...],
        Setting(
            N_("Shape"),
            N_("Channels, rows and columns; for a sequence features and positions; one number for a vector."),
            kind="shape",
        ),
    ] = (1, 3, 4)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        have, want = elements(inputs[0]), elements(self.shape)
        if len(self.shape) > 3 and have == want:
            fitting = (elements(self.shape[:-2]), *self.shape[-2:])
            use = Repair(Message(N_("Use {shape}"), {"shape": shape_text(fitting)}), "set_field",
                         field="shape", value=fitting)  # fmt: skip
            text = N_("The shape must be features or channels × rows × columns, not {found}.")
            raise ShapeProblem(Message(text, {"found": shape_text(self.shape)}), "shape", (use,))
        if have != want:
            words = Message(N_("Use {shape}"), {"shape": have})
            raise ShapeProblem(
                Message(
                    N_("{shape} holds {want} numbers, {have} come in."),
                    {"shape": shape_text(self.shape), "want": want, "have": have},
                ),
                "shape",
                (Repair(words, "set_field", field="shape", value=(have,)),),
            )
        return self.shape

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        axes = (("F", "N"), ("F", "T", "N"), ("C", "H", "W", "N"))[len(self.shape) - 1]
        return rec.view(x, "y", axes, (*self.shape, x.shape[-1]))

    def summary(self) -> Message:
        return Message("{shape}", {"shape": shape_text(self.shape)})
