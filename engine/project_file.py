"""Reading and writing `.matrizen` files: a zip of project.json, one .npy per state array, and the curves.

Nothing in a file is trusted: sizes are checked before anything is decompressed, no pickle is opened, and
every refusal is a ProjectError that names the file and the part.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.data.files import open_file
from engine.data.safe_npz import Limits, open_zip, read_member, to_float32
from engine.errors import N_, Message, ProjectError
from engine.project import Project, from_plain, to_plain
from engine.project_curves import FOLDER as CURVES
from engine.project_curves import MAX_BYTES, TYPES, curve_arrays, with_sound_curves
from engine.project_lines import FOLDER as LINES
from engine.project_lines import PARTS, line_arrays, lines_from_plain, lines_to_plain, with_sound_lines
from engine.project_weights import weight_notes
from engine.saving import BACKUP_SUFFIX, save_atomically

SUFFIX = ".matrizen"
LIMITS = Limits(total=8 << 30, members=100_000)
MAX_JSON = 16 << 20
MAX_DEPTH = 64
FREE_BYTES, GROWTH = 64 << 20, 20
"""What a file may unpack to: so much, and so many times its own size (weights are stored unpacked)."""
_EPOCH = (2020, 1, 1, 0, 0, 0)  # equal projects are equal bytes
_NO_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)

Array = np.ndarray[Any, Any]


def save_project(path: Path | str, project: Project) -> Path:
    """Write a project atomically; the old file stays beside it as `.bak`. Raises ProjectError."""
    name = Path(path).name
    if project.run is not None:
        project = replace(project, run=with_sound_lines(with_sound_curves(project.run)))
    try:
        text = json.dumps(_plain(project), indent=1, allow_nan=False).encode()
    except (TypeError, ValueError) as problem:
        raise ProjectError(
            N_("{file} cannot be saved: it holds something that no file can keep ({reason})."),
            file=name,
            reason=type(problem).__name__,
        ) from problem

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            _add(archive, "project.json", text, zipfile.ZIP_DEFLATED)
            for folder, arrays in _arrays(project).items():
                curves = folder == CURVES or folder.endswith(f"/{CURVES}")
                packed = zipfile.ZIP_DEFLATED if curves else zipfile.ZIP_STORED
                for key, array in sorted(arrays.items()):
                    kind = TYPES[key] if curves else "<f4"
                    _add(archive, f"{folder}/{key}.npy", npy_bytes(array, kind), packed)

    return save_atomically(path, write, lambda p: _verify(p, project, text, name), backup=True)


def load_project(path: Path | str, *, intact_only: bool = False) -> Project:
    """Read a project. Raises ProjectError; the message offers the backup where there is one.

    With `intact_only` damaged weights are left out and named in `messages`; the drawn network and the
    settings must be whole.
    """
    path = Path(path)
    try:
        with open_file(path, ProjectError) as file:
            return _read(file, path.name, intact_only)
    except ProjectError as problem:
        backup = Path(str(path) + BACKUP_SUFFIX)
        if backup.exists():
            raise ProjectError(
                N_("{problem} The last save before it is kept as {backup}."),
                problem=problem.message,
                backup=backup.name,
            ) from problem
        raise


def _read(file: IO[bytes], name: str, intact_only: bool = False) -> Project:
    with open_zip(file, LIMITS, name=name, error=ProjectError) as archive:
        members = {i.filename: i for i in archive.infolist()}
        info = members.get("project.json")
        if info is None:
            raise ProjectError(N_("{file} has no project.json; it is not a Matrizen project."), file=name)
        if info.file_size > MAX_JSON:
            raise ProjectError(
                N_("{file}: project.json is {found} MB; more than {limit} is refused."),
                file=name,
                found=info.file_size >> 20,
                limit=MAX_JSON >> 20,
            )
        size = file.seek(0, 2)
        grown = sum(i.file_size for i in members.values())
        if grown > FREE_BYTES + GROWTH * size:
            raise ProjectError(
                N_("{file} would grow from {found} kB to {grown} MB; that looks like a zip bomb."),
                file=name,
                found=size >> 10,
                grown=grown >> 20,
            )
        try:
            text = archive.read(info)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            RuntimeError,
            NotImplementedError,
            MemoryError,
        ) as problem:
            raise ProjectError(
                N_("{file}: project.json is damaged; choose a backup."), file=name
            ) from problem
        plain = parse_json(text, name)
        found: dict[str, dict[str, Array]] = {"state": {}, "start": {}}
        curves: dict[str, Array] = {}
        lines: dict[str, dict[str, dict[str, Array]]] = {}
        notes: list[Message] = []
        for member, entry in members.items():
            folder, _, key = member.partition("/")
            if folder == CURVES and key[:-4] in TYPES and key.endswith(".npy"):
                if entry.file_size <= MAX_BYTES:
                    with suppress(ProjectError):  # what is missing is said with the rest of the curves
                        curves[key[:-4]] = read_member(archive, entry, LIMITS, name=name, error=ProjectError)
                continue
            if folder == LINES and key.count("/") == 2 and key.endswith(".npy"):
                with suppress(ProjectError):  # the line is told of as a whole
                    _read_line(archive, entry, lines, name)
                continue
            try:
                if folder not in found or not key.endswith(".npy"):
                    if member != "project.json":
                        _check_header(archive, entry, name)
                    continue
                array = read_member(archive, entry, LIMITS, name=name, error=ProjectError)
                _check_numbers(array, member, name)
            except ProjectError as problem:
                if not intact_only:
                    raise
                notes.append(Message(N_("Left out: {problem}"), {"problem": problem.message}))
                continue
            found[folder][key[:-4]] = array
    state, converted = to_float32(found["state"], name)
    start, _ = to_float32(found["start"], name)
    project = from_plain(plain, state, name, start, curves)
    if project.run is not None:
        others, said = lines_from_plain(plain["run"].get("lines"), lines, project.run.step, name)
        project = replace(project, run=replace(project.run, lines=others))
        notes += said
    return replace(project, messages=(*project.messages, *notes, *converted, *weight_notes(project, name)))


def _read_line(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, lines: dict[str, dict[str, dict[str, Array]]], name: str
) -> None:
    """One array of another run of the file. Raises ProjectError."""
    _, number, part, key = entry.filename.split("/")
    if part not in PARTS or (part == CURVES and (key[:-4] not in TYPES or entry.file_size > MAX_BYTES)):
        return
    array = read_member(archive, entry, LIMITS, name=name, error=ProjectError)
    _check_numbers(array, entry.filename, name)
    if part != CURVES:
        array = to_float32({key: array}, name)[0][key]
    lines.setdefault(number, {}).setdefault(part, {})[key[:-4]] = array


def _plain(project: Project) -> dict[str, Any]:
    """What project.json says: the project, and the other ways its run went."""
    plain = to_plain(project)
    lines = lines_to_plain(project.run) if project.run is not None else None
    return plain if lines is None else {**plain, "run": {**plain["run"], "lines": lines}}


def _check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
    """A member nobody asks for must at least be the one the table of contents names."""
    try:
        archive.open(info).close()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as problem:
        raise ProjectError(
            N_("{file}: “{member}” is damaged or incomplete; use a backup or download it again."),
            file=name,
            member=info.filename[:80],
        ) from problem


def _check_numbers(array: Array, member: str, name: str) -> None:
    if array.dtype.kind not in "biuf":
        raise ProjectError(
            N_("{file}: “{member}” holds text; expected numbers."), file=name, member=member[:80]
        )


def parse_json(text: bytes, name: str) -> Any:
    """JSON without duplicate keys, NaN, deep nesting or huge integers. Raises ProjectError with the line."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) != len(items):
            double = next(k for i, (k, _) in enumerate(items) if k in dict(items[:i]))
            raise ProjectError(
                N_("{file}: the key “{key}” stands twice; the file was edited wrongly."),
                file=name,
                key=double[:80],
            )
        return out

    def constant(found: str) -> Any:
        raise ProjectError(N_("{file}: {found} is no number that can be used."), file=name, found=found)

    def whole(found: str) -> int:
        if len(found) > 20:
            raise ProjectError(
                N_("{file}: a number with {digits} digits is refused."), file=name, digits=len(found)
            )
        return int(found)

    def real(found: str) -> float:
        value = float(found)
        if value in (float("inf"), float("-inf")):
            constant(found[:20])
        return value

    depth = 0
    for byte in _STRINGS.sub(b"", text).translate(None, _NO_BRACKETS):
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ProjectError(N_("{file}: project.json is nested too deeply."), file=name)
        elif byte in b"]}":
            depth -= 1
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=pairs,
            parse_constant=constant,
            parse_int=whole,
            parse_float=real,
        )
    except json.JSONDecodeError as problem:
        raise ProjectError(
            N_("{file}: project.json cannot be read from line {line}, column {column} on; choose a backup."),
            file=name,
            line=problem.lineno,
            column=problem.colno,
        ) from problem
    except UnicodeDecodeError as problem:
        raise ProjectError(N_("{file}: project.json is not UTF-8 text."), file=name) from problem


