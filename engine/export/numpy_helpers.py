"""The functions of a NumPy proof: windows over pictures, written to be read. Pictures are C x H x W x N."""

from __future__ import annotations

from engine.export.numpy_functions import FUNCTION_HELPERS
from engine.export.numpy_pictures import PICTURE_HELPERS
from engine.export.numpy_recurrent import RECURRENT_HELPERS
from engine.export.numpy_training import TRAINING_HELPERS

HELPERS: dict[str, str] = {
    **FUNCTION_HELPERS,
    **PICTURE_HELPERS,
    **RECURRENT_HELPERS,
    **TRAINING_HELPERS,
    "column": '''
def column(v, like):
    """One number for each map, shaped to stand beside the maps."""
    return v.reshape(-1, *[1] * (like.ndim - 1))
''',
    "cells": '''
def cells(x, i, j, rows, columns, stride):
    """The cell (i, j) of every window."""
    down, across = stride
    return x[:, i : i + down * (rows - 1) + 1 : down, j : j + across * (columns - 1) + 1 : across]
''',
    "bordered": '''
def bordered(x, padding, value=0.0):
    """The picture with a border."""
    top, left, bottom, right = padding
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)
''',
    "windows": '''
def windows(x, kernel, stride):
    """How many windows fit, down and across."""
    return (x.shape[1] - kernel[0]) // stride[0] + 1, (x.shape[2] - kernel[1]) // stride[1] + 1
''',
    "inside": '''
def inside(x, size, padding):
    """The picture without its border."""
    return x[:, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
''',
    "spaced": '''
def spaced(k, dilation):
    """The kernels with gaps between their cells."""
    rows, columns = ((n - 1) * apart + 1 for n, apart in zip(k.shape[2:], dilation))
    wide = np.zeros((*k.shape[:2], rows, columns), k.dtype)
    wide[:, :, :: dilation[0], :: dilation[1]] = k
    return wide
''',
    "conv2d": '''
def conv2d(k, x, stride, padding):
    """Every kernel over every picture: the sum of kernel cell times picture cell."""
    x = bordered(x, padding)
    rows, columns = windows(x, k.shape[2:], stride)
    z = np.zeros((len(k), rows, columns, x.shape[3]), x.dtype)
    for i in range(k.shape[2]):
        for j in range(k.shape[3]):
            z += np.tensordot(k[:, :, i, j], cells(x, i, j, rows, columns, stride), 1)
    return z
''',
    "conv2d_dx": '''
def conv2d_dx(k, d, stride, padding, size):
    """Every delta goes back to the cells of its window, times the kernel."""
    dx = bordered(np.zeros((k.shape[1], *size, d.shape[3]), d.dtype), padding)
    for i in range(k.shape[2]):
        for j in range(k.shape[3]):
            dx_cells = cells(dx, i, j, d.shape[1], d.shape[2], stride)
            dx_cells += np.tensordot(k[:, :, i, j].T, d, 1)
    return inside(dx, size, padding)
''',
    "conv2d_dw": '''
def conv2d_dw(d, x, stride, padding, kernel):
    """For each kernel cell: delta times what that cell saw, added up over places and examples."""
    x = bordered(x, padding)
    dk = np.zeros((len(d), len(x), *kernel), d.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            seen = cells(x, i, j, d.shape[1], d.shape[2], stride)
            dk[:, :, i, j] = np.tensordot(d, seen, ((1, 2, 3), (1, 2, 3)))
    return dk
''',
    "maxpool2d": '''
def maxpool2d(x, kernel, stride, padding):
    """The largest cell of each window, and its place; of equal ones the first."""
    x = bordered(x, padding, -np.inf)
    rows, columns = windows(x, kernel, stride)
    seen = [cells(x, i, j, rows, columns, stride) for i in range(kernel[0]) for j in range(kernel[1])]
    place = np.argmax(seen, axis=0)
    return np.max(seen, axis=0), place
''',
    "maxpool2d_dx": '''
def maxpool2d_dx(d, place, kernel, stride, padding, size):
    """Each delta goes to the cell that won."""
    dx = bordered(np.zeros((len(d), *size, d.shape[3]), d.dtype), padding)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            dx_cells = cells(dx, i, j, d.shape[1], d.shape[2], stride)
            dx_cells += d * (place == i * kernel[1] + j)
    return inside(dx, size, padding)
''',
    "avgpool2d": '''
def avgpool2d(x, kernel, stride, padding):
    """The mean of each window; the border counts as zeros."""
    x = bordered(x, padding)
    rows, columns = windows(x, kernel, stride)
    total = np.zeros((len(x), rows, columns, x.shape[3]), x.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            total += cells(x, i, j, rows, columns, stride)
    return total / (kernel[0] * kernel[1])
''',
    "avgpool2d_dx": '''
def avgpool2d_dx(d, kernel, stride, padding, size):
    """Each delta is shared out equally over its window."""
    dx = bordered(np.zeros((len(d), *size, d.shape[3]), d.dtype), padding)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            dx_cells = cells(dx, i, j, d.shape[1], d.shape[2], stride)
            dx_cells += d / (kernel[0] * kernel[1])
    return inside(dx, size, padding)
''',
}
"""Name -> source; a function calls only those above it."""
