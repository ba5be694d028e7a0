"""Every refusal and every note about a project file is German where the window is: nothing of it is glued."""

from __future__ import annotations

import re
import string
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.errors import MatrizenError, Message
from engine.export.npz import import_npz
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.training import Trainer
from gui import i18n
from tests.engine import project_help as h
from tools import translations

Damage = Callable[[Path], Any]


@pytest.fixture
def german() -> Iterator[None]:
    i18n.install("de")
    yield
    i18n.install("en")


@pytest.fixture(scope="module")
def phrases(root: Path) -> list[str]:
    """Pieces of English sentences, between their fields, that no German sentence holds."""
    po = translations.folder(root) / "de" / "LC_MESSAGES" / "matrizen.po"
    english: set[str] = set()
    german = ""
    for message in translations._read(po, "de"):
        texts, said = (t if isinstance(t, tuple | list) else [t] for t in (message.id, message.string))
        german += "\n".join(said)
        for text in filter(None, texts):
            pieces = (piece for piece, *_ in string.Formatter().parse(text))
            english |= {p.strip(" .,:;()“”") for p in pieces}
    return [p for p in english if len(re.findall(r"[A-Za-z]{2,}", p)) >= 2 and p not in german]


def broken_json(text: bytes) -> Damage:
    return lambda path: h.with_text(path, text)


def member(name: str, content: bytes | None) -> Damage:
    def change(path: Path) -> None:
        parts = {**h.members(path), name: content}
        h.write_zip(path, {k: v for k, v in parts.items() if v is not None})

    return change


