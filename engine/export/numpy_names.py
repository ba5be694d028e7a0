"""What a writer of plain NumPy gets: names of arrays, the op, its controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


Writer = Callable[[Names], list[str]]


def one(template: str) -> Writer:
    """A writer of one line with {0}, {1} for inputs, {o} for the output and {attribute}s by name."""

    def write(n: Names) -> list[str]:
        return [template.format(*n.ins, o=n.outs[0], n=n, **n.op.attrs)]

    return write
