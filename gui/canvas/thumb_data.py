"""What a node shows of its numbers: handed to the scene from outside, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Health = Literal["", "ok", "warning"]


@dataclass(frozen=True, eq=False)
class ThumbData:
    """A small picture of a layer.

    tiles      (k, h, w): u8 places on the ramp of `role`, floats that are scaled here, or u32 pixels
               0xFFRRGGBB. An unfolded layer has one tile per neuron.
    role       weights | gradients | activations | pictures; ignored for pixels
    histogram  (bins,) counts, or None
    caption    the text of the footer, in the language in use ("62 % active"); "" keeps the count
    health     "" unknown, "ok", "warning"
    dead       numbers of the tiles that are drawn hatched (they never answer)
    bars       (label, share 0..1) shown instead of tiles: what an output says of one example
    """

    tiles: Array
    role: str = "activations"
    histogram: Array | None = None
    caption: str = ""
    health: Health = ""
    dead: frozenset[int] = frozenset()
    bars: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of_bars(cls, bars: tuple[tuple[str, float], ...], caption: str = "") -> ThumbData:
        return cls(np.zeros((0, 1, 1), np.uint8), caption=caption, bars=bars)
