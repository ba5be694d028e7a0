"""BAD_INPUTS 29-36: a save that fails anywhere leaves the old file or the new one, whole."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine import saving
from engine.errors import ProjectError
from engine.project_file import load_project, save_project
from engine.project_lock import ProjectLock, Stamp, check_unchanged
from tests.engine import project_help as h

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX")


@pytest.fixture(scope="module")
def two():
    project, _ = h.trained(optimizer="sgd")
    return project, replace(project, notes="newer")


def left_over(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.startswith(".matrizen-")]


class Faults:
    """Counts every write, flush, fsync, link and replace, and fails at the k-th."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, code: int = errno.ENOSPC) -> None:
        self.count, self.at, self.code = 0, at, code
        self.order: list[str] = []
        for name in ("fsync", "replace", "link"):
            monkeypatch.setattr(saving.os, name, self._wrap(name, getattr(os, name)))
        opened = os.fdopen

        def fdopen(handle, mode, *a, **k):
            file = opened(handle, mode, *a, **k)
            return Faulty(file, self)

        monkeypatch.setattr(saving.os, "fdopen", fdopen)

    def hit(self, name: str) -> None:
        self.count += 1
        self.order.append(name)
        if self.count == self.at:
            raise OSError(self.code, os.strerror(self.code))

    def _wrap(self, name, real):
        def call(*a, **k):
            self.hit(name)
            return real(*a, **k)

        return call


class Faulty:
    """A file object that asks before every write and flush."""

    def __init__(self, file, faults: Faults) -> None:
        self._file, self._faults = file, faults

    def write(self, data):
        self._faults.hit("write")
        return self._file.write(data)

    def flush(self):
        self._faults.hit("flush")
        return self._file.flush()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._file.close()


def test_case_29_a_fault_at_every_write_leaves_a_whole_file(two, tmp_path, monkeypatch):
    old, new = two
    path = tmp_path / "p.matrizen"
    failures = k = 0
    while True:
        k += 1
        save_project(path, old)
        with monkeypatch.context() as patch:
            faults = Faults(patch, k)
            try:
                save_project(path, new)
                failed = False
            except ProjectError as error:
                failed = True
                assert "p.matrizen" in str(error) and "No space left" in str(error)
        found = load_project(path)
        assert h.equal(found, new) or (failed and h.equal(found, old))
        assert left_over(tmp_path) == []
        failures += failed
        if faults.count < k:  # the whole save came through before its k-th step
            break
    assert failures > 15


def test_case_36_contents_reach_the_disk_before_the_name_points_at_them(two, tmp_path, monkeypatch):
    path = save_project(tmp_path / "p.matrizen", two[0])
    faults = Faults(monkeypatch, -1)
    save_project(path, two[1])
    steps = [s for s in faults.order if s not in ("write",)]
    first = steps.index("fsync")
    replaces = [i for i, s in enumerate(steps) if s == "replace"]
    assert first < replaces[0] and len(replaces) == 2  # the backup, then the file
    assert steps[-1] == "fsync"  # the folder
    assert "write" not in faults.order[faults.order.index("fsync") :]


CHILD = """
import resource, signal, sys
from dataclasses import replace
sys.path.insert(0, {root!r})
from engine.project_file import load_project, save_project
p = load_project({path!r})
"""


def child(path: Path, code: str) -> list[str]:
    root = str(Path(__file__).parents[2])
    return [sys.executable, "-c", CHILD.format(root=root, path=str(path)) + code]


@posix
def test_case_29_disk_full_by_limit(two, tmp_path):
    path = save_project(tmp_path / "p.matrizen", two[0])
    code = """
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
try:
    save_project({path!r}, replace(p, notes="newer"))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(child(path, code.format(path=str(path))), capture_output=True, text=True)
    assert done.stdout.startswith("ProjectError p.matrizen could not be saved: File too large"), done.stderr
    assert h.equal(load_project(path), two[0]) and left_over(tmp_path) == []


@posix
def test_case_30_read_only_folder(two, tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    path = save_project(folder / "p.matrizen", two[0])
    os.chmod(folder, 0o555)
    root = os.geteuid() == 0
    if root:
        for above in folder.parents[:4]:
            if above.stat().st_uid == 0:
                above.chmod(above.stat().st_mode | 0o55)
        os.seteuid(65534)
    try:
        with pytest.raises(ProjectError, match=r"p\.matrizen could not be saved: Permission denied"):
            save_project(path, two[1])
    finally:
        if root:
            os.seteuid(0)
        os.chmod(folder, 0o755)
    assert h.equal(load_project(path), two[0])


def test_case_31_target_vanished(two, tmp_path):
    with pytest.raises(ProjectError, match=r"could not be saved.*No such file"):
        save_project(tmp_path / "usb" / "p.matrizen", two[0])
    with pytest.raises(ProjectError, match="folder"):
        save_project(tmp_path, two[0])


@posix
def test_case_32_killed_while_saving_again_and_again(two, tmp_path):
    path = save_project(tmp_path / "p.matrizen", two[0])
    code = """
