"""LSTM: a memory that gates write, keep and read."""

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
class LSTM(Recurrent):
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

    kind = "lstm"
    label = N_("LSTM")
    help = N_(
        "Reads a sequence position by position and has a memory c besides its state h: f says how much of it "
        "is kept, i how much of the proposal g is written, o how much is shown. Where f is near 1 memory and "
        "gradient pass many positions unharmed; so its bias starts at 1. Rows of the weights: i, f, g, o, as "
        "in PyTorch."
    )
    formula = (
        r"\begin{aligned} u_t &= W x_t + b, \quad q_t = W_h h_{t-1} + b_h \\ "
        r"i, f, o &= \sigma(u_t + q_t), \quad g = \tanh(u_t + q_t) \\ "
        r"c_t &= f \odot c_{t-1} + i \odot g, \quad h_t = o \odot \tanh c_t \end{aligned}"
    )
    gates = 4
    open_gate = 1

    def start(self, rec: Recorder, like: Value) -> tuple[Value, ...]:
        attrs = {"units": self.units}
        return tuple(rec.emit1("zero_state", (like,), name, attrs=dict(attrs)) for name in ("h0", "c0"))

    def position(self, rec: Recorder, ins: Sequence[Value], place: Mapping[str, int]) -> tuple[Value, ...]:
        u, q, _, memory = ins
        names = [f"{name}{place['t'] + 1}" for name in ("h", "gates", "c")]
        h, _, c = rec.emit("lstm_cell", (u, q, memory), names, attrs=dict(place))
        return h, c
