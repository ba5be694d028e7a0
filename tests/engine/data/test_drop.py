"""What dropped files are, decided by content."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.data.drop import recognize
from engine.data.loading import load
from engine.data.source import SourceSpec
from tests.bad_input.test_data_idx import mnist
from tests.engine.data.picture_bytes import class_folder, png, random_picture


def zipped(path: Path, *members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, b"{}")
    return path


def test_project_by_content_whatever_its_name(tmp_path: Path) -> None:
    for name in ("a.matrizen", "renamed.zip"):
        found = recognize([zipped(tmp_path / name, "project.json", "weights.npz")])
        assert found.kind == "project" and found.paths == (str(tmp_path / name),)


def test_arrays_and_weights(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.arange(8.0).reshape(4, 2), y=[0, 1, 0, 1])
    data = recognize([str(tmp_path / "d.npz")])
    assert data.kind == "data" and data.spec == SourceSpec.npz(str(tmp_path / "d.npz"))
    assert load(data.spec).n_train + load(data.spec).n_test == 4
    np.savez(tmp_path / "w.npz", **{"fc1.weight": np.ones((2, 2)), "__meta__": np.array("{}")})
    assert recognize([tmp_path / "w.npz"]).kind == "weights"


def test_class_folders(tmp_path: Path) -> None:
    class_folder(tmp_path / "f", {"a": [random_picture(0)], "b": [random_picture(1)]})
    found = recognize([tmp_path / "f"])
    assert found.kind == "data" and found.spec is not None and found.spec.kind == "folder"
    assert str(found.message) == "f: a folder with 2 class folders"


def test_idx_file_folder_and_all_four(tmp_path: Path) -> None:
    mnist(tmp_path)
    files = sorted(tmp_path.iterdir())
    for dropped in ([files[0]], [files[3]], [tmp_path], files):
        found = recognize(dropped)
        assert found.kind == "data" and found.spec is not None and found.spec.kind == "idx"
        assert load(found.spec).n_test == 10


def test_pictures_and_company(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.png" for k in range(3)]
    for k, path in enumerate(paths):
        path.write_bytes(png(random_picture(k)))
    assert recognize([paths[0]]).kind == "picture"
    assert recognize(paths).paths == tuple(str(path) for path in paths)
    (tmp_path / "notes.txt").write_text("hello there, this is text")
    mixed = recognize([*paths, tmp_path / "notes.txt"])
    assert mixed.kind == "picture" and len(mixed.paths) == 3 and "1 other files" in str(mixed.message)
    project = zipped(tmp_path / "a.matrizen", "project.json")
    assert "different kinds" in str(recognize([paths[0], project]).message)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b"hello there, this is text", "nothing Matrizen knows"),
        (b"", "is empty"),
        (b"\x93NUMPY\x01\0v\0{}", "np.savez"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"\x1f\x8b\x08 broken gzip", "nothing Matrizen knows"),
    ],
)
def test_refusals_carry_the_reason(tmp_path: Path, body: bytes, match: str) -> None:
    path = tmp_path / "thing.png"
    path.write_bytes(body)
    found = recognize([path])
    assert found.kind == "refused" and match in str(found.message) and "thing.png" in str(found.message)


def test_nothing_empty_folder_missing_and_foreign_zip(tmp_path: Path) -> None:
    assert recognize([]).kind == "refused"
    assert "holds no class folders" in str(recognize([tmp_path]).message)
    assert "is not there" in str(recognize([tmp_path / "gone"]).message)
    assert "unpack it" in str(recognize([zipped(tmp_path / "a.zip", "a.txt")]).message)


def test_several_folders_are_classes(tmp_path: Path) -> None:
    names = ("ant", "bee", "cat")
    root = class_folder(
        tmp_path / "f", {name: [random_picture(9 * k + j) for j in range(5)] for k, name in enumerate(names)}
    )
    found = recognize([root / "cat", root / "ant"])
    assert found.kind == "data" and found.spec is not None and found.spec.classes == ("ant", "cat")
    data = load(SourceSpec.from_json(found.spec.to_json()))
    assert data.class_names == ("ant", "cat") and data.n_train + data.n_test == 10
    class_folder(tmp_path / "g", {"dog": [random_picture(0)]})
    elsewhere = recognize([root / "cat", tmp_path / "g" / "dog"])
    assert elsewhere.kind == "refused" and "into one folder" in str(elsewhere.message)
