"""GELU: z times the share of a normal distribution below z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.errors import N_
from engine.fields import Setting
from engine.layers.pointwise import Pointwise


@dataclass(frozen=True)
class GELU(Pointwise):
    """z times the share of a normal distribution below z."""

    kind = "gelu"
    label = N_("GELU")
    help = N_(
        "z times the share of a normal distribution that lies below z (Hendrycks and Gimpel, 2016). The "
        "form with tanh is an approximation that some published models use."
    )
    formula = r"a = z \cdot \Phi(z)"

    form: Annotated[
        str,
        Setting(
            N_("Form"),
            N_("Exact, or the approximation by tanh."),
            kind="choice",
            choices=(("exact", N_("Exact")), ("tanh", N_("By tanh"))),
        ),
    ] = "exact"

    def op_kind(self) -> str:
        return "gelu" if self.form == "exact" else "gelu_tanh"
