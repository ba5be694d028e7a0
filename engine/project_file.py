"""Reading and writing `.matrizen` files: a zip of project.json and one .npy per state array.

Nothing in a file is trusted: sizes are checked before anything is decompressed, no pickle is opened, and
every refusal is a ProjectError that names the file and the part.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.data.files import open_file
from engine.data.safe_npz import Limits, open_zip, read_member, to_float32
from engine.errors import N_, Message, ProjectError
from engine.project import Project, from_plain, to_plain
from engine.saving import BACKUP_SUFFIX, save_atomically

SUFFIX = ".matrizen"
LIMITS = Limits(total=8 << 30, members=100_000)
MAX_JSON = 32 << 20
MAX_DEPTH = 64
_EPOCH = (2020, 1, 1, 0, 0, 0)  # equal projects are equal bytes

Array = np.ndarray[Any, Any]


def save_project(path: Path | str, project: Project) -> Path:
    """Write a project atomically; the old file stays beside it as `.bak`. Raises ProjectError."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            _add(archive, "project.json", json.dumps(to_plain(project), indent=1, allow_nan=False).encode())
            for key, array in sorted((project.run.state if project.run else {}).items()):
                _add(archive, f"state/{key}.npy", npy_bytes(array))

    return save_atomically(path, write, lambda p: _verify(p, project), backup=True)


def load_project(path: Path | str) -> Project:
    """Read a project. Raises ProjectError; the message offers the backup where there is one."""
    path = Path(path)
    if path.is_dir():
        raise ProjectError(N_("{file} is a folder; choose a .matrizen file."), file=path.name)
    try:
        with open_file(path, ProjectError) as file:
            return _read(file, path.name)
    except ProjectError as problem:
        backup = Path(str(path) + BACKUP_SUFFIX)
        if backup.exists():
            raise ProjectError(
                N_("{problem} The last save before it is kept as {backup}."),
                problem=str(problem),
                backup=backup.name,
            ) from problem
        raise


def _read(file: IO[bytes], name: str) -> Project:
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
        state: dict[str, Array] = {}
        for member, entry in members.items():
            if member.startswith("state/") and member.endswith(".npy"):
                state[member[6:-4]] = read_member(archive, entry, LIMITS, name=name, error=ProjectError)
    arrays, notes = to_float32(state, name)
    return _with_notes(from_plain(plain, arrays, name), notes, name)


def _with_notes(project: Project, notes: tuple[Message, ...], name: str) -> Project:
    found = list(notes)
    if project.run is not None:
        bad = sorted(k for k, a in project.run.state.items() if not np.isfinite(a).all())
        if bad:
            found.append(
                Message(
                    N_("{file}: {keys} hold numbers that are not finite."),
                    {"file": name, "keys": ", ".join(bad)[:200]},
                )
            )
    return replace(project, messages=(*project.messages, *found))


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

    depth = deepest = 0
    inside = escaped = False
    for byte in text:
        if inside:
            escaped, inside = (not escaped and byte == 0x5C), not (byte == 0x22 and not escaped)
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
        if deepest > MAX_DEPTH:
            raise ProjectError(N_("{file}: project.json is nested too deeply."), file=name)
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
            N_("{file}: project.json, line {line}: {reason}."),
            file=name,
            line=problem.lineno,
            reason=problem.msg,
        ) from problem
    except UnicodeDecodeError as problem:
        raise ProjectError(N_("{file}: project.json is not UTF-8 text."), file=name) from problem


def npy_bytes(array: Array) -> bytes:
    """An array as a .npy file: float32 little-endian, C order."""
    out = BytesIO()
    np.lib.format.write_array(out, np.ascontiguousarray(array, "<f4"), allow_pickle=False)
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _verify(path: Path, project: Project) -> None:
    """Read back what was written and compare the weights."""
    with path.open("rb") as file:
        again = _read(file, path.name)
    expected: Mapping[str, Array] = project.run.state if project.run else {}
    found: Mapping[str, Array] = again.run.state if again.run else {}
    same = set(expected) == set(found) and all(
        np.array_equal(found[k], np.asarray(v, np.float32), equal_nan=True) for k, v in expected.items()
    )
    if not same or to_plain(again) != json.loads(json.dumps(to_plain(project))):
        raise ProjectError(
            N_("{file} could not be verified after writing; the old file is unchanged."), file=path.name
        )
