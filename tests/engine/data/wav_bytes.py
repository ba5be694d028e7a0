"""WAV files made from their parts, right or wrong."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def tone(frequency: float, seconds: float = 1.0, rate: int = 8000, loud: float = 0.5) -> Array:
    """(n,) float64 samples of a sine."""
    return loud * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def coded(x: Array, coding: str = "i16") -> bytes:
    """Samples -1..1 as u8, i16, i24, i32, f32 or f64."""
    if coding[0] == "f":
        return x.astype(f"<f{int(coding[1:]) // 8}").tobytes()
    if coding == "u8":
        return np.round(x * 127 + 128).astype(np.uint8).tobytes()
    bits = int(coding[1:])
    whole = np.round(x * (2.0 ** (bits - 1) - 1)).astype("<i8" if bits == 24 else f"<i{bits // 8}")
    if bits == 24:
        return whole.view(np.uint8).reshape(*whole.shape, 8)[..., :3].tobytes()
    return whole.tobytes()


def wav(
    x: Array | bytes, rate: int = 8000, coding: str = "i16", *, channels: int | None = None,
    tag: int | None = None, bits: int | None = None, extra: bytes = b"", claimed: int | None = None,
) -> bytes:  # fmt: skip
    """A WAV of (n,) or (n, channels) samples, or of raw bytes; the header may be made to lie."""
    body = x if isinstance(x, bytes) else coded(x, coding)
    count = channels if channels is not None else 1 if isinstance(x, bytes) or x.ndim == 1 else x.shape[1]
    width = bits if bits is not None else int(coding[1:])
    kind = tag if tag is not None else 3 if coding[0] == "f" else 1
    block = count * width // 8
    form = struct.pack("<HHIIHH", kind, count, rate, rate * block & 0xFFFFFFFF, block, width) + extra
    size = len(body) if claimed is None else claimed
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def write(path: Path, *args: Any, **more: Any) -> Path:
    """The same as a file; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav(*args, **more))
    return path
