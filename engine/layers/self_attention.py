"""MultiHeadSelfAttention: every position looks at every other and takes from them what it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem
from engine.layers.sequences import need_sequence

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class MultiHeadSelfAttention(Layer):
    """Q, K, V from one product, scores, shares, mixture, and a last product: Vaswani et al. 2017.

    `weight` holds W_Q, W_K and W_V one below the other, as PyTorch's in_proj_weight does.
    """

    kind = "self_attention"
    label = N_("Self-attention")
    category = "recurrent"
    help = N_(
        "Each position asks (q) and is asked (k): the products of both, made shares that add up to 1, say "
        "how much of every other position's v it takes. Each head does so with its own rows of q, k and v. "
        "With “Only back” a position does not see later ones."
    )
    formula = (
        r"P = \mathrm{softmax}\left(\frac{Q^T K}{\sqrt{d}}\right), \quad Y = W_O \, (V P^T) + b_O"
    )
    stem = "attention"
    output_name = "z"

    heads: Annotated[
        int,
        Setting(N_("Heads"), N_("The features are divided among so many heads."), minimum=1, maximum=4096),
    ] = 4
    causal: Annotated[
        bool,
        Setting(N_("Only back"), N_("Each position sees itself and earlier ones only."), kind="bool"),
    ] = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        width, length = need_sequence(inputs[0])
        if width % self.heads:
            fitting = max(h for h in range(1, min(self.heads, width) + 1) if width % h == 0)
            raise ShapeProblem(
                Message(
                    N_("{heads} heads do not divide {width} features."),
                    {"heads": self.heads, "width": width},
                ),
                "heads",
                (
                    Repair(
                        Message(N_("Use {heads} heads"), {"heads": fitting}),
                        "set_field",
                        field="heads",
                        value=fitting,
                    ),
                ),
            )
        return (width, length)

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        width, _ = need_sequence(inputs[0])
        start = "xavier_uniform"
        return (
            ParamSpec("weight", (3 * width, width), start, width, 3 * width, exported="in_proj_weight"),
            ParamSpec("bias", (3 * width,), exported="in_proj_bias"),
            ParamSpec("out_weight", (width, width), start, width, width, exported="out_proj.weight"),
            ParamSpec("out_bias", (width,), exported="out_proj.bias"),
        )

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        shares = {"heads": self.heads, "scale": 1 / math.sqrt(x.shape[0] // self.heads)}
        all_three = rec.emit1("dense", (params["weight"], x, params["bias"]), "qkv")
        q, k, v = rec.emit("split", (all_three,), ("q", "k", "v"), attrs={"parts": 3})
        scores = rec.emit1("heads_scores", (q, k), "scores", attrs=shares)
        weights = rec.emit1("softmax_rows", (scores,), "weights", attrs={"causal": self.causal})
        mixed = rec.emit1(
            "heads_mix", (weights, v), "mix", attrs={"heads": self.heads, "scale": 1.0, "turned": False}
        )
        return rec.emit1("dense", (params["out_weight"], mixed, params["out_bias"]), "z")

    def summary(self) -> Message:
        text = N_("{heads} heads, only back") if self.causal else N_("{heads} heads")
        return Message(text, {"heads": self.heads})

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        width, length = inputs[0]
        return 4 * width * width * length + 2 * width * length * length
