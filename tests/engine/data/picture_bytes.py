"""Pictures made by hand: PNG written with zlib alone, so that the reader is not tested by itself."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data import pictures

Array = npt.NDArray[Any]
_COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(tag: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png(array: Array, exif: bytes = b"", size: tuple[int, int] | None = None) -> bytes:
    """(H, W, C) uint8 or uint16 in RGB order as a PNG; `size` lies about (width, height)."""
    height, width, channels = array.shape
    bits = 8 * array.dtype.itemsize
    claim = size or (width, height)
    rows = b"".join(b"\0" + row.astype(array.dtype.newbyteorder(">")).tobytes() for row in array)
    head = struct.pack(">IIBBBBB", *claim, bits, _COLOR_TYPE[channels], 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"eXIf", exif) if exif else b"", chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF block with the single tag 274."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def encoded(array: Array, extension: str) -> bytes:
    """RGB or grey through OpenCV's own encoder."""
    bgr = array[..., ::-1] if array.ndim == 3 and array.shape[2] == 3 else array
    done, data = pictures.cv2.imencode(extension, np.ascontiguousarray(bgr))
    assert done
    return bytes(data.tobytes())


def random_picture(seed: int, height: int = 6, width: int = 5, channels: int = 3, bits: int = 8) -> Array:
    dtype = np.uint8 if bits == 8 else np.uint16
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bits, (height, width, channels)).astype(dtype)


def many_pictures(root: Path, count: int) -> Path:
    """A folder of two classes with `count` small grey pictures each, no two alike."""
    numbers = np.random.default_rng(count).integers(0, 256, (2, count, 8, 8, 1), dtype=np.uint8)
    return class_folder(root, {name: list(numbers[k]) for k, name in enumerate("ab")})


def class_folder(root: Path, classes: dict[str, list[Array]]) -> Path:
    """root/<class>/<number>.png"""
    for name, arrays in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number, array in enumerate(arrays):
            (root / name / f"{number}.png").write_bytes(png(array))
    return root
