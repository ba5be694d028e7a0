"""Which channels of maps and kernels are in sight: a filter, and a channel of those that it sees.

A kernel is (filter, channel of its group); the picture it slides over has channels of its own, so every sight
has two numbers. Of a transposed convolution the kernel's first axis is what goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.values import Op, Value

if TYPE_CHECKING:
    from gui.labs.pane import Sight
    from gui.labs.sheet import Cell, Sheet

SLID = {
    "conv1d": 0, "conv1d_dx": 2, "conv1d_dw": 1,
    "conv2d": 0, "conv2d_dx": 2, "conv2d_dw": 1, "conv_transpose2d": 2, "conv_transpose2d_dx": 0,
    "conv_transpose2d_dw": 1,
}  # fmt: skip
"""Where the picture is: 0 behind the kernels read, 1 behind the maps, 2 is what comes out."""


def slid_over(op: Op) -> Value | None:
    """The picture that kernels slide over; None for ops without kernels."""
    place = SLID.get(op.kind)
    if place is None:
        return None
    return op.out if place == 2 else op.ins[1]


def kernel_of(op: Op) -> Value | None:
    """The kernels, or their gradient."""
    if op.kind not in SLID:
        return None
    return op.out if op.kind.endswith("_dw") else op.ins[0]


def channel_of(op: Op, value: str, sight: Sight) -> int:
    """The channel of a map that a sight shows."""
    picture, kernel = slid_over(op), kernel_of(op)
    if picture is None or kernel is None or picture.id != value:
        return sight.channel
    groups = picture.shape[0] // kernel.shape[1]
    size = kernel.shape[0] // groups
    group = min(sight.channel, kernel.shape[0] - 1) // size
    return group * kernel.shape[1] + min(sight.channel_in, kernel.shape[1] - 1)


def sight_of(sheet: Sheet, cell: Cell, sight: Sight) -> Sight:
    """The sight that shows a cell of a map or a kernel."""
    if sheet.lens.kind == "kernel":
        return replace(sight, channel=cell[0], channel_in=cell[1] if len(cell) == 4 else sight.channel_in)
    if sheet.lens.kind != "map" or sheet.lens.flat:
        return replace(sight, channel=cell[0]) if _filtered(sheet) else sight
    picture, kernel = (slid_over(sheet.op), kernel_of(sheet.op)) if sheet.op is not None else (None, None)
    if picture is None or kernel is None or picture.id != sheet.factor.value:
        return replace(sight, channel=cell[0])
    group, inner = divmod(cell[0], kernel.shape[1])
    size = kernel.shape[0] * kernel.shape[1] // picture.shape[0]
    same = sight.channel // size == group
    return replace(sight, channel=sight.channel if same else group * size, channel_in=inner)


def shown(sheet: Sheet, value: str, cell: Cell, sight: Sight) -> bool:
    """Whether a cell is in sight, and with it the filter that made it."""
    if sheet.place(value, cell) is None:
        return False
    return not _filtered(sheet) or sight.channel == cell[0]


def _filtered(sheet: Sheet) -> bool:
    """Whether every row is a filter's: of what a convolution along a sequence makes."""
    op = sheet.op
    if op is None or not sheet.lens.flat or not op.kind.startswith("conv1d"):
        return False
    return sheet.factor.value == (op.out if op.kind == "conv1d" else op.ins[op.kind == "conv1d_dx"]).id


def counts(sheets: Iterable[Sheet], values: Mapping[str, Value]) -> tuple[int, int]:
    """How many channels can be chosen, and how many of a kernel (0 where there is none)."""
    found = [values[s.factor.value] for s in sheets
             if s.factor.value in values and s.lens.kind in ("map", "kernel") and not s.lens.flat]
    kernels = [v for v in found if not v.batched]
    if kernels:
        return max(v.shape[0] for v in kernels), max((v.shape[1] if len(v.shape) > 3 else 1) for v in kernels)
    return max((v.shape[0] for v in found), default=1), 0
