"""Convolutions in plain NumPy: gaps and groups are written around the plain functions of `numpy_helpers`."""

from __future__ import annotations

from engine.export.numpy_names import Names
from engine.ops.conv1d import as_picture
from engine.ops.convolution import dilation_of, extent, groups_of


def slid(n: Names, k: str, x: str, bias: str = "") -> list[str]:
    """Kernels k over pictures x."""
    gaps, k = _spaced(n, k)
    return [*gaps, *_over_groups(n, "conv2d", k, x, n.geometry, _added(bias))]


def spread(n: Names, k: str, d: str, bias: str = "") -> list[str]:
    """Every number of d times its kernel, laid down where its window lies."""
    size = f"{n.geometry}, size=({n.attr('height')}, {n.attr('width')})"
    gaps, k = _spaced(n, k)
    return [*gaps, *_over_groups(n, "conv2d_dx", k, d, size, _added(bias))]


def kernels(n: Names, d: str, x: str) -> list[str]:
    """The gradient of kernels that made d of x."""
    dilation = dilation_of(n.op.attrs)
    reach = f"{n.geometry}, kernel={extent(n.op.out.shape[2:], dilation)}"
    taken = f"[:, :, ::{dilation[0]}, ::{dilation[1]}]" if dilation != (1, 1) else ""
    return _over_groups(n, "conv2d_dw", d, x, reach, taken)


def along(n: Names, *ins: str) -> list[str]:
    """A convolution along sequences: pictures of one row."""
    picture = as_picture(n.op)
    row = ["[:, None]" if v.batched else "[:, :, None]" for v in n.op.ins[:2]]
    lines = [f"first, second = {ins[0]}{row[0]}, {ins[1]}{row[1]}"]
    there, names = Names(n.ins, n.outs, picture, n.controls), ("first", "second", *ins[2:])
    if picture.kind == "conv2d_dw":
        return [*lines, *kernels(there, *names), f"{n.outs[0]} = {n.outs[0]}[:, :, 0]"]
    lines += slid(there, *names) if picture.kind == "conv2d" else spread(there, *names)
    return [*lines, f"{n.outs[0]} = {n.outs[0]}[:, 0]"]


def _added(bias: str) -> str:
    return f" + {bias}[:, None, None, None]" if bias else ""


def _spaced(n: Names, k: str) -> tuple[list[str], str]:
    dilation = dilation_of(n.op.attrs)
    return ([], k) if dilation == (1, 1) else ([f"wide = spaced({k}, {dilation})"], "wide")


def _over_groups(n: Names, name: str, first: str, second: str, how: str, behind: str) -> list[str]:
    groups = groups_of(n.op.attrs)
    if groups == 1:
        return [f"{n.outs[0]} = {name}({first}, {second}, {how}){behind}"]
    return [
        f"pairs = zip(np.split({first}, {groups}), np.split({second}, {groups}))",
        f"parts = [{name}(a, b, {how}) for a, b in pairs]",
        f"{n.outs[0]} = np.concatenate(parts){behind}",
    ]
