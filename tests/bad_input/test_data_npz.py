"""BAD_INPUTS 4, 7-14, 25, 26 and 51-54 for `.npz` files; NumPy's own writer is the reference."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.safe_npz import Limits, read_npz, to_float32
from engine.data.source import SourceSpec
from engine.errors import DataError, ProjectError

Arrays = dict[str, Any]


def saved(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    raw = header.encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes([version, 0]) + size + raw + body


def plain(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def loaded(path: Path) -> Dataset:
    return load(SourceSpec.npz(str(path)))


def told(data: Dataset) -> str:
    return " ".join(str(note) for note in data.notes)


def test_reads_what_numpy_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays: Arrays = {
        "f": rng.normal(size=(3, 4)), "i": np.arange(5), "scalar": np.float32(2), "empty": np.zeros((0, 3)),
        "fortran": np.asfortranarray(rng.normal(size=(3, 4))), "big": np.arange(6, dtype=">f4").reshape(2, 3),
        "half": np.float16([1, 2]), "flag": np.array([True, False]), "text": np.array(["Größe", "b"]),
        "bytes": np.array([b"ab", b"c"]), "a/b": np.ones(2, np.uint8),
    }  # fmt: skip
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)
        mine = read_npz(tmp_path / "a.npz")
        with np.load(tmp_path / "a.npz", allow_pickle=False) as reference:
            assert set(mine) == set(reference.files)
            for key in reference.files:
                np.testing.assert_array_equal(mine[key], reference[key])
                assert mine[key].dtype == reference[key].dtype.newbyteorder("=")
                assert mine[key].shape == reference[key].shape and mine[key].flags.c_contiguous


def test_case_04_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.npz is empty"):
        loaded(tmp_path / "a.npz")


def test_case_06_truncated_at_every_offset(tmp_path: Path) -> None:
    whole = saved(tmp_path / "a.npz", x=np.arange(12.0).reshape(6, 2), y=np.arange(6) % 2).read_bytes()
    for cut in range(len(whole)):
        with pytest.raises(DataError):
            read_npz(io.BytesIO(whole[:cut]), name="cut.npz")


def test_case_07_flipped_bit_in_an_array_names_the_member(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((50, 2)), y=np.arange(50) % 2)
    raw = bytearray(path.read_bytes())
    at = raw.index(np.ones(4).tobytes())
    raw[at] ^= 0x10
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"“x.npy” is damaged"):
        read_npz(path)


def test_case_08_zip_bomb_refused_without_unpacking(tmp_path: Path) -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (209715200,), }"
    path = zipped(tmp_path / "bomb.npz", {"x.npy": npy(header, bytes(200 << 20))})
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(DataError, match=r"bomb\.npz: “x\.npy” would grow .*zip bomb"):
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20 and time.perf_counter() - began < 1


def test_case_08_total_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(1000), y=np.zeros(1000))
    with pytest.raises(DataError, match="unpacks to more than"):
        read_npz(path, Limits(total=10_000))


def test_case_08_small_zeros_pack_well_and_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "zeros.npz", x=np.zeros((1000, 1000), np.float32))
    assert 400 * path.stat().st_size < 4_000_000  # a ratio that is refused only for large members
    assert read_npz(path)["x"].shape == (1000, 1000)


@pytest.mark.parametrize("shape", ["(400000000, 400000000)", "(400000000,)", "(7,)", "(9,)"])
def test_case_09_header_bomb(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    path = zipped(tmp_path / "a.npz", {"x.npy": npy(header, bytes(32))})
    tracemalloc.start()
    with pytest.raises(DataError, match=r"promises|needs"):
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


def test_case_09_endless_header(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", {"x.npy": npy("{" + " " * 50_000_000, version=2)})
    with pytest.raises(DataError, match=r"header of “x.npy” is"):
        read_npz(path)


@pytest.mark.parametrize("header", ["[" * 5000, "{'descr': __import__('os')}", "", "{'shape': ()}"])
def test_case_09_header_that_is_no_header(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match="expected plain numbers"):
        read_npz(zipped(tmp_path / "a.npz", {"x.npy": npy(header)}))


class Evil:
    ran = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Evil, "ran", True)


def test_case_10_pickles_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, x=np.array([Evil(), 1], dtype=object))
    with pytest.raises(DataError, match=r"evil\.npz: “x\.npy” contains code"):
        read_npz(path)
    assert not Evil.ran


@pytest.mark.parametrize("member", ["../x.npy", "/etc/x.npy", "a/../../x.npy", "C:\\x.npy", "..\\x.npy"])
def test_case_11_names_that_point_outside(tmp_path: Path, member: str) -> None:
    with pytest.raises(DataError, match="points outside the archive"):
        read_npz(zipped(tmp_path / "a.npz", {member: plain(np.ones(2))}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_case_12_duplicate_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", plain(np.ones(2)))
        archive.writestr("x.npy", plain(np.zeros(2)))
    with pytest.raises(DataError, match=r"holds “x.npy” twice"):
        read_npz(tmp_path / "a.npz")


def test_case_13_encrypted(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", {"x.npy": plain(np.ones(2))})
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match="is encrypted; save it without a password"):
        read_npz(path)


@pytest.mark.parametrize(
    "body", [b"hello", b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK", b"PK\x03\x04" + bytes(99)]
)
def test_case_14_no_zip(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(body)
    with pytest.raises(DataError, match=r"not a zip archive|damaged or incomplete"):
        loaded(tmp_path / "a.npz")


def test_case_14_zip_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"“readme.txt”, which is no NumPy array"):
        read_npz(zipped(tmp_path / "a.npz", {"readme.txt": b"hello"}))


def test_error_family_is_chosen_by_the_caller() -> None:
    with pytest.raises(ProjectError, match=r"weights.npz"):
        read_npz(io.BytesIO(b"no"), name="weights.npz", error=ProjectError)


@pytest.mark.parametrize("dtype", ["<f8", "<f2", ">f4", ">f8", "<i4"])
def test_case_25_other_number_types_become_float32(tmp_path: Path, dtype: str) -> None:
    values = np.array([[1, 2], [3, 4.5], [-6, 7], [8, 9]]).astype(dtype)
    data = loaded(saved(tmp_path / "a.npz", x=values, y=[0, 1, 0, 1]))
    assert data.x_train.dtype == np.float32
    found = np.concatenate([data.x_train, data.x_test])
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, values.astype("f4").tolist()))
    converted, notes = to_float32(read_npz(tmp_path / "a.npz"), "a.npz")
    assert converted["x"].dtype == np.float32
    if dtype != ">f4":  # turning bytes around changes no number
        assert "converted to 32-bit floats: x (" in str(notes[0])


@pytest.mark.parametrize("value", [np.ones(3, complex), np.zeros(2, [("a", "f4")]), np.zeros(2, "M8[s]")])
def test_case_26_complex_and_other_types(tmp_path: Path, value: Any) -> None:
    with pytest.raises(DataError, match="expected plain numbers"):
        read_npz(saved(tmp_path / "a.npz", x=value))


def test_case_24_nan_names_the_example(tmp_path: Path) -> None:
    x = np.arange(40.0).reshape(20, 2)
    x[:, 1] = np.nan
    with pytest.raises(DataError, match=r"a\.npz: example \d+ holds NaN"):
        loaded(saved(tmp_path / "a.npz", x=x, y=np.arange(20) % 2))


def test_case_25_too_large_for_32_bits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too large for 32 bits"):
        loaded(saved(tmp_path / "a.npz", x=np.full((20, 2), 1e300), y=np.arange(20) % 2))


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([5, 7, 5, 9, 7, 9], ("5", "7", "9")),
        ([-1, 1, -1, 1, 1, -1], ("-1", "1")),
        ([2.0, 4.0, 2.0, 4.0, 2.0, 4.0], ("2", "4")),
        (["cat", "dog", "cat", "ant", "dog", "ant"], ("ant", "cat", "dog")),
        ([1, 2, 3, 1, 2, 3], ("1", "2", "3")),
    ],
)
def test_case_51_labels_are_numbered_and_told(
    tmp_path: Path, labels: list[Any], names: tuple[str, ...]
) -> None:
    x = np.arange(12.0).reshape(6, 2)
    data = loaded(saved(tmp_path / "a.npz", x=x, y=labels))
    assert data.class_names == names and "were numbered 0 to" in told(data)
    for row, label in zip(
        np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test]), strict=True
    ):
        original = labels[int(row[0] // 2)]
        assert names[label] == (f"{original:g}" if isinstance(original, float) else str(original))


def test_case_51_one_hot_rows(tmp_path: Path) -> None:
    y = np.eye(3)[[0, 2, 1, 0, 2, 1]]
    data = loaded(saved(tmp_path / "a.npz", x_train=np.arange(12.0).reshape(6, 2), y_train=y))
    assert data.n_classes == 3 and data.y_train.dtype == np.int64


def test_case_51_a_column_of_labels(tmp_path: Path) -> None:
    y = np.array([[0], [1], [2], [0], [1], [2]])
    data = loaded(saved(tmp_path / "a.npz", x=np.arange(12.0).reshape(6, 2), y=y))
    assert data.n_classes == 3 and data.y_train.ndim == 1


def test_case_50_one_class_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="every example is “3”; at least two classes"):
        loaded(saved(tmp_path / "a.npz", x=np.ones((4, 2)), y=[3, 3, 3, 3]))


def test_case_52_counts_differ(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.npz holds 4 inputs but 5 labels"):
        loaded(saved(tmp_path / "a.npz", x=np.ones((4, 2)), y=[0, 1, 0, 1, 1]))


def test_case_53_constant_pictures_normalize_without_dividing_by_zero(tmp_path: Path) -> None:
    x = np.full((6, 4, 4), 90, np.uint8)
    path = saved(tmp_path / "a.npz", x_train=x, y_train=[0, 1] * 3, x_test=x[:2], y_test=[0, 1])
    data = load(SourceSpec("npz", path=str(path), normalize=True))
    values = data.train_inputs()
    assert np.isfinite(values).all() and np.abs(values).max() < 1e-6
    assert "never change" in told(data)


def test_case_54_duplicates_between_train_and_test_are_told(tmp_path: Path) -> None:
    x = np.arange(40, dtype=np.uint8).reshape(10, 2, 2)
    path = saved(tmp_path / "a.npz", x_train=x, y_train=[0, 1] * 5, x_test=x[3:6], y_test=[1, 0, 1])
    data = loaded(path)
    assert data.n_test == 3 and "3 of 3 test examples are also in the training part" in told(data)


def test_case_54_the_split_never_parts_copies(tmp_path: Path) -> None:
    x = np.repeat(np.arange(20.0)[:, None], 3, axis=0) * np.ones(2)
    data = loaded(saved(tmp_path / "a.npz", x=x, y=np.arange(60) // 3 % 2))
    assert data.n_test == 12
    assert not set(map(tuple, data.x_train.tolist())) & set(map(tuple, data.x_test.tolist()))


def test_case_28_changed_data_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", x=np.arange(8.0).reshape(4, 2), y=[0, 1, 0, 1])
    spec = SourceSpec("npz", path=str(path), sha256=loaded(path).source_sha256)
    assert "has changed" not in told(load(spec))
    assert "has changed" not in told(load(SourceSpec("npz", path=str(path), sha256=spec.sha256, seed=9)))
    saved(path, x=np.arange(8.0).reshape(4, 2) + 1, y=[0, 1, 0, 1])
    assert "has changed since this project last used it" in told(load(spec))


def test_case_01_and_27_missing_file_says_locate_and_relinks(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", x=np.arange(8.0).reshape(4, 2), y=[0, 1, 0, 1])
    path.rename(tmp_path / "moved.npz")
    with pytest.raises(DataError, match=r"a\.npz is not there.*Locate"):
        loaded(path)
    data = load(SourceSpec.npz("moved.npz"), base=tmp_path)
    assert data.n_train == 4 and data.spec == SourceSpec.npz("moved.npz")


def test_arrays_that_are_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds the arrays b, w; expected x and y"):
        loaded(saved(tmp_path / "a.npz", w=np.ones(3), b=np.ones(2)))
