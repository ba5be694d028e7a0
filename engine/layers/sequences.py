"""What layers that work on sequences share."""

from __future__ import annotations

from engine.errors import N_, Message
from engine.layers.base import Shape, ShapeProblem, shape_text


def need_sequence(shape: Shape) -> tuple[int, int]:
    """Features and positions; raises ShapeProblem for anything else."""
    if len(shape) != 2:
        raise ShapeProblem(
            Message(
                N_("Needs a sequence (features × positions), as Embedding makes one; gets {found}."),
                {"found": shape_text(shape)},
            )
        )
    return shape[0], shape[1]
