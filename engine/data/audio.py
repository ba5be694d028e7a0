"""Sounds as examples: pieces of WAV files, as rows of samples or as spectrograms, with their class.

A class is a folder of files or one file. Where a class has enough files, whole files are held back for the
test; otherwise the end of each is, so that no piece is in both parts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.data.cancel import Cancel, Progress, check_cancel
from engine.data.dataset import Dataset, make_dataset
from engine.data.listing import list_folder
from engine.data.sound import frames_of, resample, spectrogram
from engine.data.source import SourceSpec
from engine.data.split import split_by_content
from engine.data.tones import WAVES, made_tones
from engine.data.wav import Samples, Sound, read_wav
from engine.errors import N_, DataError, Message

TONES = "tones"
SHORT = 256
"""Samples of an example where none are asked for."""
FRAMES = 32
"""Columns of a spectrogram where no length is asked for."""
MAX_CELLS = 64_000_000
"""Numbers in all examples together, and samples of one file."""
QUIET = 1e-3
"""Pieces that nowhere exceed this (-60 dB) hold no sound."""
Pieces = npt.NDArray[np.float32]


def length_of(spec: SourceSpec) -> int:
    """Samples of one example."""
    whole = spec.frame + (FRAMES - 1) * spec.hop
    return spec.length or (SHORT if spec.reading == "samples" else whole)


def stride_of(spec: SourceSpec) -> int:
    """Samples from the start of an example to that of the next."""
    return spec.stride or length_of(spec)


def numbers_of(spec: SourceSpec) -> int:
    """Numbers the network gets of one example."""
    frames = frames_of(length_of(spec), spec.frame, spec.hop)
    return length_of(spec) if spec.reading == "samples" else spec.bands * frames


def load_audio(spec: SourceSpec, progress: Progress | None = None, cancel: Cancel | None = None) -> Dataset:
    """Made tones, files that are a class each, or a folder of class folders. Raises DataError."""
    check_spec(spec)
    if not spec.path and not spec.paths:
        return _made(spec)
    names, files, n_test, name, notes = _files(spec, cancel)
    takes: list[_Take] = []
    skipped: list[Message] = []
    told = _Told()
    cells = samples = 0
    for done, (path, label) in enumerate(files):
        check_cancel(cancel)
        if progress is not None:
            progress(done, len(files))
        try:
            read = read_wav(path, "/".join(path.parts[-2:]) if spec.path else path.name)
            sound = brought(read, spec)
        except DataError as refusal:
            if spec.paths:  # a class of its own, which must not get lost
                raise
            skipped.append(refusal.message)
            continue
        for note in sound.notes:
            told.add(note)
        samples += len(sound.samples)
        cells += len(sound.samples) // stride_of(spec) * numbers_of(spec)
        if max(samples, cells) > MAX_CELLS:
            raise DataError(
                N_("{file} makes more than {expected} million numbers; let the examples start every {stride} "
                   "samples, or take fewer files."),
                file=name, expected=MAX_CELLS // 1_000_000, stride=2 * stride_of(spec),
            )  # fmt: skip
        takes.append(_Take(label, done >= len(files) - n_test, sound.samples, _key(read)))
    if progress is not None:
        progress(len(files), len(files))
    if not takes:
        text = N_("{file}: none of the {total} files is a readable WAV; the first: {reason}")
        raise DataError(text, file=name, total=len(files), reason=skipped[0] if skipped else "–")
    if skipped:
        text = N_("{file}: {count} of {total} files were left out; the first: {reason}")
        values = {"file": name, "count": len(skipped), "total": len(files), "reason": skipped[0]}
        told.notes.append(Message(text, values))
    train, test = _parts(takes, spec, told)
    notes = (*notes, *told.all(name))
    return _dataset(train, test, names, spec, name, notes, tuple(skipped), _hash(takes, names))


def check_spec(spec: SourceSpec) -> None:
    """Settings that do not go together. Raises DataError."""
    if spec.reading == "spectrogram":
        if spec.bands > spec.frame // 2:
            raise DataError(
                N_("A frame of {frame} samples has {expected} lines of pitch, fewer than {found} bands; take "
                   "longer frames or fewer bands."),
                frame=spec.frame, expected=spec.frame // 2, found=spec.bands,
            )  # fmt: skip
        if length_of(spec) < spec.frame:
            raise DataError(
                N_("An example of {found} samples is shorter than a frame of {expected}; make it longer."),
                found=length_of(spec), expected=spec.frame,
            )  # fmt: skip


def brought(sound: Sound, spec: SourceSpec) -> Sound:
    """A sound at the rate of `spec`, told where that is another. Raises DataError for one too long."""
    if len(sound.samples) * spec.rate > MAX_CELLS * sound.rate:
        raise DataError(
            N_("{file} lasts {found} minutes; at {rate} samples in a second at most {expected} are read."),
            file=sound.name,
            found=round(sound.seconds / 60),
            rate=spec.rate,
            expected=int(MAX_CELLS / spec.rate / 60),
        )
    if sound.rate == spec.rate:
        return sound
    text = N_("{file}: {found} samples in a second were brought to {rate}.")
    note = Message(text, {"file": sound.name, "found": sound.rate, "rate": spec.rate})
    samples = resample(sound.samples, sound.rate, spec.rate)
    return Sound(sound.name, samples, spec.rate, sound.channels, (*sound.notes, note))


def pieces_of(samples: Samples, spec: SourceSpec) -> Pieces:
    """(N, length): every piece of a sound; a shorter sound is filled with silence at its end."""
    length = length_of(spec)
    if len(samples) < length:
        samples = np.concatenate([samples, np.zeros(length - len(samples), np.float32)])
    return np.lib.stride_tricks.sliding_window_view(samples, length)[:: stride_of(spec)]


def as_inputs(pieces: Pieces, spec: SourceSpec) -> Pieces:
    """Pieces as the network gets them: as they are, or (N, 1, bands, frames)."""
    if spec.reading == "samples":
        return np.ascontiguousarray(pieces)
    return spectrogram(pieces, spec.rate, spec.frame, spec.hop, spec.bands, spec.pitch)[:, None]


@dataclass
class _Take:
    """One file: its class, whether it came from a test folder, what it holds, and a key of its content."""

    label: int
    is_test: bool
    samples: Samples
    key: bytes


@dataclass
class _Told:
    """Notes of many files: of each kind the first, and how many there are."""

    notes: list[Message] = field(default_factory=list)
    short: int = 0
    quiet: int = 0
    pieces: int = 0
    known: dict[str, tuple[Message, int]] = field(default_factory=dict)

    def add(self, note: Message) -> None:
        first, count = self.known.get(note.template, (note, 0))
        self.known[note.template] = (first, count + 1)

    def all(self, name: str) -> tuple[Message, ...]:
        many = N_("{first} ({count} files in all)")
        out = [
            *self.notes,
            *(n if k == 1 else Message(many, {"first": n, "count": k}) for n, k in self.known.values()),
        ]
        if self.short:
            text = N_("{file}: {count} sounds are shorter than an example; the rest of it is silence.")
            out.append(Message(text, {"file": name, "count": self.short}))
        if self.quiet:
            text = N_("{file}: {count} of {total} pieces hold no sound and were left out.")
            out.append(Message(text, {"file": name, "count": self.quiet, "total": self.pieces}))
        return tuple(out)


Part = list[tuple[Pieces, int]]


def _parts(takes: list[_Take], spec: SourceSpec, told: _Told) -> tuple[Part, Part]:
    """Pieces with their class, for training and for the test."""
    train: Part = []
    test: Part = []
    for label in sorted({take.label for take in takes}):
        own = [take for take in takes if take.label == label]
        known = [take for take in own if take.is_test]
        share = 0.0 if any(take.is_test for take in takes) else spec.test_share
        rest = [take for take in own if not take.is_test]
        held = {id(take) for take in known}
        whole = round(len(rest) * share) >= 1
        if whole:
            keys = [take.key for take in rest]
            held |= {id(rest[k]) for k in split_by_content(keys, None, share, spec.seed)[1]}
        for take in own:
            samples = take.samples
            told.short += len(samples) < length_of(spec)
            cut = len(samples)
            if not whole and share and id(take) not in held:
                cut -= round(len(samples) * share)
            if cut < length_of(spec):
                cut = len(samples)
            first, second = pieces_of(samples[:cut], spec), samples[cut:]
            (test if id(take) in held else train).append((_heard(first, spec, told), label))
            if len(second) >= length_of(spec):
                test.append((_heard(pieces_of(second, spec), spec, told), label))
    return train, test


def _heard(pieces: Pieces, spec: SourceSpec, told: _Told) -> Pieces:
    """Inputs of the pieces that hold a sound."""
    loud = (pieces.max(axis=1) > QUIET) | (pieces.min(axis=1) < -QUIET)
    told.pieces += len(loud)
    told.quiet += int((~loud).sum())
    return as_inputs(pieces[loud], spec)


def _files(
    spec: SourceSpec, cancel: Cancel | None
) -> tuple[tuple[str, ...], list[tuple[Path, int]], int, str, tuple[Message, ...]]:
    """(classes, files with their class, how many of the last are a test part, name, notes)."""
    if spec.path:
        listing = list_folder(spec.path, spec.classes, cancel)
        name = listing.root.name or str(listing.root)
        if len(listing.class_names) < 2:
            raise DataError(
                N_("{file} holds only one class folder ({found}); put the sounds of each class into a "
                   "folder of their own, at least two."),
                file=name, found="".join(listing.class_names) or "–",
            )  # fmt: skip
        return listing.class_names, listing.files, listing.n_test, name, listing.notes
    files = [Path(each) for each in spec.paths]
    stems = [file.stem for file in files]
    names = tuple(file.name if stems.count(file.stem) > 1 else file.stem for file in files)
    if len(files) == 1:
        raise DataError(
            N_("{file} alone is one class; drop several sounds together, each of them becomes a class."),
            file=files[0].name,
        )
    return names, [(file, label) for label, file in enumerate(files)], 0, files[0].parent.name, ()


def _dataset(
    train: Part, test: Part, names: tuple[str, ...], spec: SourceSpec, name: str, notes: tuple[Message, ...],
    skipped: tuple[Message, ...], digest: str,
) -> Dataset:  # fmt: skip
    present = sorted({label for pieces, label in train if len(pieces)})
    lost = [each for label, each in enumerate(names) if label not in present]
    if not present:
        raise DataError(N_("{file} holds only silence; record it louder or choose other files."), file=name)
    if lost:
        text = N_("{file}: nothing to train on in {found}; these classes were left out.")
        notes = (*notes, Message(text, {"file": name, "found": ", ".join(lost)[:200]}))

    def joined(part: Part) -> tuple[Pieces, npt.NDArray[np.int64]]:
        kept = [(pieces, present.index(label)) for pieces, label in part if label in present]
        x = np.concatenate([kept_pieces for kept_pieces, _ in kept] or [train[0][0][:0]])
        return x, np.repeat([label for _, label in kept], [len(p) for p, _ in kept]).astype(np.int64)

    return make_dataset(
        *joined(train), *joined(test),
        kind="sounds" if spec.reading == "samples" else "pictures",
        class_names=tuple(names[label] for label in present),
        normalize=spec.normalize, notes=notes, skipped=skipped, source_sha256=digest, name=name,
    )  # fmt: skip


def _made(spec: SourceSpec) -> Dataset:
    if spec.name != TONES:
        raise DataError(
            N_("There are no sounds called “{found}”; choose {expected}, or files."),
            found=spec.name[:40],
            expected=TONES,
        )
    least = 2 * len(WAVES)
    if spec.count < least:
        raise DataError(
            N_("{found} sounds are too few; choose at least {expected}."), found=spec.count, expected=least
        )
    if spec.count * length_of(spec) > MAX_CELLS:
        raise DataError(
            N_("{found} sounds of {length} samples are too many numbers; choose at most {expected}."),
            found=spec.count,
            length=length_of(spec),
            expected=MAX_CELLS // length_of(spec),
        )
    x, y = made_tones(spec, length_of(spec))
    cut = round(spec.count * spec.test_share)
    parts: list[Part] = [
        [(as_inputs(x[part][y[part] == label], spec), label) for label in range(len(WAVES))]
        for part in (slice(cut, None), slice(cut))
    ]
    return _dataset(parts[0], parts[1], WAVES, spec, TONES, (), (), "")


def _hash(takes: list[_Take], names: tuple[str, ...]) -> str:
    """Of the sounds and their classes, not of file names or settings."""
    digest = hashlib.sha256()
    for entry in sorted(f"{names[take.label]}\0{take.key.hex()}" for take in takes):
        digest.update(entry.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _key(sound: Sound) -> bytes:
    digest = hashlib.blake2b(str(sound.rate).encode(), digest_size=16)
    digest.update(sound.samples.data)
    return digest.digest()
