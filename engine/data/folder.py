"""A folder of class folders of pictures becomes a data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from engine.data.cancel import Cancel, Progress, check_cancel
from engine.data.dataset import Array, Dataset, make_dataset
from engine.data.listing import Listing, list_folder
from engine.data.source import SourceSpec
from engine.data.split import split_by_content
from engine.errors import N_, DataError, Message

MAX_BYTES = 4 << 30  # of the finished arrays
AUTO_SIDE = 64  # a common size up to this is kept; otherwise pictures become DEFAULT_SIDE squares
DEFAULT_SIDE = 32


def load_folder(spec: SourceSpec, progress: Progress | None = None, cancel: Cancel | None = None) -> Dataset:
    """Pictures under `spec.path/<class>/...`, split by content into training and test parts.

    `train/` and `test/` folders with the same classes are taken as the split. Files that are no whole
    pictures are listed in `Dataset.skipped`, never fatal. Raises DataError.
    """
    listing = list_folder(spec.path, spec.classes, cancel)
    name = listing.root.name or str(listing.root)
    if len(listing.class_names) < 2:
        found = listing.class_names[0] if listing.class_names else "–"
        raise DataError(
            N_(
                "{file} holds only one class folder ({found}); put each class into a folder of its own, at "
                "least two."
            ),
            file=name,
            found=found,
        )
    notes = listing.notes
    size, size_notes = (spec.size, ()) if spec.size else choose_size(listing, name)
    notes += size_notes
    read = _read_all(listing, spec, size, progress, cancel)
    if not len(read.pixels):
        raise DataError(
            N_("{file}: none of the {total} files is a readable picture; the first: {reason}"),
            file=name,
            total=len(listing.files),
            reason=read.skipped[0] if read.skipped else "–",
        )
    pixels, told = _channels(read, spec.channels, name)
    notes += told + _size_note(read, size, spec, name) + _class_notes(read.labels, listing.class_names, name)
    if read.skipped:
        notes += (
            Message(
                N_("{file}: {count} of {total} files were left out; the first: {reason}"),
                {
                    "file": name,
                    "count": len(read.skipped),
                    "total": len(listing.files),
                    "reason": read.skipped[0],
                },
            ),
        )
    notes += read.notes
    train, test, told = _split(read, spec, name)
    notes += told
    present = np.unique(read.labels)
    if len(present) < 2:
        raise DataError(
            N_("{file}: only the class “{found}” has readable pictures; at least two classes are needed."),
            file=name,
            found=listing.class_names[int(present[0])],
        )
    labels = np.searchsorted(present, read.labels).astype(np.int64)  # empty classes get no output
    return make_dataset(
        pixels[train],
        labels[train],
        pixels[test],
        labels[test],
        kind="pictures",
        class_names=tuple(listing.class_names[int(k)] for k in present),
        scale=1 / 255,
        normalize=spec.normalize,
        notes=notes,
        skipped=read.skipped,
        source_sha256=_source_hash(read, listing.class_names),
        name=name,
    )


def choose_size(listing: Listing, name: str) -> tuple[tuple[int, int], tuple[Message, ...]]:
    """(height, width) when none was asked for: the size all sampled pictures share if it is at most
    64 x 64, otherwise 32 x 32. Looks at up to 40 pictures spread over the folder."""
    from engine.data.pictures import read_picture

    sizes: list[tuple[int, int]] = []
    step = max(1, len(listing.files) // 40)
    for path, _ in islice(listing.files, 0, None, step):
        try:
            picture = read_picture(path)
        except DataError:
            continue
        sizes.append((picture.height, picture.width))
    if sizes and len(set(sizes)) == 1 and max(sizes[0]) <= AUTO_SIDE:
        return sizes[0], ()
    if sizes and median(max(size) for size in sizes) <= DEFAULT_SIDE:
        side = int(median(max(size) for size in sizes))
        return (side, side), ()
    return (DEFAULT_SIDE, DEFAULT_SIDE), ()


@dataclass
class _Read:
    """What came out of the files that could be read, in listing order."""

    pixels: npt.NDArray[np.uint8]  # (N, C, H, W), C = 3 unless 1 was asked for
    labels: npt.NDArray[np.int64]
    keys: list[bytes]  # content, before resizing
    grey: npt.NDArray[np.bool_]
    sizes: set[tuple[int, int]]
    n_test: int
    skipped: tuple[Message, ...]
    notes: tuple[Message, ...]


_One = tuple[npt.NDArray[np.uint8], bytes, bool, tuple[int, int], tuple[Message, ...]]


def _read_one(path: Path, spec: SourceSpec, shape: tuple[int, int, int]) -> _One | Message:
    from engine.data.pictures import read_picture, to_pixels

    try:
        picture = read_picture(path, name="/".join(path.parts[-2:]))
    except DataError as refusal:
        return refusal.message
    digest = hashlib.blake2b(repr(picture.array.shape).encode(), digest_size=16)
    digest.update(picture.array.data)
    size = (picture.height, picture.width)
    return to_pixels(picture, shape, spec.resize), digest.digest(), picture.is_grey, size, picture.notes


def _read_all(
    listing: Listing,
    spec: SourceSpec,
    size: tuple[int, int],
    progress: Progress | None,
    cancel: Cancel | None,
) -> _Read:
    total = len(listing.files)
    shape = (1 if spec.channels == 1 else 3, *size)
    if total * int(np.prod(shape)) > MAX_BYTES:
        raise DataError(
            N_(
                "{file}: {count} pictures of {width} × {height} need {found} GB; at most {expected} GB are "
                "used. Choose a smaller size."
            ),
            file=listing.root.name,
            count=total,
            width=size[1],
            height=size[0],
            found=round(total * int(np.prod(shape)) / (1 << 30), 1),
            expected=MAX_BYTES >> 30,
        )
    pixels = np.empty((total, *shape), dtype=np.uint8)
    labels, grey = np.empty(total, dtype=np.int64), np.zeros(total, dtype=np.bool_)
    keys: list[bytes] = []
    skipped: list[Message] = []
    sizes: set[tuple[int, int]] = set()
    told: dict[str, tuple[Message, int]] = {}
    n_test, filled = 0, 0
    # One after another: threads were measured and bring nothing, reading is mostly small Python steps.
    for done, (path, label) in enumerate(listing.files):
        check_cancel(cancel)
        result = _read_one(path, spec, shape)
        if progress is not None:
            progress(done, total)
        if isinstance(result, Message):
            skipped.append(result)
            continue
        pixels[filled], key, grey[filled], original, notes = result
        labels[filled] = label
        keys.append(key)
        sizes.add(original)
        for note in notes:
            first, count = told.get(note.template, (note, 0))
            told[note.template] = (first, count + 1)
        n_test += done >= total - listing.n_test
        filled += 1
    if progress is not None:
        progress(total, total)
    return _Read(
        pixels[:filled],
        labels[:filled],
        keys,
        grey[:filled],
        sizes,
        n_test,
        tuple(skipped),
        tuple(_repeated(first, count) for first, count in told.values()),
    )


def _repeated(note: Message, count: int) -> Message:
    if count == 1:
        return note
    return Message(N_("{first} ({count} pictures in all)"), {"first": note, "count": count})


def _channels(read: _Read, wanted: int, name: str) -> tuple[npt.NDArray[np.uint8], tuple[Message, ...]]:
    """All grey: one channel. Any color: three, and the mixture is told."""
    if wanted == 1:
        return read.pixels, ()
    if wanted == 0 and read.grey.all():
        return np.ascontiguousarray(read.pixels[:, :1]), ()
    grey = int(read.grey.sum())
    if not grey or grey == len(read.grey):
        return read.pixels, ()
    return read.pixels, (
        Message(
            N_("{file}: {grey} grey pictures among {total} were repeated in red, green and blue."),
            {"file": name, "grey": grey, "total": len(read.grey)},
        ),
    )


def _size_note(read: _Read, size: tuple[int, int], spec: SourceSpec, name: str) -> tuple[Message, ...]:
    if read.sizes == {size}:
        return ()
    ways = {
        "fit": N_("{file}: {found} were brought to {width} × {height}, whole, with edges filled (fit)."),
        "fill": N_("{file}: {found} were brought to {width} × {height}, cut at the edges (fill)."),
        "stretch": N_("{file}: {found} were brought to {width} × {height}, proportions changed (stretch)."),
    }
    smallest, largest = min(read.sizes), max(read.sizes)
    found = f"{smallest[1]} × {smallest[0]}"
    if smallest != largest:
        found += f" … {largest[1]} × {largest[0]}"
    values = {"file": name, "found": found, "width": size[1], "height": size[0]}
    return (Message(ways[spec.resize], values),)


def _class_notes(labels: npt.NDArray[np.int64], names: tuple[str, ...], name: str) -> tuple[Message, ...]:
    counts = np.bincount(labels, minlength=len(names))
    notes: list[Message] = []
    empty = [names[k] for k in np.flatnonzero(counts == 0)]
    single = [names[k] for k in np.flatnonzero(counts == 1)]
    if empty:
        notes.append(
            Message(
                N_("{file}: no readable picture in {found}; these classes were left out."),
                {"file": name, "found": ", ".join(empty)[:200]},
            )
        )
    if single:
        notes.append(
            Message(
                N_(
                    "{file}: only one picture in {found}; it is used for training, and nothing tests the "
                    "class."
                ),
                {"file": name, "found": ", ".join(single)[:200]},
            )
        )
    return tuple(notes)


def _split(read: _Read, spec: SourceSpec, name: str) -> tuple[Array, Array, tuple[Message, ...]]:
    """Positions of the training and test part; equal content never lies in both."""
    notes: list[Message] = []
    first: dict[bytes, int] = {}
    twice = sum(first.setdefault(key, position) != position for position, key in enumerate(read.keys))
    crossed = sum(read.labels[first[key]] != label for key, label in zip(read.keys, read.labels, strict=True))
    if crossed:
        notes.append(
            Message(
                N_("{file}: {count} pictures also lie in another class; a network cannot get both right."),
                {"file": name, "count": crossed},
            )
        )
    if not read.n_test:
        train, test = split_by_content(read.keys, read.labels, spec.test_share, spec.seed)
        if twice:
            notes.append(
                Message(
                    N_(
                        "{file}: {count} pictures are copies of others; copies stay together in training "
                        "or test."
                    ),
                    {"file": name, "count": twice},
                )
            )
        return train, test, tuple(notes)
    cut = len(read.keys) - read.n_test
    train, _ = split_by_content(read.keys[:cut], read.labels[:cut], 0.0, spec.seed)
    seen = set(read.keys[:cut])
    kept = [position for position in range(cut, len(read.keys)) if read.keys[position] not in seen]
    if len(kept) < read.n_test:
        notes.append(
            Message(
                N_(
                    "{file}: {count} of {total} test pictures are also in the training folder; they were "
                    "left out of the test."
                ),
                {"file": name, "count": read.n_test - len(kept), "total": read.n_test},
            )
        )
    return train, np.asarray(kept, dtype=np.intp), tuple(notes)


def _source_hash(read: _Read, names: tuple[str, ...]) -> str:
    """Of pictures and their classes, not of file names or the size asked for."""
    digest = hashlib.sha256()
    for entry in sorted(
        f"{names[label]}\0{key.hex()}" for key, label in zip(read.keys, read.labels, strict=True)
    ):
        digest.update(entry.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