def npy_bytes(array: Array, kind: str = "<f4") -> bytes:
    """An array as a .npy file: float32 little-endian unless another `kind` is asked for, C order."""
    out = BytesIO()
    np.lib.format.write_array(out, np.ascontiguousarray(array, kind), allow_pickle=False)
    return out.getvalue()


def _arrays(project: Project) -> dict[str, Mapping[str, Array]]:
    """What is kept beside project.json, by folder."""
    run = project.run
    if run is None:
        return {}
    return {"state": run.state, "start": run.start or {}, CURVES: curve_arrays(run), **line_arrays(run)}


def _add(archive: zipfile.ZipFile, name: str, content: bytes, how: int) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = how
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _verify(path: Path, project: Project, text: bytes, name: str) -> None:
    """Read back what was written and compare everything."""
    with path.open("rb") as file:
        again = _read(file, name)
    wanted, found = _arrays(project), _arrays(again)
    same = set(wanted) == set(found) and all(
        set(wanted[f]) == set(found[f])
        and all(
            np.array_equal(found[f][k], np.asarray(v, found[f][k].dtype), equal_nan=True)
            for k, v in wanted[f].items()
        )
        for f in wanted
    )
    if not same or _plain(again) != json.loads(text):
        raise ProjectError(
            N_("{file} could not be verified after writing; the old file is unchanged."), file=name
        )
