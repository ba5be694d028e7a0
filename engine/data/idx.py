"""IDX files, the format of MNIST and Fashion-MNIST, plain or packed with gzip."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from engine.data.cancel import Cancel, Progress, check_cancel
from engine.data.dataset import Array, Dataset, make_dataset
from engine.data.files import cannot_open, open_file
from engine.data.labels import map_labels
from engine.data.source import SourceSpec
from engine.data.split import duplicate_notes, keys_of, split_by_content
from engine.errors import N_, DataError, Message

TYPES: dict[int, str] = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LIMIT = 2 << 30  # bytes of one file, unpacked
BOMB_FROM = 64 << 20  # a packing ratio is looked at only above this size
BOMB_RATIO = 400
_PARTS = (("train", "t10k"), ("train", "test"), ("Train", "Test"), ("TRAIN", "TEST"))


def is_idx(start: bytes) -> bool:
    """True when a file beginning with these (unpacked) bytes can be IDX."""
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in TYPES and 1 <= start[3] <= 4


def read_idx(path: Path | str, cancel: Cancel | None = None) -> Array:
    """The array in an IDX file, big-endian numbers made native.

    Raises DataError for a wrong magic number, a length that does not match the header, damaged
    packing, or more than 2 GiB.
    """
    path = Path(path)
    with open_file(path) as raw:
        try:
            size = raw.seek(0, 2)
            raw.seek(0)
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            return _read(stream, path, size if packed else 0, cancel)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise DataError(
                N_("{file} is damaged or incomplete (gzip); download it again."), file=path.name
            ) from problem
        except OSError as problem:
            raise cannot_open(path, problem) from problem


def _read(stream: BinaryIO, path: Path, packed: int, cancel: Cancel | None) -> Array:
    start = stream.read(4)
    if not start:
        raise DataError(N_("{file} is empty (0 bytes); choose another file."), file=path.name)
    if not is_idx(start):
        raise DataError(
            N_(
                "{file} begins with {found}; an IDX file begins with 00 00, a number type and 1 to 4 "
                "dimensions."
            ),
            file=path.name,
            found=start.hex(" "),
        )
    axes = stream.read(4 * start[3])
    if len(axes) < 4 * start[3]:
        raise DataError(N_("{file} ends inside its header; download it again."), file=path.name)
    shape = tuple(int(n) for n in np.frombuffer(axes, dtype=">u4"))
    dtype = np.dtype(TYPES[start[2]])
    expected = math.prod(shape) * dtype.itemsize
    if expected > LIMIT:
        raise DataError(
            N_("{file} promises {found} MB {shape}; at most {expected} MB are read."),
            file=path.name,
            found=expected >> 20,
            shape="×".join(map(str, shape)),
            expected=LIMIT >> 20,
        )
    if packed and expected > BOMB_FROM and expected > BOMB_RATIO * packed:
        raise DataError(
            N_(
                "{file} would grow from {found} kB to {grown} MB; that looks like a gzip bomb and is refused."
            ),
            file=path.name,
            found=packed >> 10,
            grown=expected >> 20,
        )
    out = np.empty(expected, dtype=np.uint8)
    room, filled = out.data, 0
    while filled < expected:
        check_cancel(cancel)
        chunk = stream.read(min(4 << 20, expected - filled))
        if not chunk:
            break
        room[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    more = stream.read(1) if filled == expected else b""
    if filled < expected or more:
        raise DataError(
            N_(
                "{file}: the header promises {expected} bytes of numbers {shape}, the file holds {found}; "
                "download it again."
            ),
            file=path.name,
            expected=expected,
            shape="×".join(map(str, shape)),
            found=Message(N_("more")) if more else filled,
        )
    array = out.view(dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def find_parts(path: Path | str) -> tuple[Path, Path, Path | None, Path | None]:
    """(train pictures, train labels, test pictures, test labels) around any one of them.

    Partners are looked for beside the file: `images` and `labels`, `idx3` and `idx1`, `train` and
    `t10k` or `test`, each with or without `.gz`. Raises DataError when the labels are not there.
    """
    path = Path(path)
    images = path if not _is_labels(path) else _partner(path, labels=False)
    if images is None:
        raise _no_partner(path, Message(N_("pictures")))
    labels = _partner(images, labels=True) if images != path else _partner(path, labels=True)
    if labels is None:
        raise _no_partner(images, Message(N_("labels")))
    for train_word, test_word in _PARTS:
        if test_word in images.name:
            other = _variant(images.parent / images.name.replace(test_word, train_word))
            other_labels = _partner(other, labels=True) if other else None
            if other and other_labels:
                return other, other_labels, images, labels
        if train_word in images.name:
            other = _variant(images.parent / images.name.replace(train_word, test_word))
            other_labels = _partner(other, labels=True) if other else None
            if other and other_labels:
                return images, labels, other, other_labels
    return images, labels, None, None


def load_idx(spec: SourceSpec, progress: Progress | None = None, cancel: Cancel | None = None) -> Dataset:
    """The data set around `spec.paths` (one file is enough). Raises DataError."""
    if not spec.paths:
        raise DataError(N_("No IDX file is named; choose the file with the pictures."))
    path = Path(spec.paths[0])
    open_file(path).close()  # "is not there" before "has no partner"
    parts = find_parts(path)
    name = parts[0].name
    arrays: list[Array] = []
    present = [each for each in parts if each is not None]
    for done, each in enumerate(present):
        if progress is not None:
            progress(done, len(present))
        arrays.append(read_idx(each, cancel))
    for images, labels, file in zip(arrays[0::2], arrays[1::2], present[0::2], strict=True):
        _check_pair(images, labels, file)
    x, y = arrays[0], arrays[1]
    x_test, y_test = (arrays[2], arrays[3]) if len(arrays) == 4 else (x[:0], y[:0])
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    mapped, class_names, notes = map_labels([y, y_test], (), name)
    y, y_test = mapped
    if len(arrays) == 4:
        notes += duplicate_notes(keys_of(x), keys_of(x_test), name)
    else:
        train, test = split_by_content(keys_of(x), y, spec.test_share, spec.seed)
        x, y, x_test, y_test = x[train], y[train], x[test], y[test]
    scale = 1.0
    if x.dtype == np.uint8:
        scale = 1 / 255
    elif x.dtype.kind == "i":
        notes += (
            Message(
                N_("{file} holds signed numbers; they are used as they are, not as 0..1."), {"file": name}
            ),
        )
    if progress is not None:
        progress(len(present), len(present))
    return make_dataset(
        _with_channel(x),
        y,
        _with_channel(x_test),
        y_test,
        kind="vectors" if x.ndim == 2 else "pictures",
        class_names=class_names,
        scale=scale,
        normalize=spec.normalize,
        notes=notes,
        source_sha256=digest.hexdigest(),
        name=name,
    )


def _with_channel(x: Array) -> Array:
    """(N, H, W) -> (N, 1, H, W); (N, F) stays; a 4-D array is (N, C, H, W) already."""
    return x[:, None] if x.ndim == 3 else x


def _check_pair(images: Array, labels: Array, path: Path) -> None:
    if images.ndim < 2:
        raise DataError(
            N_("{file} has {found} dimension; pictures have 3 (count, rows, columns). Are these the labels?"),
            file=path.name,
            found=images.ndim,
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            N_("The labels of {file} have {found} dimensions of type {type}; expected 1 of whole numbers."),
            file=path.name,
            found=labels.ndim,
            type=labels.dtype.name,
        )
    if len(images) != len(labels):
        raise DataError(
            N_(
                "{file} holds {expected} pictures, but its label file {found} labels; the files do not "
                "belong together."
            ),
            file=path.name,
            expected=len(images),
            found=len(labels),
        )


def _is_labels(path: Path) -> bool:
    return "labels" in path.name.lower()


def _partner(path: Path | None, *, labels: bool) -> Path | None:
    if path is None:
        return None
    swaps = [("images", "labels"), ("Images", "Labels"), ("IMAGES", "LABELS")]
    for picture_word, label_word in swaps:
        old, new = (picture_word, label_word) if labels else (label_word, picture_word)
        if old not in path.name:
            continue
        name = path.name.replace(old, new)
        for three, one in (("idx3", "idx1"), ("idx4", "idx1")):
            found = _variant(path.parent / (name.replace(three, one) if labels else name.replace(one, three)))
            if found is not None:
                return found
    return None


def _variant(path: Path) -> Path | None:
    """The file, its packed or unpacked form, or the form with a dot before idx."""
    names = [path.name, path.name + ".gz", path.name.removesuffix(".gz")]
    names += [name.replace("-idx", ".idx") for name in names] + [
        name.replace(".idx", "-idx") for name in names
    ]
    for name in names:
        candidate = path.parent / name
        if candidate.is_file():
            return candidate
    return None


def _no_partner(path: Path, what: Message) -> DataError:
    return DataError(
        N_(
            "No file with the {expected} was found beside {file}; IDX sets come in pairs such as "
            "train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz."
        ),
        file=path.name,
        expected=what,
    )
