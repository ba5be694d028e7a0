"""BAD_INPUTS 52 and 55: IDX files, plain and packed."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.data.idx import find_parts, read_idx
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import DataError

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx_bytes(array: Any, code: str = "u1") -> bytes:
    array = np.asarray(array).astype(code)
    return struct.pack(f">HBB{array.ndim}I", 0, CODES[code], array.ndim, *array.shape) + array.tobytes()


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def mnist(folder: Path, suffix: str = ".gz", count: int = 40) -> Path:
    rng = np.random.default_rng(0)
    for part, n in (("train", count), ("t10k", count // 4)):
        images = idx_bytes(rng.integers(0, 256, (n, 5, 4)))
        written(folder, f"{part}-images-idx3-ubyte{suffix}", images)
        written(folder, f"{part}-labels-idx1-ubyte{suffix}", idx_bytes(np.arange(n) % 3))
    return folder / f"train-images-idx3-ubyte{suffix}"


@pytest.mark.parametrize("code", list(CODES))
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_every_number_type(tmp_path: Path, code: str, packed: str) -> None:
    array = np.arange(24).reshape(2, 3, 4) - 5 * (code != "u1")
    found = read_idx(written(tmp_path, "a" + packed, idx_bytes(array, code)))
    np.testing.assert_array_equal(found, array)
    assert found.dtype.isnative


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_any_of_the_four_files_finds_the_others(tmp_path: Path, suffix: str) -> None:
    mnist(tmp_path, suffix)
    for path in sorted(tmp_path.iterdir()):
        names = [each.name if each else "" for each in find_parts(path)]
        assert [name.split("-idx")[0] for name in names] == [
            "train-images", "train-labels", "t10k-images", "t10k-labels",
        ]  # fmt: skip
        data = load(SourceSpec.idx(str(path)))
        assert data.x_train.shape == (40, 1, 5, 4) and data.n_test == 10 and data.kind == "pictures"
        assert data.x_train.dtype == np.uint8 and data.train_inputs().max() <= 1.0


def test_without_a_test_part_some_is_held_back(tmp_path: Path) -> None:
    mnist(tmp_path)
    for path in tmp_path.glob("t10k*"):
        path.unlink()
    data = load(SourceSpec.idx(str(tmp_path / "train-labels-idx1-ubyte.gz")))
    assert (data.n_train, data.n_test) == (31, 9)  # a fifth of 14, 13 and 13


def test_case_01_missing_labels(tmp_path: Path) -> None:
    path = mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"No file with the labels was found beside train-images"):
        load(SourceSpec.idx(str(path)))
    with pytest.raises(DataError, match="is not there"):
        load(SourceSpec.idx(str(tmp_path / "gone-images-idx3-ubyte")))


def test_case_52_labels_and_pictures_differ(tmp_path: Path) -> None:
    path = mnist(tmp_path)
    written(tmp_path, "train-labels-idx1-ubyte.gz", idx_bytes(np.arange(39) % 3))
    with pytest.raises(DataError, match="holds 40 pictures, but its label file 39 labels"):
        load(SourceSpec.idx(str(path)))


@pytest.mark.parametrize(
    "start", [b"\0\0\x07\x03", b"\0\1\x08\x03", b"\x01\0\x08\x03", b"\0\0\x08\x00", b"\0\0\x08\x05", b"abcd"]
)
@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_case_55_wrong_magic(tmp_path: Path, start: bytes, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name} begins with {start.hex(' ')}; an IDX file begins with"):
        read_idx(written(tmp_path, name, start + bytes(100)))


@pytest.mark.parametrize("name", ["a", "a.gz"])
@pytest.mark.parametrize("change", [-100, -1, 1, 500])
def test_case_55_wrong_length(tmp_path: Path, name: str, change: int) -> None:
    whole = idx_bytes(np.ones((10, 5, 4)))
    data = whole[:change] if change < 0 else whole + bytes(change)
    with pytest.raises(DataError, match="promises 200 bytes of numbers 10×5×4, the file holds"):
        read_idx(written(tmp_path, name, data))


def test_case_55_cut_off_packing(tmp_path: Path) -> None:
    whole = gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 256, (10, 5, 4))))
    for cut in range(1, len(whole)):
        (tmp_path / "a.gz").write_bytes(whole[:cut])
        with pytest.raises(DataError):
            read_idx(tmp_path / "a.gz")


def test_case_55_flipped_bit_in_packing(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(idx_bytes(np.random.default_rng(0).integers(0, 256, (10, 5, 4)))))
    whole[-6] ^= 1  # the checksum
    (tmp_path / "a.gz").write_bytes(whole)
    with pytest.raises(DataError, match=r"a\.gz is damaged or incomplete \(gzip\)"):
        read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize("shape", [(2**32 - 1, 2**32 - 1, 2**32 - 1), (60_000, 4000, 4000)])
def test_case_55_header_bomb(tmp_path: Path, shape: tuple[int, ...]) -> None:
    data = struct.pack(">HBB3I", 0, 8, 3, *shape)
    with pytest.raises(DataError, match=r"promises .* at most 2048 MB"):
        read_idx(written(tmp_path, "a", data))


def test_case_55_gzip_bomb(tmp_path: Path) -> None:
    data = struct.pack(">HBB3I", 0, 8, 3, 200, 1024, 1024) + bytes(200 << 20)
    path = written(tmp_path, "a.gz", data)
    del data
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(DataError, match="looks like a gzip bomb"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20 and time.perf_counter() - began < 1


def test_case_55_labels_in_the_place_of_pictures(tmp_path: Path) -> None:
    written(tmp_path, "train-images-idx3-ubyte", idx_bytes(np.arange(10)))
    written(tmp_path, "train-labels-idx1-ubyte", idx_bytes(np.arange(10)))
    with pytest.raises(DataError, match="Are these the labels"):
        load(SourceSpec.idx(str(tmp_path / "train-images-idx3-ubyte")))


def test_case_58_cancel_stops_between_blocks(tmp_path: Path) -> None:
    path = mnist(tmp_path)
    with pytest.raises(DataError, match="canceled"):
        load(SourceSpec.idx(str(path)), cancel=lambda: True)
