"""BAD_INPUTS 34, 47-50, 54, 58 and 59: folders of class folders."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.data.cancel import LoadCanceled
from engine.data.dataset import Dataset
from engine.data.drop import recognize
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import DataError
from tests.engine.data.picture_bytes import Array, class_folder, png, random_picture


def told(data: Dataset) -> str:
    return " ".join(str(note) for note in data.notes)


def many(first_seed: int, count: int, channels: int = 1, height: int = 6, width: int = 5) -> list[Array]:
    return [random_picture(first_seed + k, height, width, channels) for k in range(count)]


def loaded(root: Path, **settings: object) -> Dataset:
    return load(replace(SourceSpec.folder(str(root)), **settings))  # type: ignore[arg-type]


def rows(x: Array) -> set[bytes]:
    return {np.ascontiguousarray(each).tobytes() for each in x}


def test_folder_of_class_folders(tmp_path: Path) -> None:
    cats, dogs = many(0, 10), many(100, 20)
    root = class_folder(tmp_path / "pets", {"dog": dogs, "Cat": cats})
    data = loaded(root)
    assert data.class_names == ("Cat", "dog") and data.shape == (1, 6, 5) and data.kind == "pictures"
    assert (data.n_train, data.n_test) == (24, 6) and data.notes == () and data.skipped == ()
    assert np.bincount(data.y_test).tolist() == [2, 4]
    expected = {array.transpose(2, 0, 1).tobytes(): label for label, group in enumerate((cats, dogs))
                for array in group}  # fmt: skip
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        for picture, label in zip(x, y, strict=True):
            assert expected.pop(picture.tobytes()) == label
    assert not expected
    np.testing.assert_allclose(data.train_inputs(), data.x_train / 255, atol=1e-6)


def test_the_split_depends_on_content_and_seed_only(tmp_path: Path) -> None:
    one = class_folder(tmp_path / "one", {"a": many(0, 30), "b": many(50, 30)})
    other = class_folder(tmp_path / "two", {"a": many(0, 30)[::-1], "b": many(50, 30)[::-1]})
    first, second = loaded(one), loaded(other)
    np.testing.assert_array_equal(first.x_test, second.x_test)
    assert first.sha256 == second.sha256 and first.source_sha256 == second.source_sha256
    third = loaded(one, seed=1)
    assert rows(third.x_test) != rows(first.x_test) and third.source_sha256 == first.source_sha256
    assert loaded(one, size=(3, 3)).source_sha256 == first.source_sha256


def test_case_01_missing_and_02_file_for_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        loaded(tmp_path / "gone")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(DataError, match="is a file; expected a folder"):
        loaded(tmp_path / "file")


def test_chosen_class_that_is_gone(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 3), "b": many(9, 3)})
    with pytest.raises(DataError, match="f has no class folder “c”; found a, b"):
        loaded(root, classes=("a", "c"))


def test_case_34_umlauts_and_emoji_name_the_classes(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "Fotos 📷", {"Äpfel": many(0, 3), "🍐 Birnen": many(9, 3)})
    assert loaded(root).class_names == ("Äpfel", "🍐 Birnen")


@pytest.mark.parametrize("policy", ["fit", "fill", "stretch"])
def test_case_47_mixed_sizes_are_brought_to_one_and_told(tmp_path: Path, policy: str) -> None:
    root = class_folder(tmp_path / "mix", {"a": [*many(0, 4), *many(9, 4, 1, 90, 40)], "b": many(20, 5)})
    data = loaded(root, size=(8, 8), resize=policy)
    assert data.shape == (1, 8, 8)
    assert "mix: 5 × 6 … 40 × 90 were brought to 8 × 8" in told(data) and f"({policy})" in told(data)


def test_case_48_grey_and_color_mixed(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "mix", {"a": many(0, 4), "b": many(20, 5, channels=3)})
    data = loaded(root)
    assert data.shape == (3, 6, 5) and "4 grey pictures among 9 were repeated in red, green" in told(data)
    assert loaded(root, channels=1).shape == (1, 6, 5)


def test_case_48_grey_saved_as_color_is_grey(tmp_path: Path) -> None:
    grey = [np.repeat(array, 3, axis=2) for array in many(0, 6)]
    assert loaded(class_folder(tmp_path / "g", {"a": grey[:3], "b": grey[3:]})).shape == (1, 6, 5)


def test_case_49_class_without_or_with_one_picture(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 10), "b": [], "c": many(40, 1), "d": many(50, 10)})
    data = loaded(root)
    assert data.class_names == ("a", "c", "d")
    assert "no readable picture in b; these classes were left out" in told(data)
    assert "only one picture in c; it is used for training" in told(data)
    assert 1 in data.y_train and 1 not in data.y_test


def test_case_50_one_class_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"only one class folder \(a\)"):
        loaded(class_folder(tmp_path / "f", {"a": many(0, 3)}))
    with pytest.raises(DataError, match="only the class “a” has readable pictures"):
        loaded(class_folder(tmp_path / "g", {"a": many(0, 3), "b": []}))


def test_case_50_no_class_folders(tmp_path: Path) -> None:
    for number, array in enumerate(many(0, 3)):
        (tmp_path / f"{number}.png").write_bytes(png(array))
    with pytest.raises(DataError, match=r"no class folders \(3 pictures lie loose"):
        loaded(tmp_path)
    dropped = recognize([tmp_path])
    assert dropped.kind == "picture" and len(dropped.paths) == 3


def test_case_54_copies_never_lie_in_both_parts(tmp_path: Path) -> None:
    base = many(0, 20)
    root = class_folder(tmp_path / "f", {"a": base[:10] * 3, "b": base[10:] * 2})
    data = loaded(root)
    assert not rows(data.x_train) & rows(data.x_test)
    assert (data.n_train, data.n_test) == (40, 10) and "30 pictures are copies of others" in told(data)


def test_case_54_copies_in_a_test_folder_of_its_own(tmp_path: Path) -> None:
    base = many(0, 20)
    class_folder(tmp_path / "f" / "train", {"a": base[:8], "b": base[10:18]})
    class_folder(tmp_path / "f" / "test", {"a": [*base[8:10], base[0]], "b": base[18:]})
    data = loaded(tmp_path / "f")
    assert (data.n_train, data.n_test) == (16, 4) and not rows(data.x_train) & rows(data.x_test)
    assert "1 of 5 test pictures are also in the training folder" in told(data)


def test_case_54_same_picture_in_two_classes_is_told(tmp_path: Path) -> None:
    base = many(0, 10)
    data = loaded(class_folder(tmp_path / "f", {"a": base[:6], "b": base[5:]}))
    assert "1 pictures also lie in another class" in told(data)
    assert not rows(data.x_train) & rows(data.x_test)


def test_unreadable_pictures_are_listed_not_fatal(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 10), "b": many(50, 10)})
    (root / "a" / "broken.png").write_bytes(png(random_picture(1))[:60])
    (root / "b" / "empty.jpg").write_bytes(b"")
    (root / "b" / "notes.txt").write_text("hello there")
    data = loaded(root)
    assert data.n_train + data.n_test == 20 and len(data.skipped) == 3
    assert "3 of 23 files were left out; the first: a/broken.png" in told(data)
    reasons = " ".join(str(each) for each in data.skipped)
    assert "damaged" in reasons and "empty (0 bytes)" in reasons and "no picture" in reasons


def test_nothing_readable_at_all(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": [], "b": []})
    (root / "a" / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match="none of the 1 files is a readable picture"):
        loaded(root)


def test_hidden_files_are_no_part_of_it(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 5), "b": many(50, 5), ".git": many(90, 3)})
    for name in (".DS_Store", "a/.hidden.png", "a/Thumbs.db", "b/desktop.ini"):
        (root / name).write_bytes(b"rubbish")
    data = loaded(root)
    assert data.class_names == ("a", "b") and data.skipped == () and data.n_train + data.n_test == 10


def test_folders_around_the_classes_are_opened(tmp_path: Path) -> None:
    class_folder(tmp_path / "unpacked" / "dataset", {"a": many(0, 5), "b": many(50, 5)})
    assert loaded(tmp_path / "unpacked").class_names == ("a", "b")


def test_pinned_spec_keeps_inputs_as_they_were(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 5), "b": many(50, 5)})
    pinned = loaded(root).pinned()
    assert pinned is not None and (pinned.size, pinned.channels) == ((6, 5), 1) and pinned.sha256
    (root / "a" / "large.png").write_bytes(png(random_picture(99, 80, 80)))
    data = load(pinned)
    assert data.shape == (1, 6, 5) and "has changed since" in told(data)
    assert loaded(root).shape == (3, 6, 6)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_in_a_folder_do_not_block(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 5), "b": many(50, 5)})
    os.mkfifo(root / "a" / "pipe.png")
    os.mkfifo(root / "loose.png")
    assert "no ordinary file" in str(loaded(root).skipped[0])


def test_case_58_progress_and_cancel(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 30), "b": many(50, 30)})
    seen: list[tuple[int, int]] = []
    load(SourceSpec.folder(str(root)), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 60) and seen[-1] == (60, 60) and len(seen) >= 60
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    seen.clear()
    with pytest.raises(LoadCanceled, match="the data in use stays"):
        load(
            SourceSpec.folder(str(root)), progress=lambda done, total: seen.append((done, total)), cancel=stop
        )
    assert len(seen) < 12


def test_case_58_too_large_for_memory_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 5), "b": many(50, 5)})
    monkeypatch.setattr("engine.data.folder.MAX_BYTES", 1000)
    with pytest.raises(DataError, match="Choose a smaller size"):
        loaded(root, size=(32, 32))


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_case_59_symlink_loops_end(tmp_path: Path) -> None:
    root = class_folder(tmp_path / "f", {"a": many(0, 5), "b": many(50, 5)})
    (root / "a" / "up").symlink_to(root, target_is_directory=True)
    (root / "a" / "self").symlink_to(root / "a", target_is_directory=True)
    (root / "b" / "round").symlink_to("round")
    data = loaded(root)
    assert data.class_names == ("a", "b") and data.n_train + data.n_test == 10
    assert any("round" in str(each) for each in data.skipped)
