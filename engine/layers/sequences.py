"""What layers that work on sequences share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import N_, Message
from engine.layers.base import Repair, Shape, ShapeProblem, shape_text
from engine.layers.embedding import Embedding
from engine.layers.reshape import Reshape
from engine.ops.rearranging import both, position_at

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


def need_sequence(shape: Shape) -> tuple[int, int]:
    """Features and positions; raises ShapeProblem for anything else."""
    if len(shape) != 2:
        repair = Repair(Message(N_("Insert Embedding")), "insert_before", layer=Embedding())
        if len(shape) == 3:  # as of a spectrogram: its columns are moments, its rows what is heard there
            columns = Reshape((shape[0] * shape[1], shape[2]))
            repair = Repair(Message(N_("Make its columns positions")), "insert_before", layer=columns)
        raise ShapeProblem(
            Message(
                N_("Needs a sequence (features × positions), as Embedding makes one; gets {found}."),
                {"found": shape_text(shape)},
            ),
            repairs=(repair,),
        )
    return shape[0], shape[1]


def take_position(rec: Recorder, x: Value, t: int) -> Value:
    """Position t, from 0, of a sequence (F, T, N) as a vector (F, N)."""
    attrs = both(*position_at(x.shape[0], x.shape[1], t))
    return rec.emit1("rearrange", (x,), "y", attrs={**attrs, "axes": ("F", "N")})
