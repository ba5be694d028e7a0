"""Embedding: every token is a row of a table of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Shape
from engine.layers.vectors import need_vector

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Embedding(Layer):
    """T tokens become a matrix F × T: one column of features for each."""

    kind = "embedding"
    label = N_("Embedding")
    category = "recurrent"
    help = N_(
        "Text becomes vectors: each token, a number, picks its row of a table that is learnt; the row is "
        "its vector. The gradient of a row is the sum over all places where its token stands."
    )
    formula = r"y_{f t} = E_{x_t, f}"
    stem = "embed"
    on_data = True

    vocabulary: Annotated[
        int,
        Setting(
            N_("Vocabulary"),
            N_("Number of different tokens: rows of the table."),
            minimum=1,
            maximum=1_000_000,
        ),
    ] = 64
    width: Annotated[
        int,
        Setting(N_("Features"), N_("Length of each vector: columns of the table."), minimum=1, maximum=65536),
    ] = 16

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        need_vector(inputs[0])
        return (self.width, inputs[0][0])

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        return (ParamSpec("weight", (self.vocabulary, self.width), "normal", self.vocabulary, self.width),)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return rec.emit1("embedding", (params["weight"], inputs[0]), "y")

    def summary(self) -> Message:
        return Message("{tokens} → {width}", {"tokens": self.vocabulary, "width": self.width})