n = 0
while True:
    n += 1
    save_project({path!r}, replace(p, notes=str(n) * 1000))
    if n == 1:
        print("go", flush=True)
"""
    killed = 0
    for k in range(8):
        with subprocess.Popen(child(path, code.format(path=str(path))), stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"go\n"
            time.sleep(0.003 + 0.0071 * k)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            killed += 1
        assert load_project(path).run.step == 50
        backup = tmp_path / "p.matrizen.bak"
        if backup.exists():
            assert load_project(backup).run.step == 50
    assert killed == 8
    assert load_project(path).notes != two[0].notes  # it did save in between


@posix
def test_case_33_a_link_keeps_pointing_at_the_file(two, tmp_path):
    (tmp_path / "real").mkdir()
    real = save_project(tmp_path / "real" / "p.matrizen", two[0])
    link = tmp_path / "link.matrizen"
    link.symlink_to(real)
    assert save_project(link, two[1]) == real
    assert link.is_symlink() and h.equal(load_project(real), two[1])


@pytest.mark.parametrize("name", ["CON.matrizen", "nul", "Com1.matrizen", "a.", "b ", "a\0b.matrizen"])
def test_case_34_names_that_some_system_cannot_store(two, tmp_path, name):
    with pytest.raises(ProjectError, match="file name"):
        save_project(f"{tmp_path}/{name}", two[0])


@pytest.mark.parametrize("name", ["Größe 😀 ü.matrizen", "x" * 246 + ".matrizen", "console.matrizen"])
def test_case_34_names_that_can_be_stored(two, tmp_path, name):
    path = tmp_path / name
    for project in two:  # the second time a backup is kept, where its name fits
        save_project(path, project)
    assert h.equal(load_project(path), two[1])


def test_case_34_a_name_longer_than_the_file_system_allows(two, tmp_path):
    with pytest.raises(ProjectError, match="could not be saved"):
        save_project(tmp_path / ("x" * 260 + ".matrizen"), two[0])
    assert left_over(tmp_path) == []


def test_case_35_a_second_window_is_told_who_has_the_file(tmp_path):
    path = tmp_path / "p.matrizen"
    first, second = ProjectLock(path), ProjectLock(path)
    assert first.acquire() and first.held and first.acquire()
    assert not second.acquire() and str(os.getpid()) in second.holder and not second.held
    first.release()
    assert second.acquire() and second.holder == ""
    second.release()
    assert list(tmp_path.iterdir()) == []
    assert ProjectLock(tmp_path / "gone" / "p.matrizen").acquire()


@posix
def test_case_35_the_lock_of_a_killed_window_is_free(tmp_path):
    path = tmp_path / "p.matrizen"
    root = str(Path(__file__).parents[2])
    code = f"""
import sys, time
sys.path.insert(0, {root!r})
from engine.project_lock import ProjectLock
lock = ProjectLock({str(path)!r})
print(lock.acquire(), flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"True\n"
        mine = ProjectLock(path)
        assert not mine.acquire() and str(process.pid) in mine.holder
        process.kill()
        process.wait()
    assert mine.acquire()
    mine.release()


def test_case_35_changed_on_disk(two, tmp_path):
    path = save_project(tmp_path / "p.matrizen", two[0])
    stamp = Stamp.of(path)
    check_unchanged(path, stamp)
    os.utime(path)  # touched, not changed
    check_unchanged(path, stamp)
    save_project(path, two[1])
    with pytest.raises(ProjectError, match=r"p\.matrizen was changed by another program"):
        check_unchanged(path, stamp)
    check_unchanged(path, Stamp.of(path))
    path.unlink()
    check_unchanged(path, stamp)


def test_what_cannot_be_written_down_is_said_and_nothing_changes(two, tmp_path):
    path = save_project(tmp_path / "p.matrizen", two[0])
    for view in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises(ProjectError, match=r"p\.matrizen cannot be saved"):
            save_project(path, replace(two[0], view=view))
    assert h.equal(load_project(path), two[0])


def test_equal_projects_are_equal_bytes_and_the_backup_is_the_one_before(two, tmp_path):
    a, b = save_project(tmp_path / "a", two[0]), save_project(tmp_path / "b", two[0])
    assert a.read_bytes() == b.read_bytes()
    save_project(a, two[1])
    assert (tmp_path / "a.bak").read_bytes() == b.read_bytes()
