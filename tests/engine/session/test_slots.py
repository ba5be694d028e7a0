"""Slots survive what a kill can do to them, and segments leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.session import segments, slots


@pytest.fixture(params=[True, False], ids=["shared", "file"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[segments.Segment, segments.Segment]]:
    made = [segments.create(200_000, shared=request.param) for _ in range(2)]
    yield made[0], made[1]
    for each in made:
        each.unlink()


def value(step: int) -> dict[str, object]:
    rng = np.random.default_rng(step)
    return {"step": step, "w": rng.standard_normal((50, 70)).astype(np.float32), "empty": np.zeros((0, 3))}


def test_the_newest_value_comes_back_with_arrays_that_can_be_written(
    pair: tuple[segments.Segment, segments.Segment],
) -> None:
    writer = slots.Writer(*pair)
    assert slots.newest(pair) is None
    for step in range(1, 6):
        assert writer.write(slots.pack(value(step))) == (step + 1) % 2
        found = slots.newest(pair)
        assert found["step"] == step
        np.testing.assert_array_equal(found["w"], value(step)["w"])
    found["w"][0, 0] = 7.0  # its own copy: the slot does not change
    assert slots.newest(pair)["w"][0, 0] != 7.0
    assert found["empty"].shape == (0, 3)


def test_a_half_written_slot_is_passed_over(pair: tuple[segments.Segment, segments.Segment]) -> None:
    writer = slots.Writer(*pair)
    for step in (1, 2):
        writer.write(slots.pack(value(step)))
    # killed while writing the payload: the number is zero already
    slots._HEADER.pack_into(pair[1].buf, 0, slots.MAGIC, 0, 0, 0)
    assert slots.newest(pair)["step"] == 1
    # killed machines tear memory in other ways: a number that is valid over a damaged payload
    writer = slots.Writer(*pair)
    assert writer.write(slots.pack(value(3))) == 1
    pair[1].buf[5000] ^= 1
    assert slots.newest(pair)["step"] == 1
    pair[0].buf[5000] ^= 1
    assert slots.newest(pair) is None


def test_a_new_writer_goes_on_and_spares_the_newest(pair: tuple[segments.Segment, segments.Segment]) -> None:
    writer = slots.Writer(*pair)
    for step in (1, 2, 3):
        writer.write(slots.pack(value(step)))
    again = slots.Writer(*pair)
    assert again.sequence == 3
    assert again.write(slots.pack(value(4))) == 1
    assert slots.newest(pair)["step"] == 4


def test_a_value_that_does_not_fit_leaves_the_slot_as_it_was(
    pair: tuple[segments.Segment, segments.Segment],
) -> None:
    writer = slots.Writer(*pair)
    writer.write(slots.pack(value(1)))
    writer.write(slots.pack(value(2)))
    with pytest.raises(slots.SlotFull) as caught:
        writer.write(slots.pack(np.zeros(60_000, np.float32)))
    assert caught.value.needed > pair[0].size
    assert slots.read(pair[0]) is not None
    assert slots.newest(pair)["step"] == 2


def test_names_fit_macos_and_are_the_window_s_own() -> None:
    one, two = segments.create(100), segments.create(100)
    try:
        assert len(one.name) <= 30 and one.name != two.name
        other = segments.attach(one.name)
        other.buf[3] = 9
        assert one.buf[3] == 9
        other.close()
    finally:
        one.unlink()
        two.unlink()
    with pytest.raises(OSError):
        segments.attach(one.name)


def test_memory_that_cannot_be_had_becomes_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path))

    def full(handle: int, offset: int, size: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}").startswith("/dev/shm"):
            raise OSError(28, "No space left on device")

    if not os.path.isdir("/dev/shm"):
        pytest.skip("POSIX shared memory without a folder")

    def own() -> set[str]:  # other windows and other tests make theirs at the same time
        prefix = f"{segments.PREFIX}{os.getpid():x}_"
        return {name for name in os.listdir("/dev/shm") if name.startswith(prefix)}

    before = own()
    monkeypatch.setattr(os, "posix_fallocate", lambda *a: (full(*a), os.ftruncate(a[0], a[2])))
    segment = segments.create(5000)
    assert segment.name.startswith(segments.FILE)
    assert own() == before
    assert segment.size == 5000
    segment.unlink()
    assert not list((tmp_path / "slots").iterdir())


def test_the_next_window_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    program = f"""
        import sys, time
        sys.path.insert(0, {str(Path.cwd())!r})
        from multiprocessing import resource_tracker
        from pathlib import Path
        from engine.session import segments
        registry = segments.Registry(Path({str(tmp_path)!r}))
        made = [segments.create(1000), segments.create(1000, shared=False)]
        for each in made:
            registry.add(each)
        resource_tracker.unregister("/" + made[0].name, "shared_memory")  # as if its tracker were killed, too
        print(*(each.name for each in made), flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    names = child.stdout.readline().split()
    registry = segments.Registry(tmp_path)
    assert registry.sweep() == []  # it lives
    segments.attach(names[1]).close()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    if sys.platform == "linux":
        assert os.path.exists(f"/dev/shm/{names[0]}")
    assert sorted(registry.sweep()) == sorted(names)
    for name in names:
        with pytest.raises(OSError):
            segments.attach(name)
    assert not list(tmp_path.glob("*.json"))


def test_the_list_is_written_and_goes_with_a_clean_exit(tmp_path: Path) -> None:
    registry = segments.Registry(tmp_path)
    segment = segments.create(100)
    registry.add(segment)
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["segments"] == [segment.name]
    registry.discard(segment.name)
    assert json.loads(file.read_text())["segments"] == []
    segment.unlink()
    registry.close()
    assert not list(tmp_path.iterdir())


def test_a_slot_of_ten_megabytes_is_written_fast() -> None:
    state = np.zeros(2_500_000, np.float32)
    segment = segments.create(11_000_000)
    try:
        best = 1.0
        for sequence in range(1, 5):
            start = time.perf_counter()
            slots.write(segment, slots.pack(state), sequence)
            best = min(best, time.perf_counter() - start)
        assert best < 0.1
    finally:
        segment.unlink()
