"""Writes data/digits_turned.npz: the digits enlarged onto 16 x 16 pixels and turned by up to 60 degrees."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

from engine import random  # noqa: E402
from engine.layers.warping import theta_of  # noqa: E402
from engine.ops.affine_matrix import attributes  # noqa: E402
from engine.ops.base import REGISTRY, Context  # noqa: E402

SIDE, SCALE, MOST = 16, 150.0, 60.0
"""Pixels of a side, percent, degrees."""


def turned(pictures: np.ndarray) -> np.ndarray:
    """(n, 8, 8) of 0 to 16 -> (n, 16, 16) bytes."""
    count = len(pictures)
    around = (SIDE - pictures.shape[1]) // 2
    x = np.pad(pictures, ((0, 0), (around, around), (around, around))).astype(np.float64) * (255 / 16)
    angles = MOST * (2 * random.uniform(1, 0, 0, 1, count)[0] - 1)
    theta = np.array([theta_of(angle, SCALE, 0.0, (0.0, 0.0)) for angle in angles]).T
    ctx = Context(count)
    (m,) = REGISTRY["affine_matrix"].reference((theta,), attributes(SIDE, SIDE, count), ctx)
    how = {"border": "zero", "interpolation": "bicubic"}
    (y,) = REGISTRY["affine_warp"].reference((x.transpose(1, 2, 0)[None], m), how, ctx)
    return np.rint(y[0].transpose(2, 0, 1).clip(0, 255)).astype(np.uint8)


if __name__ == "__main__":
    given = np.load(FOLDER / "data" / "digits_1797.npz", allow_pickle=False)
    x, path = turned(given["x"]), FOLDER / "data" / "digits_turned.npz"
    np.savez_compressed(path, x=x, y=given["y"], class_names=given["class_names"])
