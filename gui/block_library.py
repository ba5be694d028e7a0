"""The person's own blocks: one small readable file each, in a folder of their own, to keep and to send."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from engine.errors import N_, MatrizenError, ProjectError
from engine.layers import LAYERS
from engine.project_file import parse_json
from gui.canvas.blocks import LONGEST_NAME, BlockSpec, made_of
from gui.canvas.clipboard import LIMIT, WRONG, Fragment, piece_from, plain_of

FORMAT, SCHEMA = "matrizen/block", 1
ENDING = ".matrizenblock"
MOST_FILES, MOST_LAYERS = 200, 1000


@dataclass(frozen=True)
class Kept:
    """A file of the library: its block, or why it cannot be used."""

    path: Path
    name: str
    piece: Fragment | None = None
    refusal: ProjectError | None = None


def folder() -> Path:
    """Where the blocks lie; it need not exist."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(place or Path.home()) / "Matrizen" / "blocks"


def listed() -> list[Kept]:
    """All blocks kept, by name; files that cannot be used say why."""
    try:
        paths = [p for p in folder().iterdir() if p.suffix == ENDING and p.is_file()]
    except OSError:
        return []
    return sorted((look(path) for path in sorted(paths)[:MOST_FILES]), key=lambda k: k.name.casefold())


def look(path: Path) -> Kept:
    """What a file holds. Never raises."""
    try:
        name, piece = read_file(path)
    except ProjectError as refusal:
        return Kept(path, path.stem, refusal=refusal)
    return Kept(path, name, piece)


def text_of(name: str, piece: Fragment) -> str:
    """A block as the text of a file, readable for people."""
    plain = plain_of(piece, FORMAT)
    head = {"format": plain.pop("format"), "schema": SCHEMA, "name": name}
    lines = [f"{_line(key)}: {_line(value)}" for key, value in head.items()]
    for key, items in plain.items():  # a layer, link or block a line
        inner = ",\n".join(f"  {_line(item)}" for item in items)
        lines.append(f"{_line(key)}: [\n{inner}\n ]" if items else f"{_line(key)}: []")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_file(path: Path) -> tuple[str, Fragment]:
    """Name and content of a block's file. Raises ProjectError."""
    try:
        with open(path, "rb") as file:
            raw = file.read(LIMIT + 1)
    except OSError as fault:
        raise ProjectError(
            N_("{file} cannot be read: {reason}."), file=path.name, reason=fault.strerror or str(fault)
        ) from None
    if len(raw) > LIMIT:
        raise ProjectError(
            N_("{file} is larger than a block can be: expected at most {most} bytes."),
            file=path.name, most=LIMIT,
        )  # fmt: skip
    return read_text(raw, path.name)


def read_text(text: bytes, file: str) -> tuple[str, Fragment]:
    """Name and content of a block from the text of a file. Raises ProjectError that names the file."""
    wrong = ProjectError(N_("{file} is not a block of Matrizen, or it is damaged."), file=file)
    try:
        plain = parse_json(text, file)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise wrong
        schema = plain.get("schema")
        if not isinstance(schema, int) or schema < 1:
            raise wrong
        if schema > SCHEMA:
            raise ProjectError(
                N_("{file} was written by a newer version (schema {found}, known up to {known})."),
                file=file, found=schema, known=SCHEMA,
            )  # fmt: skip
        nodes = plain["nodes"]
        if not isinstance(nodes, list) or not 1 <= len(nodes) <= MOST_LAYERS:
            raise ProjectError(
                N_("{file}: expected 1 to {most} layers, found {found}."),
                file=file, most=MOST_LAYERS, found=len(nodes),
            )  # fmt: skip
        for node in nodes:
            if node["kind"] not in LAYERS:
                raise ProjectError(
                    N_("{file} has a layer of the kind “{kind}”, which is not known here."),
                    file=file, kind=str(node["kind"])[:40],
                )  # fmt: skip
        name = "".join(c for c in str(plain["name"]) if c.isprintable()).strip()[:LONGEST_NAME]
        piece = piece_from(plain)
    except ProjectError as fault:
        raise (wrong if "project.json" in fault.message.template else fault) from None
    except MatrizenError as fault:
        raise ProjectError(N_("{file} cannot be used: {reason}"), file=file, reason=fault.message) from None
    except WRONG:
        raise wrong from None
    return name or file, _as_one(name or file, piece)


def _as_one(name: str, piece: Fragment) -> Fragment:
    """The piece as one block with that name, folded."""
    layers = {n.uid for n in piece.nodes}
    blocks = made_of(piece.blocks, layers)
    outer = [s.uid for s in blocks if s.uid not in blocks.parents]
    outer += [u for u in layers if u not in blocks.parents]
    if len(outer) == 1 and outer[0] in blocks:
        specs = [replace(s, name=name, folded=True) if s.uid == outer[0] else s for s in blocks]
    else:
        specs = [*blocks, BlockSpec(blocks.fresh_uid(), name, tuple(outer))]
    specs.sort(key=lambda s: s.name != name)
    return replace(piece, blocks=tuple(specs))


def keep(name: str, piece: Fragment) -> Path:
    """Write a block into the library; one of that name is replaced. Raises ProjectError."""
    known = next((k.path for k in listed() if k.piece is not None and k.name == name), None)
    return write(known or _free_path(name), text_of(name, piece))


def take_in(path: Path) -> Kept:
    """Copy a block's file from elsewhere into the library. Raises ProjectError."""
    name, piece = read_file(path)
    taken = {k.name for k in listed()}
    own = next((f"{name} {n}" for n in range(2, 1000) if f"{name} {n}" not in taken), name)
    name = own if name in taken else name
    done = write(_free_path(name), text_of(name, _as_one(name, piece)))
    return Kept(done, name, piece)


def rename(kept: Kept, name: str) -> Path:
    """Give a kept block another name; its file is called so, too. Raises ProjectError."""
    name = name.strip()[:LONGEST_NAME]
    if kept.piece is None or not name or not name.isprintable():
        text = N_("“{name}” cannot name a block: use 1 to {most} characters.")
        raise ProjectError(text, name=name, most=LONGEST_NAME)
    if any(k.name.casefold() == name.casefold() and k.path != kept.path for k in listed()):
        raise ProjectError(N_("Two blocks cannot both be named “{name}”."), name=name)
    done = write(_free_path(name), text_of(name, _as_one(name, kept.piece)))
    remove(kept)
    return done


def remove(kept: Kept) -> None:
    """Delete a file of the library. Raises ProjectError."""
    try:
        kept.path.unlink(missing_ok=True)
    except OSError as fault:
        raise ProjectError(
            N_("{file} cannot be deleted: {reason}."),
            file=kept.path.name, reason=fault.strerror or str(fault),
        ) from None  # fmt: skip


def write(path: Path, text: str) -> Path:
    """Write a file whole or not at all. Raises ProjectError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as fault:
        draft.unlink(missing_ok=True)
        raise ProjectError(
            N_("{file} cannot be written: {reason}."), file=str(path), reason=fault.strerror or str(fault)
        ) from None
    return path


def _free_path(name: str) -> Path:
    stem = re.sub(r"[^\w\- ]", "_", name).strip(" .")[:60] or "block"
    root = folder()
    tries = (root / f"{stem}{f' {n}' if n > 1 else ''}{ENDING}" for n in range(1, 10_000))
    return next(path for path in tries if not path.exists())
