"""PositionalEncoding: each position adds its own vector, so that order matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Shape
from engine.layers.sequences import need_sequence

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value

TABLES = (("sinusoidal", N_("sine and cosine")), ("learned", N_("learned")))


@dataclass(frozen=True)
class PositionalEncoding(Layer):
    """y = x + P with P of F × T, the same for every example."""

    kind = "positional_encoding"
    label = N_("Positional encoding")
    category = "recurrent"
    help = N_(
        "Adds to each position of a sequence a vector of its own, because attention by itself does not know "
        "the order. Sine and cosine of ever slower waves need not be learnt; a learned table starts at zero."
    )
    formula = (
        r"y_{f t} = x_{f t} + p_{f t}, \quad p_{2i, t} = \sin \frac{t}{10000^{2i/F}}, "
        r"\; p_{2i+1, t} = \cos \frac{t}{10000^{2i/F}}"
    )
    stem = "position"

    table: Annotated[
        str,
        Setting(N_("Table"), N_("Fixed waves, or numbers that are learnt."), kind="choice", choices=TABLES),
    ] = "sinusoidal"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return need_sequence(inputs[0])

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        shape = need_sequence(inputs[0])
        if self.table == "learned":
            return (ParamSpec("weight", shape),)
        return (ParamSpec("weight", shape, "sinusoid", trained=False, fixed=True),)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("positions", (inputs[0], params["weight"]), "y")

    def summary(self) -> Message:
        return Message(dict(TABLES)[self.table])