def replaced(old: bytes, new: bytes) -> Damage:
    return lambda path: h.with_text(path, h.members(path)["project.json"].replace(old, new, 1))


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.with_name(path.name + ".bak").write_bytes(content)
    path.write_bytes(content[: len(content) // 2])


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def flipped(name: str) -> Damage:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
        data[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 4
        path.write_bytes(data)

    return change


def packed(path: Path) -> None:
    h.write_zip(path, h.members(path), zipfile.ZIP_BZIP2)


def bomb(path: Path) -> None:
    big = h.npy(np.zeros(60 << 18, np.float32))
    h.write_zip(path, {**h.members(path), **{f"state/b{i}.npy": big for i in range(3)}}, zipfile.ZIP_DEFLATED)


def encrypted(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + offset] |= 1
    path.write_bytes(data)


WEIGHT = "state/fc1.weight.npy"
REFUSED: dict[str, Damage] = {
    **{f"field {i}": lambda path, c=c: h.with_json(path, c) for i, c in enumerate(h.WRONG_FIELDS)},
    **{f"json {t[:12]!r}": broken_json(t)
       for t in (b"", b"{", b'{"a" 1}', b'{"a": }', b"[1,]", b'{"a": "\x01"}', b'{"a": "\\q"}', b"{} x",
                 b"nul", b'"\\u12"', b"{'a': 1}", b"\xff\xfe", b"[" * 100, b'{"a": 1, "a": 2}', b"[NaN]",
                 b"[1e999]", b"9" * 50)},
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": folder,
    "no zip": lambda path: path.write_bytes(b"hello world" * 50),
    "cut, with a backup": cut,
    "flipped weight": flipped(WEIGHT),
    "flipped json": flipped("project.json"),
    "packed otherwise": packed,
    "bomb": bomb,
    "encrypted": encrypted,
    "outside": member("../x", b"x"),
    "no project": member("project.json", None),
    "newer": replaced(b'"version": 1', b'"version": 7'),
    "large json": member("project.json", b" " * (17 << 20)),
    "pickle": member(WEIGHT, h.npy(np.array([{}], object), pickle=True)),
    "complex": member(WEIGHT, h.npy(np.zeros(2, np.complex64))),
    "text": member(WEIGHT, h.npy(np.array(["a"]))),
    "no array": member(WEIGHT, b"nothing"),
    "short array": member(WEIGHT, h.npy(np.zeros((3, 2), "<f4"))[:-3]),
}  # fmt: skip
NOTED: dict[str, Damage] = {
    "unknown layer": replaced(b'"kind": "dense"', b'"kind": "attention"'),
    "unknown setting": lambda path: h.with_json(path, lambda p: p["training"].update(warmth=3)),
    "unknown layer setting": replaced(b'"units": 3', b'"units": 3, "warmth": 3'),
    "other shapes": member(WEIGHT, h.npy(np.zeros((4, 2), "<f4"))),
    "missing weight": member(WEIGHT, None),
    "one too many": member("state/old.weight.npy", h.npy(np.zeros(2, "<f4"))),
    "not finite": member(WEIGHT, h.npy(np.full((3, 2), np.nan, "<f4"))),
    "other numbers": member(WEIGHT, h.npy(np.zeros((3, 2), "<f8"))),
    "curve": member("curves/points.npy", None),
    "newer curve": lambda path: h.with_json(path, lambda p: p["run"]["curves"].update(version=9)),
}


def speaks_german(message: Message | MatrizenError, phrases: list[str]) -> None:
    shown, english = i18n.tr_message(message), str(message)
    assert shown != english
    assert [p for p in phrases if p in shown] == [], shown


@pytest.mark.parametrize("damage", list(REFUSED.values()), ids=list(REFUSED))
def test_refusals(tmp_path: Path, german: None, phrases: list[str], damage: Damage) -> None:
    path = h.good_file(tmp_path)
    damage(path)
    with pytest.raises(MatrizenError) as caught:
        load_project(path)
    speaks_german(caught.value, phrases)


@pytest.mark.parametrize("damage", list(NOTED.values()), ids=list(NOTED))
def test_notes(tmp_path: Path, german: None, phrases: list[str], damage: Damage) -> None:
    path = h.good_file(tmp_path)
    damage(path)
    messages = load_project(path).messages
    assert messages
    for message in messages:
        speaks_german(message, phrases)


def test_what_is_left_out_of_a_damaged_file(tmp_path: Path, german: None, phrases: list[str]) -> None:
    path = h.good_file(tmp_path)
    flipped(WEIGHT)(path)
    for message in load_project(path, intact_only=True).messages:
        speaks_german(message, phrases)


def test_weights_that_do_not_fit(tmp_path: Path, german: None, phrases: list[str]) -> None:
    path = h.good_file(tmp_path)
    member(WEIGHT, h.npy(np.zeros((4, 2), "<f4")))(path)
    project = load_project(path)
    assert project.source is not None and project.run is not None
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    np.savez(tmp_path / "w.npz", **{"fc1.weight": np.zeros((4, 2))})
    run, weights = project.run, tmp_path / "w.npz"
    for take in (lambda: trainer.load_checkpoint(run), lambda: import_npz(weights, h.dense())):
        with pytest.raises(MatrizenError) as caught:
            take()
        speaks_german(caught.value, phrases)
        assert "(3, 2) erwartet, (4, 2) gefunden" in i18n.tr_message(caught.value)


@pytest.mark.parametrize("name", ["con.matrizen", "there/is/no.matrizen", ".", "x" * 300])
def test_saves_that_are_refused(tmp_path: Path, german: None, phrases: list[str], name: str) -> None:
    project, _ = h.trained(1)
    with pytest.raises(MatrizenError) as caught:
        save_project(tmp_path / name, project)
    speaks_german(caught.value, phrases)
    with pytest.raises(MatrizenError) as caught:
        strange = Project(project.graph, project.training, view={"x": object()})
        save_project(tmp_path / "x.matrizen", strange)
    speaks_german(caught.value, phrases)


def test_the_check_itself_notices_english(german: None, phrases: list[str]) -> None:
    inner = Message("{file} is empty (0 bytes); choose another file.", {"file": "a"})
    speaks_german(Message("Left out: {problem}", {"problem": inner}), phrases)
    with pytest.raises(AssertionError):
        speaks_german(Message("Left out: {problem}", {"problem": str(inner)}), phrases)
