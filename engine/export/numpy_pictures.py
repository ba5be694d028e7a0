"""Pictures read at other places, in plain NumPy: lines of a script, and the functions that they call."""

from __future__ import annotations

from typing import Any

from engine.export.numpy_names import Names, Writer


def _upsample(n: Names) -> list[str]:
    name = n.op.kind
    return [f"{n.outs[0]} = {name}({n.ins[0]}, factor={n.attr('factor')}, mode={n.attr('mode')!r})"]


def _rearrange(n: Names) -> list[str]:
    """One position of a sequence, or put back among zeros; any other by the places of its cells."""
    attrs: Any = n.op.attrs
    if "axes" not in attrs:
        given = ", ".join(f"{name}={attrs[name]}" for name in ("shape", "strides", "offset", "low", "high"))
        return [f"{n.outs[0]} = rearranged({n.ins[0]}, {given})"]
    if n.op.out.axes == ("F", "N"):
        return [f"{n.outs[0]} = {n.ins[0]}[:, {attrs['offset']}]"]
    features, length, _ = n.op.out.shape
    return [
        f"{n.outs[0]} = np.zeros(({features}, {length}, n), {n.ins[0]}.dtype)",
        f"{n.outs[0]}[:, {attrs['low'][1]}] = {n.ins[0]}",
    ]


def _size(n: Names) -> str:
    return f"size=({n.attr('height')}, {n.attr('width')}), unit={n.attr('unit')}"


def _matrix(n: Names) -> list[str]:
    theta = n.ins[0] if n.ins else f"np.array({n.attr('theta')})"
    all_alike = "" if n.op.ins and n.op.ins[0].batched else " * np.ones(n)"
    more = ", identity=True" if n.attr("identity") else ""
    return [f"{n.outs[0]} = about_center({theta}, {_size(n)}{more}){all_alike}"]


def _matrix_back(n: Names) -> list[str]:
    shared = ".sum(axis=1).reshape(2, 3)" if n.op.kind == "affine_matrix_dw" else ""
    return [f"{n.outs[0]} = about_center_back({n.ins[0]}, {_size(n)}){shared}"]


def _warp(n: Names) -> list[str]:
    more = f", method={n.attr('interpolation')!r}" if "interpolation" in n.op.attrs else ""
    return [f"{n.outs[0]} = {n.op.kind}({', '.join(n.ins)}, border={n.attr('border')!r}{more})"]


PICTURE_WRITERS: dict[str, Writer] = {
    "upsample": _upsample,
    "upsample_dx": _upsample,
    "rearrange": _rearrange,
    "affine_matrix": _matrix,
    "affine_matrix_dx": _matrix_back,
    "affine_matrix_dw": _matrix_back,
    "affine_warp": _warp,
    "affine_warp_dx": _warp,
    "affine_warp_dw": _warp,
}

