"""What is wrong with a drawing, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Message
from engine.graph import Uid
from engine.layers.base import Repair


@dataclass(frozen=True)
class Problem:
    """Something that keeps the network from running (or, with `warning`, deserves a look)."""

    node: Uid
    message: Message
    field: str = ""
    repairs: tuple[Repair, ...] = ()
    warning: bool = False
    aside: bool = False
    """A warning only because the layer stands beside what runs: as a part of it it would be a problem."""

    @property
    def blocks(self) -> bool:
        """Whether the layer itself cannot work like this."""
        return not self.warning or self.aside
