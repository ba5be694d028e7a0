"""Damaged files of every kind: only DataError, and quickly."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.data.headers import read_header
from engine.data.idx import read_idx
from engine.data.npz_data import from_arrays
from engine.data.pictures import read_picture
from engine.data.safe_npz import read_npz
from engine.data.source import SourceSpec
from engine.errors import DataError
from tests.bad_input.test_data_idx import idx_bytes
from tests.engine.data.picture_bytes import encoded, exif, png, random_picture

Damage = tuple[int, list[tuple[int, int]], int]  # cut, [(place, bits to flip)], bytes put in front


def damaged(data: bytes, damage: Damage) -> bytes:
    cut, flips, extra = damage
    out = bytearray(data)
    for place, bits in flips:
        out[place % len(out)] ^= bits
    return bytes(extra) + bytes(out[: len(out) - cut % len(out)])


damages = st.tuples(
    st.one_of(st.just(0), st.integers(0, 1 << 16)),
    st.lists(
        st.tuples(st.one_of(st.integers(0, 64), st.integers(0, 1 << 16)), st.integers(1, 255)), max_size=6
    ),
    st.sampled_from([0, 0, 0, 1, 8]),
)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


STARTS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"GIF89a", b"RIFF", b"II*\0", b"BM"]


def survives(call: Callable[[], object]) -> None:
    began = time.perf_counter()
    try:
        call()
    except DataError as refusal:
        assert str(refusal)
    assert time.perf_counter() - began < 1.0


@cache
def good_pictures() -> tuple[bytes, ...]:
    array = random_picture(0, 12, 9)
    kinds = tuple(encoded(array, each) for each in (".png", ".jpg", ".gif", ".bmp", ".webp", ".tiff"))
    return (*kinds, png(array, exif(6)), png(random_picture(1, channels=4, bits=16)))


@pytest.mark.parametrize("which", range(8))
@quick
@given(damage=damages)
def test_pictures(which: int, damage: Damage) -> None:
    data = damaged(good_pictures()[which], damage)
    survives(lambda: read_header(data, "x") if data else None)
    survives(lambda: read_picture(data, max_pixels=1_000_000, name="x"))


@quick
@given(start=st.sampled_from(STARTS),
       data=st.binary(max_size=300))  # fmt: skip
def test_random_bytes_as_picture(start: bytes, data: bytes) -> None:
    survives(lambda: read_picture(start + data, max_pixels=1_000_000, name="x"))


@cache
def good_npz(packed: bool) -> bytes:
    out = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(out, x=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2, names=np.array(["a", "b"]))
    return out.getvalue()


@pytest.mark.parametrize("packed", [True, False])
@quick
@given(damage=damages)
def test_npz(packed: bool, damage: Damage) -> None:
    data = damaged(good_npz(packed), damage)
    survives(lambda: read_npz(io.BytesIO(data), name="x.npz"))


@pytest.mark.parametrize("packed", [True, False])
@quick
@given(damage=damages)
def test_idx(tmp_path: Path, packed: bool, damage: Damage) -> None:
    whole = idx_bytes(np.random.default_rng(0).integers(0, 256, (10, 5, 4)))
    path = tmp_path / "a"
    path.write_bytes(damaged(gzip.compress(whole) if packed else whole, damage))
    survives(lambda: read_idx(path))


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@quick
@given(
    kind=st.sampled_from(["toy", "sample", "folder", "idx", "npz", "array", "else"]),
    fields=st.dictionaries(
        st.sampled_from(["name", "count", "noise", "seed", "size", "channels", "paths", "x", "y", "resize"]),
        json_values, max_size=4,
    ),
)  # fmt: skip
def test_specs_from_strange_json(kind: str, fields: dict[str, object]) -> None:
    survives(lambda: SourceSpec.from_json({"kind": kind, **fields}))
    survives(lambda: SourceSpec.from_json(fields))


any_array = hnp.arrays(
    dtype=st.sampled_from(["u1", "i1", "i8", "u8", "f2", "f4", "f8", "?", "U3", "S2"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6),
)


@quick
@given(
    arrays=st.dictionaries(
        st.sampled_from(["x", "y", "x_train", "y_train", "x_test", "y_test", "class_names", "feature_names"]),
        any_array,
        max_size=6,
    ),
    rows=st.integers(0, 6),
    normalize=st.booleans(),
)
def test_arrays_of_any_kind(arrays: dict[str, np.ndarray], rows: int, normalize: bool) -> None:
    spec = SourceSpec("npz", path="a.npz", normalize=normalize)
    survives(lambda: from_arrays(arrays, spec, "a.npz"))
    alike = {k: np.resize(v, (rows, *v.shape[1:])) for k, v in arrays.items() if v.ndim}
    survives(lambda: from_arrays(alike, spec, "a.npz"))
