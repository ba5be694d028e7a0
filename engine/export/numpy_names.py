"""What a writer of lines in plain NumPy works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.values import Op


@dataclass(frozen=True)
class Names:
    """What a writer works with."""

    ins: Sequence[str]
    outs: Sequence[str]
    op: Op
    controls: Mapping[str, float]
    """Under the names the op's rule uses."""

    def number(self, control: str) -> str:
        """A control as it stands in the script."""
        return f"{self.controls[control]:.9g}"

    def attr(self, name: str) -> object:
        return self.op.attrs[name]

    @property
    def geometry(self) -> str:
        """The stride and padding of a window, as arguments."""
        return f"stride={self.attr('stride')}, padding={self.attr('padding')}"
