"""conv2d with the sample innermost: pictures are laid out in columns along x only.

The columns (groups, rows of the padded picture, kernel columns x channels, output columns x samples) hold,
from row y on, all that output row y needs in one contiguous block. So each output row is one matrix product
and kernel rows cost no copies; where dilation pulls them apart, every output row gets copies of its own.
dX is the same product on the spread-out gradient with flipped kernels.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.backends.base import Array
from engine.backends.numpy.env import Call, Env, build
from engine.ops.conv1d import as_picture
from engine.ops.convolution import dilation_of, geometry, groups_of
from engine.values import Op


class Columns:
    """Columns of one picture value. `fill` copies them; `blocks` are the matrices, one per output row."""

    def __init__(
        self, env: Env, x: Array, out: tuple[int, int], kernel: tuple[int, int], step: int, op: Op
    ) -> None:
        """`out`: rows and columns that come out; `step`: how many rows windows are apart."""
        groups = groups_of(op.attrs)
        channels = x.shape[0] // groups
        self.apart = dilation_of(op.attrs)[0] > 1 and kernel[0] > 1
        """Whether every row that comes out has rows of its own here."""
        step = kernel[0] if self.apart else step
        self.rows = (out[0] - 1) * step + kernel[0]
        shape = (groups, self.rows, kernel[1], channels, out[1], x.shape[3])
        kept = env.work.keep(shape)
        self.kept = kept is not None
        self.array = kept if kept is not None else env.work.shared(0, shape)
        run = out[1] * x.shape[3]
        row = kernel[1] * channels * run * 4
        self.blocks = as_strided(
            self.array,
            (groups, out[0], kernel[0] * kernel[1] * channels, run),
            (self.rows * row, step * row, run * 4, 4),
        )
        self._pairs: list[tuple[Array, Array]] = []

    def copy(self, rows: slice, j: int, at: slice, source: Array) -> None:
        """Add one copy to what `fill` does; `source` is (C, rows, columns, N)."""
        to = self.array[:, rows, j, :, at]
        source = source.reshape(to.shape[0], -1, *source.shape[1:])
        self._pairs.append((to, source.transpose(0, 2, 1, 3, 4)))

    def fill(self) -> None:
        if not self.kept:
            self.array.fill(0)
        for to, source in self._pairs:
            np.copyto(to, source)


def _reach(out: int, size: int, step: int, shift: int) -> tuple[int, int]:
    """First and last p below `out` with 0 <= p * step + shift < size; the last may be before the first."""
    return max(0, -(shift // step)), min(out - 1, (size - 1 - shift) // step)


def picture_columns(env: Env, x: Array, out: tuple[int, int], kernel: tuple[int, int], op: Op) -> Columns:
    """Columns of a picture for a convolution with these attributes; padding stays zero."""
    ((sh, sw), (top, left, _, _)), (dh, dw) = geometry(op.attrs), dilation_of(op.attrs)
    columns = Columns(env, x, out, kernel, sh, op)
    parts = []  # rows of the columns, rows of the picture
    if columns.apart:
        for i in range(kernel[0]):
            first, last = _reach(out[0], x.shape[1], sh, i * dh - top)
            if last >= first:
                start = first * sh + i * dh - top
                to = slice(first * kernel[0] + i, last * kernel[0] + i + 1, kernel[0])
                parts.append((to, slice(start, start + (last - first) * sh + 1, sh)))
    elif (height := min(x.shape[1], columns.rows - top)) > 0:
        parts.append((slice(top, top + height), slice(height)))
    for j in range(kernel[1]):
        first, last = _reach(out[1], x.shape[2], sw, j * dw - left)
        start = first * sw + j * dw - left
        for to, rows in parts if last >= first else ():
            across = slice(start, start + (last - first) * sw + 1, sw)
            columns.copy(to, j, slice(first, last + 1), x[:, rows, across])
    return columns


def gradient_columns(env: Env, d: Array, size: tuple[int, int], kernel: tuple[int, int], op: Op) -> Columns:
    """Columns of the gradient, spread out by the stride, for the product that gives dX."""
    ((sh, sw), (top, left, _, _)), (dh, dw) = geometry(op.attrs), dilation_of(op.attrs)
    columns = Columns(env, d, size, kernel, 1, op)
    down, across = (kernel[0] - 1) * dh - top, (kernel[1] - 1) * dw - left
    parts = []
    for i in range(kernel[0] if columns.apart else 1):
        each, most = (kernel[0], size[0]) if columns.apart else (1, columns.rows)
        shift = down - i * dh
        first, last = _reach(d.shape[1], most, sh, shift)
        if last >= first:
            y = (first * sh + shift) * each + i
            parts.append((slice(y, y + (last - first) * sh * each + 1, sh * each), slice(first, last + 1)))
    for j in range(kernel[1]):
        shift = across - j * dw
        first, last = _reach(d.shape[2], size[1], sw, shift)
        x = first * sw + shift
        for to, rows in parts if last >= first else ():
            columns.copy(to, j, slice(x, x + (last - first) * sw + 1, sw), d[:, rows, first : last + 1])
    return columns


def rows_first(a: Array, groups: int) -> Array:
    """(C, H, W, N) as groups x H matrices (C of the group, W·N), without a copy."""
    return a.reshape(groups, -1, a.shape[1], a.shape[2] * a.shape[3]).transpose(0, 2, 1, 3)


def forward(op: Op, env: Env, k: Array, x: Array, bias: Array | None, z: Array) -> Call:
    """z = K over X; the columns are kept for the gradient of K."""
    (o, c, kh, kw), groups = k.shape, groups_of(op.attrs)
    columns = picture_columns(env, x, (z.shape[1], z.shape[2]), (kh, kw), op)
    env.columns[_key(op.ins[1].id, (kh, kw), op)] = columns
    kernel, turned = env.work.own((o, kh, kw, c)), k.transpose(0, 2, 3, 1)
    matrix, blocks = kernel.reshape(groups, 1, o // groups, -1), columns.blocks
    rows, flat = rows_first(z, groups), z.reshape(o, -1)
    added = bias[:, None] if bias is not None else None

    def call() -> None:
        columns.fill()
        np.copyto(kernel, turned)
        np.matmul(matrix, blocks, out=rows)
        if added is not None:
            np.add(flat, added, out=flat)

    return call


def backward(op: Op, env: Env, k: Array, d: Array, bias: Array | None, dx: Array) -> Call:
    """dX of a convolution, or with a bias the way forward of its transpose."""
    (o, c, kh, kw), groups = k.shape, groups_of(op.attrs)
    columns = gradient_columns(env, d, (dx.shape[1], dx.shape[2]), (kh, kw), op)
    kernel = env.work.own((groups, c, kh, kw, o // groups))
    turned = k.reshape(groups, -1, c, kh, kw)[:, :, :, ::-1, ::-1].transpose(0, 2, 3, 4, 1)
    matrix, blocks = kernel.reshape(groups, 1, c, -1), columns.blocks
    rows, flat = rows_first(dx, groups), dx.reshape(len(dx), -1)
    added = bias[:, None] if bias is not None else None

    def call() -> None:
        columns.fill()
        np.copyto(kernel, turned)
        np.matmul(matrix, blocks, out=rows)
        if added is not None:
            np.add(flat, added, out=flat)

    return call


def kernels(op: Op, env: Env, d: Array, x: Array, dk: Array) -> Call:
    """dK of a convolution that made values like d of X."""
    (o, c, kh, kw), groups = dk.shape, groups_of(op.attrs)
    kept = env.columns.get(_key(op.ins[1].id, (kh, kw), op))
    ready = isinstance(kept, Columns) and kept.kept
    columns = (
        cast(Columns, kept) if ready else picture_columns(env, x, (d.shape[1], d.shape[2]), (kh, kw), op)
    )
    parts = env.work.shared(1, (groups, d.shape[1], kh * kw * c, o // groups))
    total = env.work.own((groups, kh, kw, c, o // groups))
    flat, turned = total.reshape(groups, -1, o // groups), total.transpose(0, 4, 3, 1, 2)
    rows, blocks = rows_first(d, groups).transpose(0, 1, 3, 2), columns.blocks
    into = dk.reshape(groups, -1, c, kh, kw)

    def call() -> None:
        if not ready:
            columns.fill()
        # this way round the long side of the product is its rows: twice as fast
        np.matmul(blocks, rows, out=parts)
        np.add.reduce(parts, 1, out=flat)
        np.copyto(into, turned)

    return call


@build("conv2d", "conv_transpose2d_dx")
def conv2d(op: Op, env: Env) -> Call:
    bias = env.array(op.ins[2]) if len(op.ins) > 2 else None
    return forward(op, env, env.array(op.ins[0]), env.array(op.ins[1]), bias, env.array(op.out))


@build("conv2d_dx", "conv_transpose2d")
def conv2d_dx(op: Op, env: Env) -> Call:
    bias = env.array(op.ins[2]) if len(op.ins) > 2 else None
    return backward(op, env, env.array(op.ins[0]), env.array(op.ins[1]), bias, env.array(op.out))


@build("conv2d_dw", "conv_transpose2d_dw")
def conv2d_dw(op: Op, env: Env) -> Call:
    return kernels(op, env, env.array(op.ins[0]), env.array(op.ins[1]), env.array(op.out))


@build("conv1d", "conv1d_dx", "conv1d_dw")
def conv1d(op: Op, env: Env) -> Call:
    """The conv2d on the same arrays seen as pictures of one row."""
    picture = as_picture(op)
    first, second, *rest = (env.array(v).reshape(p.shape) for v, p in zip(op.ins, picture.ins, strict=True))
    out, bias = env.array(op.out).reshape(picture.out.shape), rest[0] if rest else None
    if op.kind == "conv1d_dw":
        return kernels(picture, env, first, second, out)
    make = backward if op.kind == "conv1d_dx" else forward
    return make(picture, env, first, second, bias, out)


def _key(value_id: str, kernel: tuple[int, int], op: Op) -> tuple[object, ...]:
    return value_id, kernel, geometry(op.attrs), dilation_of(op.attrs), groups_of(op.attrs)
