"""What layers that work on vectors share."""

from __future__ import annotations

from engine.errors import N_, Message
from engine.layers.base import Repair, Shape, ShapeProblem, shape_text
from engine.layers.flatten import Flatten


def need_vector(shape: Shape) -> Shape:
    """The shape itself; raises ShapeProblem for a picture, which a Flatten in front would repair."""
    if len(shape) != 1:
        raise ShapeProblem(
            Message(N_("Needs a vector, gets {found}."), {"found": shape_text(shape)}),
            repairs=(Repair(Message(N_("Insert Flatten")), "insert_before", layer=Flatten()),),
        )
    return shape