PICTURE_HELPERS: dict[str, str] = {
    "between": '''
def between(size, f, mode):
    """What each of f * size rows reads of size rows: pixels have a width, edges go on outside."""
    at = np.maximum((np.arange(f * size) + 0.5) / f - 0.5, 0)
    if mode == "nearest":
        at = np.arange(f * size) // f
    first = np.floor(at).astype(int)
    weights = np.zeros((f * size, size))
    weights[np.arange(f * size), first] += 1 - (at - first)
    weights[np.arange(f * size), np.minimum(first + 1, size - 1)] += at - first
    return weights
''',
    "upsample": '''
def upsample(x, factor, mode):
    """Every pixel between those of the picture: weights of rows times weights of columns."""
    rows, columns = (between(x.shape[1 + a], factor[a], mode) for a in (0, 1))
    return np.einsum("rh,qw,chwn->crqn", rows, columns, x, optimize=True)
''',
    "upsample_dx": '''
def upsample_dx(d, factor, mode):
    """Every delta goes back to the pixels that were read, times their weights."""
    rows, columns = (between(d.shape[1 + a] // factor[a], factor[a], mode) for a in (0, 1))
    return np.einsum("rh,qw,crqn->chwn", rows, columns, d, optimize=True)
''',
    "rearranged": '''
def rearranged(x, shape, strides, offset, low, high):
    """Every cell (i, j, k) of the result is a cell of x, or 0: number offset + i, j, k times the strides."""
    cells = np.indices(shape)
    number = offset + sum(step * i for step, i in zip(strides, cells))
    inside = np.all([(i >= a) & (i < b) for i, a, b in zip(cells, low, high)], axis=0)
    flat = x.reshape(-1, x.shape[-1])
    y = np.where(inside.reshape(-1, 1), flat[np.where(inside, number, 0).reshape(-1)], 0)
    return y.reshape(*shape[: max(x.ndim - 1, 1)], -1)
''',
    "about_center": '''
def about_center(theta, size, unit, identity=False):
    """M for each example: the six numbers about the center of the picture, shifts in `unit` pixels."""
    cx, cy = (size[1] - 1) / 2, (size[0] - 1) / 2
    a, b, tx, c, d, ty = theta.reshape(6, -1)
    a, d = a + identity, d + identity
    return np.stack([a, b, cx - a * cx - b * cy + unit[0] * tx, c, d, cy - c * cx - d * cy + unit[1] * ty])
''',
    "about_center_back": '''
def about_center_back(dm, size, unit):
    """From the gradient of M to that of the six numbers."""
    cx, cy = (size[1] - 1) / 2, (size[0] - 1) / 2
    a, b, tx, c, d, ty = dm
    return np.stack([a - cx * tx, b - cy * tx, unit[0] * tx, c - cx * ty, d - cy * ty, unit[1] * ty])
''',
    "source": '''
def source(m, size):
    """Column and row that every pixel of every example is read at: M backward."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]][..., None]
    a, b, tx, c, d, ty = m.astype(float)
    det = a * d - b * c
    back = np.divide(1, det, out=np.zeros_like(det), where=det != 0)
    px, py = (d * (x - tx) - b * (y - ty)) * back, (a * (y - ty) - c * (x - tx)) * back
    return np.clip(px, -1e6, 1e6), np.clip(py, -1e6, 1e6)
''',
    "beside": '''
def beside(p, method="bilinear"):
    """The first of the pixels around p, and the weights of all of them."""
    if method == "nearest":
        return np.floor(p + 0.5).astype(int), [1.0]
    first = np.floor(p).astype(int)
    f = p - first
    if method == "bilinear":
        return first, [1 - f, f]
    outer, near, far = (
        -0.75 * (((f + 1) - 5) * (f + 1) + 8) * (f + 1) + 3,
        (1.25 * f - 2.25) * f * f + 1,
        (1.25 * (1 - f) - 2.25) * (1 - f) * (1 - f) + 1,
    )
    return first - 1, [outer, near, far, 1 - outer - near - far]
''',
    "folded": '''
def folded(i, size, border):
    """Whether a row or column counts, and which one of the picture it means."""
    if border == "reflect":
        i = np.abs(i) % max(2 * size - 2, 1)
        i = np.where(i < size, i, 2 * size - 2 - i)
    return (i >= 0) & (i < size) | (border != "zero"), i.clip(0, size - 1)
''',
    "pixels": '''
def pixels(x, row, column, border):
    """The pixels at whole rows and columns, an own place for each example."""
    in_row, row = folded(row, x.shape[1], border)
    in_column, column = folded(column, x.shape[2], border)
    return x[:, row, column, np.arange(x.shape[3])] * (in_row & in_column)
''',
    "affine_warp": '''
def affine_warp(x, m, border, method="bilinear"):
    """Every pixel is read at M backward, between the pixels around that place."""
    px, py = source(m, x.shape[1:3])
    (column, across), (row, down) = beside(px, method), beside(py, method)
    return sum(
        wy * wx * pixels(x, row + i, column + j, border)
        for i, wy in enumerate(down) for j, wx in enumerate(across)
    )
''',
    "affine_warp_dx": '''
def affine_warp_dx(d, m, border):
    """Every delta goes back to the four pixels that were read."""
    px, py = source(m, d.shape[1:3])
    (column, across), (row, down) = beside(px), beside(py)
    dx = np.zeros_like(d)
    for i, wy in enumerate(down):
        for j, wx in enumerate(across):
            (in_row, r), (in_column, q) = (folded(row + i, d.shape[1], border),
                                           folded(column + j, d.shape[2], border))
            np.add.at(dx, (slice(None), r, q, np.arange(d.shape[3])), wy * wx * (in_row & in_column) * d)
    return dx
''',
    "affine_warp_dw": '''
def affine_warp_dw(d, x, m, border):
    """How the loss changes with M: delta times the slope of the picture where it was read."""
    px, py = source(m, x.shape[1:3])
    (column, (_, fx)), (row, (_, fy)) = beside(px), beside(py)
    (a, b), (c, e) = ([pixels(x, row + i, column + j, border) for j in (0, 1)] for i in (0, 1))
    along = (d * ((1 - fy) * (b - a) + fy * (e - c))).sum(axis=0)
    down = (d * ((1 - fx) * (c - a) + fx * (e - b))).sum(axis=0)
    gx, gy = (np.stack([(g * p).sum(axis=(0, 1)) for p in (px, py, np.ones_like(px))]) for g in (along, down))
    m00, m01, _, m10, m11, _ = m.astype(float)
    det = m00 * m11 - m01 * m10
    back = np.divide(1, det, out=np.zeros_like(det), where=det != 0)
    return -np.concatenate([(m11 * gx - m10 * gy) * back, (m00 * gy - m01 * gx) * back])
''',
}
