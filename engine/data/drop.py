"""What is this? Files and folders dropped on the window, recognized by content, not by extension."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from engine.data.files import open_file
from engine.data.headers import picture_format, read_header, refused_format
from engine.data.idx import find_parts, is_idx
from engine.data.safe_npz import Limits, open_zip
from engine.data.source import SourceSpec
from engine.data.text import text_of
from engine.data.wav import ENDINGS, is_wav, refuse_other
from engine.errors import N_, DataError, MatrizenError, Message

TEXT_ENDINGS = (".txt", ".text", ".md")
MOST_CLASSES = 32
"""Loose sounds up to this are a class each; more are certainly not meant so."""
BLOCK_FILE = b'"matrizen/block"'
"""What a kept block (JSON, gui/block_library.py) names as its format."""
DropKind = Literal["project", "weights", "data", "picture", "sound", "block", "refused"]


@dataclass(frozen=True)
class Recognized:
    """kind      project (.matrizen) | weights (an exported .npz) | data | picture | sound | block | refused
    paths     the files meant: the project, the weights, the sound, or the pictures
    spec      for data: what `engine.data.loading.load` takes
    message   one sentence for people: what it is, or why it is refused
    """

    kind: DropKind
    paths: tuple[str, ...]
    message: Message
    spec: SourceSpec | None = None


def recognize(paths: Sequence[Path | str]) -> Recognized:
    """Tell what was dropped. Never raises: what cannot be used is `refused` with the reason.

    Looks at a few hundred bytes of files and at the names in folders; nothing large is read.
    """
    try:
        names = [os.fspath(each) for each in paths]
        if not names:
            raise DataError(N_("Nothing was dropped."))
        if len(names) == 1:
            return _one(Path(names[0]))
        return _several([Path(each) for each in names])
    except MatrizenError as refusal:
        return Recognized("refused", tuple(os.fspath(each) for each in paths), refusal.message)


def _several(paths: list[Path]) -> Recognized:
    if all(path.is_dir() for path in paths):
        return _folders(paths)
    found = [_one(path) for path in paths]
    texts = [each for each in found if each.spec is not None and each.spec.kind == "text"]
    if len(texts) == len(found):
        names = tuple(str(path) for path in paths)
        message = Message(N_("{count} texts to tell apart"), {"count": len(paths)})
        return Recognized("data", names, message, SourceSpec.text(*names))
    sounds = [path for path, each in zip(paths, found, strict=True) if each.kind == "sound"]
    if sounds and all(each.kind in ("sound", "refused") for each in found):
        return _sounds(sounds, paths[0].absolute().parent, len(found) - len(sounds))
    kinds = {"refused" if each in texts else each.kind for each in found}  # notes beside pictures
    pictures = tuple(file for each in found if each.kind == "picture" for file in each.paths)
    if kinds == {"block"}:
        message = Message(N_("{count} blocks for the library"), {"count": len(found)})
        return Recognized("block", tuple(file for each in found for file in each.paths), message)
    if kinds == {"picture"}:
        return Recognized("picture", pictures, Message(N_("{count} pictures"), {"count": len(pictures)}))
    specs = {each.spec for each in found}
    if kinds == {"data"} and len(specs) == 1:
        return found[0]
    if pictures and kinds == {"picture", "refused"}:
        return Recognized(
            "picture",
            pictures,
            Message(
                N_("{count} pictures; {left} other files are left out"),
                {"count": len(pictures), "left": len(found) - len(pictures)},
            ),
        )
    if kinds == {"refused"}:
        return found[0]
    raise DataError(
        N_("{count} things of different kinds were dropped; drop one project, one data set, or pictures."),
        count=len(paths),
    )


def _sounds(paths: list[Path], folder: Path, left: int = 0) -> Recognized:
    """Several sounds at once are a class each; one is looked at."""
    if len(paths) == 1:
        return _one(paths[0])
    if len(paths) > MOST_CLASSES:
        raise DataError(
            N_("{file}: {count} sounds lie loose; put the sounds of each class into a folder of its own."),
            file=folder.name,
            count=len(paths),
        )
    names = tuple(str(path) for path in paths)
    text = N_("{count} sounds, each a class")
    if left:
        text = N_("{count} sounds, each a class; {left} other files are left out")
    message = Message(text, {"count": len(paths), "left": left})
    return Recognized("data", names, message, SourceSpec.audio(*names))


def _folders(paths: list[Path]) -> Recognized:
    """Several folders at once are classes when they lie side by side."""
    parents = {path.absolute().parent for path in paths}
    if len(parents) > 1:
        raise DataError(
            N_("{count} folders from different places were dropped; put the class folders into one folder."),
            count=len(paths),
        )
    parent = parents.pop()
    message = Message(
        N_("{file}: {count} folders as classes"), {"file": parent.name or str(parent), "count": len(paths)}
    )
    made = SourceSpec.audio(path=str(parent)) if _hold_sounds(paths) else SourceSpec.folder(str(parent))
    spec = replace(made, classes=tuple(sorted(path.name for path in paths)))
    return Recognized("data", (str(parent),), message, spec)


def _one(path: Path) -> Recognized:
    try:
        if path.is_dir():
            return _folder(path)
        with open_file(path) as file:
            start = file.read(1024)
            if not start:
                raise DataError(N_("{file} is empty (0 bytes); choose another file."), file=path.name)
            if start[:4] == b"PK\x03\x04" or start[:4] == b"PK\x05\x06":
                with open_zip(file, Limits(total=1 << 40), name=path.name) as archive:
                    return _zip(path, archive)
    except MatrizenError as refusal:
        return Recognized("refused", (str(path),), refusal.message)
    except OSError as problem:
        return Recognized(
            "refused",
            (str(path),),
            Message(
                N_("{file} cannot be read: {reason}."),
                {"file": str(path), "reason": problem.strerror or str(problem)},
            ),
        )
    try:
        return _plain(path, start)
    except MatrizenError as refusal:
        return Recognized("refused", (str(path),), refusal.message)


def _zip(path: Path, archive: zipfile.ZipFile) -> Recognized:
    members = archive.namelist()
    if "project.json" in members:
        return Recognized(
            "project", (str(path),), Message(N_("{file}: a Matrizen project"), {"file": path.name})
        )
    if any(member.endswith(".npy") for member in members):
        if "__meta__.npy" in members:
            return Recognized(
                "weights", (str(path),), Message(N_("{file}: weights of a network"), {"file": path.name})
            )
        return Recognized(
            "data",
            (str(path),),
            Message(N_("{file}: NumPy arrays"), {"file": path.name}),
            SourceSpec.npz(str(path)),
        )
    raise DataError(
        N_("{file} is a zip archive without a project or arrays in it; unpack it and drop the folder."),
        file=path.name,
    )


def _plain(path: Path, start: bytes) -> Recognized:
    if picture_format(start) is not None or refused_format(start) is not None:
        if picture_format(start) is None:
            read_header(start, path.name)  # raises with the reason
        return Recognized("picture", (str(path),), Message(N_("{file}: a picture"), {"file": path.name}))
    if is_wav(start):
        return Recognized("sound", (str(path),), Message(N_("{file}: a sound"), {"file": path.name}))
    refuse_other(start, path.name)
    unpacked = _gunzip_start(start) if start[:2] == b"\x1f\x8b" else start
    if is_idx(unpacked):
        images, _, test, _ = find_parts(path)
        text = (
            N_("{file}: an IDX data set") if test is None else N_("{file}: an IDX data set with a test part")
        )
        return Recognized(
            "data", (str(path),), Message(text, {"file": images.name}), SourceSpec.idx(str(images))
        )
    if start.lstrip()[:1] == b"{" and BLOCK_FILE in start:
        return Recognized("block", (str(path),), Message(N_("{file}: a block"), {"file": path.name}))
    if start[:6] == b"\x93NUMPY":
        raise DataError(
            N_("{file} is a single NumPy array; save inputs and labels together with np.savez(x=…, y=…)."),
            file=path.name,
        )
    if path.suffix.lower() in TEXT_ENDINGS:  # plain text says nowhere in it what it is
        text_of(whole_characters(start), path.name)
        message = Message(N_("{file}: a text"), {"file": path.name})
        return Recognized("data", (str(path),), message, SourceSpec.text(str(path)))
    raise DataError(
        N_(
            "{file} begins with {found}, which is nothing Matrizen knows; expected a project, a picture, a "
            "WAV sound, a folder of class folders, IDX or .npz."
        ),
        file=path.name,
        found=start[:4].hex(" "),
    )


def whole_characters(start: bytes) -> bytes:
    """The start of a UTF-8 file without a character that was cut off."""
    for back in range(1, min(4, len(start) + 1)):
        if start[-back] >= 0xC0:  # a character of several bytes begins here
            length = 2 if start[-back] < 0xE0 else 3 if start[-back] < 0xF0 else 4
            return start[:-back] if length > back else start
    return start


def _gunzip_start(start: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(start, 64)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def _folder(path: Path) -> Recognized:
    from engine.data.listing import list_names, looks_like_picture

    inner, files = list_names(path)
    for file in islice((each for each in files if "images" in each.name.lower()), 8):
        found = _one(file)
        if found.kind == "data":
            return found
    if inner and _hold_sounds(inner):
        text = N_("{file}: a folder with {count} class folders of sounds")
        message = Message(text, {"file": path.name, "count": len(inner)})
        return Recognized("data", (str(path),), message, SourceSpec.audio(path=str(path)))
    if inner:
        text = N_("{file}: a folder with {count} class folders")
        return Recognized(
            "data",
            (str(path),),
            Message(text, {"file": path.name, "count": len(inner)}),
            SourceSpec.folder(str(path)),
        )
    pictures = tuple(str(each) for each in files[:1000] if looks_like_picture(each))
    if pictures:
        return Recognized(
            "picture",
            pictures,
            Message(
                N_(
                    "{file}: {count} pictures without class folders; to train, put each class into its own "
                    "folder"
                ),
                {"file": path.name, "count": len(pictures)},
            ),
        )
    sounds = [each for each in files[:1000] if looks_like_sound(each)]
    if sounds:
        return _sounds(sounds, path)
    raise DataError(
        N_("{file} holds no class folders, pictures, sounds or IDX files; drop a folder that does."),
        file=path.name,
    )


def looks_like_sound(path: Path) -> bool:
    """Whether a file begins like a WAV."""
    try:
        with open_file(path) as file:
            return is_wav(file.read(16))
    except (OSError, DataError):
        return False


def _hold_sounds(folders: Sequence[Path], depth: int = 3) -> bool:
    """Whether the first of these folders that holds pictures or sounds holds sounds (or refused ones)."""
    from engine.data.listing import list_names, looks_like_picture

    for folder in folders[:20]:
        try:
            inner, files = list_names(folder)
        except MatrizenError:
            continue
        for file in files[:20]:
            if looks_like_picture(file):
                return False
            if looks_like_sound(file) or file.suffix.lower() in ENDINGS:
                return True
        if depth and inner:
            return _hold_sounds(inner, depth - 1)
    return False
