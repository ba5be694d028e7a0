"""Whatever happens to a good file, it opens as it was, or a ProjectError says why not; within a second."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ProjectError
from engine.project_file import load_project
from tests.engine import project_help as h

FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    return h.good_file(tmp_path_factory.mktemp("fuzz"))


def judged(path: Path) -> bool:
    """Open it: True when it opened. Anything but a ProjectError fails the test."""
    begun = time.process_time()
    try:
        load_project(path)
        opened = True
    except ProjectError as error:
        assert str(error) and "\n" not in str(error)
        opened = False
    assert time.process_time() - begun < 1
    return opened


@FUZZ
@given(data=st.data())
def test_flipped_bits(good, data):
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = good.with_name("flipped.matrizen")
    path.write_bytes(content)
    if judged(path):  # only what means nothing (dates, attributes) may differ
        found, whole = load_project(path), load_project(good)
        if any("curve" in str(said) for said in found.messages):  # the only part that may be missing
            assert found.run.curve is None
            whole = h.without_curves(whole)
        assert h.equal(found, whole)


@FUZZ
@given(data=st.data())
def test_pieces_removed_and_inserted(good, data):
    content = good.read_bytes()
    a = data.draw(st.integers(0, len(content)))
    b = data.draw(st.integers(a, min(len(content), a + 400)))
    path = good.with_name("pieces.matrizen")
    path.write_bytes(content[:a] + data.draw(st.binary(max_size=40)) + content[b:])
    judged(path)


@FUZZ
@given(data=st.data())
def test_members_swapped(good, data):
    parts = h.members(good)
    names = list(parts)
    shuffled = data.draw(st.permutations(names))
    path = h.write_zip(
        good.with_name("swapped.matrizen"), dict(zip(names, (parts[n] for n in shuffled), strict=True))
    )
    judged(path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@FUZZ
@given(data=st.data())
def test_any_json_value_in_any_place(good, data):
    path = good.with_name("json.matrizen")

    def change(p):
        here = p
        for _ in range(data.draw(st.integers(0, 5))):
            if not isinstance(here, dict | list) or not here:
                break
            keys = sorted(here) if isinstance(here, dict) else list(range(len(here)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list) or data.draw(st.booleans()):
                here[key] = data.draw(plain)
                break
            here = here[key]

    path.write_bytes(good.read_bytes())
    h.with_json(path, change)
    judged(path)


def test_memory_stays_small(good):
    path = good.with_name("cut.matrizen")
    content = good.read_bytes()
    tracemalloc.start()
    try:
        for size in range(0, len(content), 97):
            path.write_bytes(content[:size])
            judged(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
