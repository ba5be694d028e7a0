"""Reading `.npz` files that strangers made, without running code and without surprises in memory.

`np.load` alone is not safe: a 1.5 MB file can ask for gigabytes before it is refused. Here names,
sizes and array headers are checked before anything of that size is read, pickles are never opened,
and what a header promises must be exactly what its member holds.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.data.files import open_file
from engine.errors import N_, DataError, MatrizenError, Message

Arrays = dict[str, npt.NDArray[Any]]
MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\s*\{\s*'descr'\s*:\s*'(?P<descr>[^']{1,16})'\s*,\s*'fortran_order'\s*:\s*(?P<fortran>True|False)\s*,"
    r"\s*'shape'\s*:\s*\((?P<shape>[0-9,\s]{0,200})\)\s*,?\s*\}\s*"
)
_DESCR = re.compile(r"[<>|=]?(?P<kind>[a-zA-Z?])(?P<size>[0-9]{0,6})")
_ITEM_SIZES = {"b": {1}, "i": {1, 2, 4, 8}, "u": {1, 2, 4, 8}, "f": {2, 4, 8}}


@dataclass(frozen=True)
class Limits:
    """What a file may ask for. Sizes in bytes; the ratio counts only for members above `ratio_from`."""

    total: int = 2 << 30
    members: int = 4096
    ratio: float = 400.0
    ratio_from: int = 64 << 20
    text: int = 1 << 20  # longest text array, such as JSON in a `__meta__` entry: bytes


def read_npz(
    source: Path | str | IO[bytes],
    limits: Limits = Limits(),
    *,
    name: str = "",
    error: type[MatrizenError] = DataError,
    cancel: Callable[[], bool] | None = None,
) -> Arrays:
    """All arrays of an `.npz`, keyed as `np.load` keys them, in native byte order, C contiguous.

    Kinds allowed: bool, integers, floats of 16 to 64 bits, text. `name` is what messages call the
    file; `error` the family member raised. Raises `error` for anything else: no zip, encrypted,
    `../` or absolute names, duplicates, bombs, pickles, complex or object arrays, truncation,
    flipped bits, headers that promise other sizes than are there. `cancel` is asked between members.
    """
    if isinstance(source, (str, Path)):
        name = name or Path(source).name
        with open_file(source, error) as file:
            return read_npz(file, limits, name=name, error=error, cancel=cancel)
    with open_zip(source, limits, name=name, error=error) as archive:
        arrays: Arrays = {}
        for info in archive.infolist():
            if cancel is not None and cancel():
                raise error(N_("Loading {file} was canceled."), file=name)
            if not info.filename.endswith(".npy"):
                raise error(
                    N_("{file} contains “{member}”, which is no NumPy array (.npy); it is not a plain .npz."),
                    file=name,
                    member=info.filename[:80],
                )
            arrays[info.filename[:-4]] = read_member(archive, info, limits, name=name, error=error)
    return arrays


def open_zip(
    source: IO[bytes], limits: Limits, *, name: str, error: type[MatrizenError] = DataError
) -> zipfile.ZipFile:
    """A zip archive whose table of contents was checked; nothing is decompressed yet."""
    source.seek(0)
    start = source.read(4)
    if not start:
        raise error(N_("{file} is empty (0 bytes); choose another file."), file=name)
    if start[:2] != b"PK":
        text = N_("{file} is not a zip archive, as projects and .npz files are; choose another file.")
        raise error(text, file=name)
    source.seek(0)
    try:
        archive = zipfile.ZipFile(source)
        infos = archive.infolist()
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        struct.error,
        EOFError,
        NotImplementedError,
        UnicodeDecodeError,
        OverflowError,
        MemoryError,
    ) as problem:
        raise _damaged(name, error) from problem
    try:
        _check_members(infos, limits, name, error)
    except MatrizenError:
        archive.close()
        raise
    return archive


def _check_members(
    infos: list[zipfile.ZipInfo], limits: Limits, name: str, error: type[MatrizenError]
) -> None:
    if len(infos) > limits.members:
        raise error(
            N_("{file} has {found} members; at most {expected} are allowed."),
            file=name,
            found=len(infos),
            expected=limits.members,
        )
    seen: set[str] = set()
    total = 0
    for info in infos:
        member = info.filename
        parts = member.replace("\\", "/").split("/")
        if (
            ".." in parts
            or member.startswith(("/", "\\"))
            or re.match(r"[A-Za-z]:", member)
            or "\0" in member
        ):
            raise error(
                N_("{file} has a member named “{member}”, which points outside the archive; it is refused."),
                file=name,
                member=member[:80],
            )
        if member in seen:
            raise error(
                N_("{file} holds “{member}” twice; it is not clear which one counts."),
                file=name,
                member=member[:80],
            )
        seen.add(member)
        if info.flag_bits & 0x1:
            raise error(N_("{file} is encrypted; save it without a password."), file=name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise error(
                N_("{file}: “{member}” is packed by method {found}; expected stored or deflate."),
                file=name,
                member=member[:80],
                found=info.compress_type,
            )
        total += info.file_size
        if total > limits.total:
            raise error(
                N_("{file} unpacks to more than {expected} MB; it is refused."),
                file=name,
                expected=limits.total >> 20,
            )
        if info.file_size > limits.ratio_from and info.file_size > limits.ratio * max(1, info.compress_size):
            raise error(
                N_(
                    "{file}: “{member}” would grow from {found} kB to {grown} MB; that looks like a zip bomb."
                ),
                file=name,
                member=member[:80],
                found=info.compress_size >> 10,
                grown=info.file_size >> 20,
            )


def read_member(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    limits: Limits = Limits(),
    *,
    name: str,
    error: type[MatrizenError] = DataError,
) -> npt.NDArray[Any]:
    """One `.npy` member as a native, C contiguous array. Raises `error` as `read_npz` does."""
    member = info.filename[:80]
    try:
        with archive.open(info) as stream:
            dtype, shape, fortran, offset = _read_header(stream, limits, name, member, error)
            count = math.prod(shape)
            if count * dtype.itemsize != info.file_size - offset:
                raise error(
                    N_(
                        "{file}: “{member}” promises {expected} bytes but holds {found}; the file is damaged."
                    ),
                    file=name,
                    member=member,
                    expected=count * dtype.itemsize,
                    found=info.file_size - offset,
                )
            # Memory is touched only as bytes really arrive, so a false size costs nothing.
            flat = np.empty(count, dtype=dtype)
            room = flat.view(np.uint8).data if count and dtype.itemsize else memoryview(bytearray())
            filled = 0
            while filled < len(room):
                chunk = stream.read(min(1 << 20, len(room) - filled))
                if not chunk:
                    raise _damaged(name, error, member)
                room[filled : filled + len(chunk)] = chunk
                filled += len(chunk)
            if stream.read(1):  # also makes zipfile compare the checksum
                raise _damaged(name, error, member)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        struct.error,
        ValueError,
        RuntimeError,
        NotImplementedError,
        MemoryError,
    ) as problem:
        raise _damaged(name, error, member) from problem
    array = flat.reshape(shape, order="F" if fortran else "C")
    return np.ascontiguousarray(array.astype(dtype.newbyteorder("="), copy=False)).reshape(shape)


def _read_header(
    stream: IO[bytes], limits: Limits, name: str, member: str, error: type[MatrizenError]
) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    start = stream.read(8)
    if start[:6] != MAGIC or len(start) < 8 or start[6] not in (1, 2, 3):
        raise error(
            N_("{file}: “{member}” does not begin like a NumPy array; the file is damaged."),
            file=name,
            member=member,
        )
    wide = 2 if start[6] == 1 else 4
    raw = stream.read(wide)
    length = int.from_bytes(raw, "little")
    if len(raw) < wide or length > 10_000:
        raise error(
            N_("{file}: the header of “{member}” is {found} bytes long; at most {expected} are allowed."),
            file=name,
            member=member,
            found=length,
            expected=10_000,
        )
    text = stream.read(length).decode("latin-1")
    match = _HEADER.fullmatch(text)
    descr = _DESCR.fullmatch(match["descr"]) if match else None
    if match is None or descr is None:
        raise _unusable(name, member, text.strip()[:80], error)
    if descr["kind"] == "O":
        raise error(
            N_(
                "{file}: “{member}” contains code (a pickle) instead of numbers; it is refused. Save plain "
                "arrays."
            ),
            file=name,
            member=member,
        )
    dtype = _dtype(descr["kind"], int(descr["size"] or 0), match["descr"])
    if dtype is None:
        raise _unusable(name, member, match["descr"], error)
    shape = tuple(int(part) for part in match["shape"].split(",") if part.strip())
    if len(shape) > 16 or any(n > 1 << 48 for n in shape):
        raise _unusable(name, member, text.strip()[:80], error)
    size = math.prod(shape) * dtype.itemsize
    limit = limits.text if dtype.kind in "US" else limits.total
    if size > limit:
        raise error(
            N_("{file}: “{member}” needs {found} MB; at most {expected} MB are allowed."),
            file=name,
            member=member,
            found=size >> 20,
            expected=max(1, limit >> 20),
        )
    return dtype, shape, match["fortran"] == "True", 8 + wide + length


def _dtype(kind: str, size: int, text: str) -> np.dtype[Any] | None:
    if (
        kind == "?"
        or (kind in _ITEM_SIZES and size in _ITEM_SIZES[kind])
        or (kind in "US" and size <= 1 << 18)
    ):
        return np.dtype(text)
    return None


def to_float32(arrays: Arrays, name: str) -> tuple[Arrays, tuple[Message, ...]]:
    """Numbers as float32 and a note naming what was converted; text arrays stay as they are."""
    out: Arrays = {}
    changed: list[str] = []
    for key, array in arrays.items():
        out[key] = array
        if array.dtype.kind in "biuf" and array.dtype != np.float32:
            with np.errstate(over="ignore"):  # becomes inf, which the caller looks for
                out[key] = array.astype(np.float32)
            changed.append(f"{key} ({array.dtype.name})")
    if not changed:
        return out, ()
    return out, (
        Message(
            N_("{file}: converted to 32-bit floats: {found}."),
            {"file": name, "found": ", ".join(changed)[:300]},
        ),
    )


def _damaged(name: str, error: type[MatrizenError], member: str = "") -> MatrizenError:
    if member:
        return error(
            N_("{file}: “{member}” is damaged or incomplete; use a backup or download it again."),
            file=name,
            member=member,
        )
    return error(N_("{file} is damaged or incomplete; use a backup or download it again."), file=name)


def _unusable(name: str, member: str, found: str, error: type[MatrizenError]) -> MatrizenError:
    return error(
        N_(
            "{file}: “{member}” holds {found}; expected plain numbers (whole, or floats of 16 to 64 bits) "
            "or text."
        ),
        file=name,
        member=member,
        found=found,
    )
