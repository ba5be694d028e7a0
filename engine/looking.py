"""A step looked at with other inputs: walked as far as it goes and never committed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.backends.base import Array
from engine.training import Trainer


def look_with(trainer: Trainer, value_id: str, cells: Sequence[Array], values: Array) -> Array:
    """Walk a step in which cells of a batch of inputs are others, without committing it.

    `cells` are indices for each axis. Returns the numbers of the data at these cells.
    """
    trainer.abandon_step()
    trainer.begin_step()
    trainer.advance(trainer.program.producers[value_id] + 1)
    array = trainer.read(value_id)
    where = tuple(cells)
    old = np.array(array[where])
    array[where] = values
    trainer.write_walked(value_id, array)
    trainer.advance(len(trainer.program.ops))
    return old
