"""Convolutions as equations: kernels that slide, and the same the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ops.convolution import groups_of
from engine.values import Op
from gui.i18n import tr
from gui.labs.equation import Equation, Factor

if TYPE_CHECKING:
    from gui.labs.equation_writer import Writer

FORWARD = ("conv2d", "conv_transpose2d", "conv1d")
KINDS = tuple(f"{kind}{end}" for kind in FORWARD for end in ("", "_dx", "_dw"))


def slides(writer: Writer, index: int, op: Op) -> list[Equation]:
    """The equation of an op of `KINDS`."""
    transposed, back = op.kind.startswith("conv_transpose2d"), op.kind.endswith("_dx")
    first, second, out = writer.factor(op.ins[0]), writer.factor(op.ins[1]), writer.factor(op.out)
    sign = r"\ast^T" if transposed != back and not op.kind.endswith("_dw") else r"\ast"
    parts: list[Factor | str] = [first, sign, second]
    title = rf"{out.symbol} = {first.symbol} {sign} {second.symbol}"
    if len(op.ins) > 2:
        bias = writer.factor(op.ins[2])
        title += f" + {bias.symbol}"
        parts += ["+", bias]
    return [writer._made(index, op, title, words_of(op), *parts, "=", out)]


def words_of(op: Op) -> str:
    """What happens there, in one line."""
    words = {
        "conv2d": tr("every window times the kernel; the kernel is not flipped"),
        "conv2d_dx": tr("every window the pixel was in sends its part back"),
        "conv2d_dw": tr("added up over all windows and the batch"),
        "conv_transpose2d": tr("every number lays the kernel down, times itself; what overlaps adds up"),
        "conv_transpose2d_dx": tr("each number gets back what its kernel was laid on"),
        "conv_transpose2d_dw": tr("added up over all places and the batch"),
        "conv1d": tr("every stretch of the sequence times the kernel; the kernel is not flipped"),
        "conv1d_dx": tr("every stretch the place was in sends its part back"),
        "conv1d_dw": tr("added up over all stretches and the batch"),
    }[op.kind]
    apart = op.attrs.get("dilation", 1)
    if apart != 1:
        text = " × ".join(map(str, apart)) if isinstance(apart, tuple) else str(apart)
        words += "; " + tr("its cells lie {dilation} apart").format(dilation=text)
    if groups_of(op.attrs) > 1:
        words += "; " + tr("each filter sees the channels of its group")
    return words
