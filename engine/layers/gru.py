"""GRU: two gates say how much of the state before is kept and how much of it the new one sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import N_
from engine.layers.recurrent import Recurrent

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class GRU(Recurrent):
    """Cho et al. 2014, with the reset gate as PyTorch and cuDNN have it: r ⊙ (W_h h + b_h)."""

    kind = "gru"
    label = N_("GRU")
    help = N_(
        "Reads a sequence position by position. z says how much of the state before is kept, r how much of "
        "it the new proposal n sees. Rows of the weights: r, z, n, as in PyTorch; the reset gate multiplies "
        "the product with the state, its bias within, also as there (Keras: reset_after=True)."
    )
    formula = (
        r"\begin{aligned} u_t &= W x_t + b, \quad q_t = W_h h_{t-1} + b_h \\ "
        r"r, z &= \sigma(u_t + q_t), \quad n = \tanh(u_t + r \odot q_t) \\ "
        r"h_t &= (1 - z) \odot n + z \odot h_{t-1} \end{aligned}"
    )
    gates = 3

    def position(self, rec: Recorder, ins: Sequence[Value], place: Mapping[str, int]) -> tuple[Value, ...]:
        number = place["t"] + 1
        names = (f"h{number}", f"gates{number}")
        return rec.emit("gru_cell", ins[:3], names, attrs=dict(place))[:1]
