"""tasks.py and what it is made of: nothing here installs anything or needs the network."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import main
import tasks
from tools import environment, jobs, pythons, screen, system
from tools.environment import Environment
from tools.problems import Stop


@pytest.mark.parametrize("file", ["main.py", "tasks.py", ".tasks/tools/pythons.py"])
def test_an_old_python_can_read_the_doors(root: Path, file: str) -> None:
    ast.parse((root / file).read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False), ((2, 7), False), ((4, 0), False)],
)
def test_which_pythons_fit(version: tuple[int, int], fits: bool, root: Path) -> None:
    assert pythons.fits(version) is fits
    # one truth in three places
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.15"


def test_the_wrong_python_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tasks, "sys", SimpleNamespace(version_info=(3, 9, 2), stderr=sys.stderr))
    monkeypatch.setattr(pythons, "find", lambda: None)
    assert tasks.main(["run"]) == 1
    error = capsys.readouterr().err
    assert "3.11 to 3.14" in error
    assert "Python 3.9" in error
    assert error.count("\n") == 1


def test_the_wrong_python_hands_over_to_a_suitable_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(tasks, "sys", SimpleNamespace(version_info=(3, 8, 1)))
    monkeypatch.setattr(pythons, "find", lambda: "/somewhere/python3.13")
    monkeypatch.setattr(pythons, "hand_over", lambda python, words: calls.append((python, words)) or 7)
    assert tasks.main(["run", "x"]) == 7
    assert calls[0][0] == "/somewhere/python3.13"
    assert calls[0][1][1:] == ["run", "x"]


def test_a_python_that_does_not_answer_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead, old, good = (tmp_path / name for name in ("dead", "old", "good"))
    dead.write_text("#!/bin/sh\nexit 127\n")
    old.write_text("#!/bin/sh\necho 3 10 /old/python\n")
    good.write_text("#!/bin/sh\necho 3 12 /good python\n")
    for file in (dead, old, good):
        file.chmod(0o755)
    commands = [[str(tmp_path / "missing")], [str(dead)], [str(old)], [str(good)]]
    monkeypatch.setattr(pythons, "candidates", lambda: commands)
    assert pythons.find() == "/good python"


def test_an_unknown_task_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.main(["tset"]) == 2
    assert "there is no task 'tset'" in capsys.readouterr().err
    assert tasks.main(["--help"]) == 0
    for name in jobs.JOBS:
        assert name in tasks.USAGE


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A checkout with a .venv whose pip only writes down what it is asked for."""
    (tmp_path / ".tasks" / "requirements").mkdir(parents=True)
    for group in environment.GROUPS:
        (tmp_path / ".tasks" / "requirements" / f"{group}.txt").write_text(f"{group}==1\n")
    env = Environment(tmp_path)
    env.python.parent.mkdir(parents=True)
    env.python.touch()
    (env.folder / "pyvenv.cfg").touch()
    asked: list[list[str]] = []

    def pip(_self: Environment, *words: str) -> None:
        asked.append([Path(word).stem for word in words if word.endswith(".txt")])

    monkeypatch.setattr(Environment, "_pip", pip)
    monkeypatch.setattr(Environment, "_ensure_pip", lambda _self: None)
    monkeypatch.setattr(Environment, "_version", lambda _self: "3.12.1")
    return SimpleNamespace(env=env, asked=asked, root=tmp_path)


def test_installing_twice_installs_once_and_starts_no_process(
    checkout: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.env.ensure("dev")
    assert checkout.asked == [["run", "dev"]]
    monkeypatch.setattr(subprocess, "Popen", _forbidden)
    monkeypatch.setattr(Environment, "_version", _forbidden)
    Environment(checkout.root).ensure("dev")
    Environment(checkout.root).ensure()
    assert checkout.asked == [["run", "dev"]]


def test_a_changed_lock_installs_what_changed(checkout: SimpleNamespace) -> None:
    checkout.env.ensure("dev", "parity")
    checkout.asked.clear()
    (checkout.root / ".tasks" / "requirements" / "dev.txt").write_text("dev==2\n")
    checkout.env.ensure("dev", "parity")
    assert checkout.asked == [["dev"]]


def test_line_ends_of_a_checkout_do_not_matter(checkout: SimpleNamespace) -> None:
    checkout.env.ensure()
    (checkout.root / ".tasks" / "requirements" / "run.txt").write_bytes(b"run==1\r\n")
    checkout.asked.clear()
    checkout.env.ensure()
    assert checkout.asked == []


def test_an_interrupted_installation_is_done_again(
    checkout: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.env.ensure()
    (checkout.root / ".tasks" / "requirements" / "run.txt").write_text("run==2\n")
    with monkeypatch.context() as patch:
        patch.setattr(Environment, "_pip", _raising(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            checkout.env.ensure()
    (checkout.root / ".tasks" / "requirements" / "run.txt").write_text("run==1\n")
    checkout.asked.clear()
    checkout.env.ensure()  # back at the old lock, but what lies in .venv is unknown
    assert checkout.asked == [["run"]]


def test_a_venv_of_an_unsuitable_python_is_made_anew(
    checkout: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[list[str]] = []
    monkeypatch.setattr(Environment, "_version", lambda _self: "3.10.4")
    monkeypatch.setattr(subprocess, "call", lambda command, **_: made.append(command) or 1)
    with pytest.raises(Stop, match="could not be made"):
        checkout.env.ensure()
    assert made[0][1:3] == ["-m", "venv"]
    assert not checkout.env.folder.exists()


def test_a_folder_that_is_no_venv_is_not_deleted(tmp_path: Path) -> None:
    precious = tmp_path / ".venv" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    with pytest.raises(Stop, match="in the way"):
        Environment(tmp_path).ensure()
    assert precious.read_text() == "mine"


def test_the_three_locks_agree(root: Path) -> None:
    locked = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {(package["name"], package.get("version")) for package in locked}
    hashes = {
        file["hash"]
        for package in locked
        for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    }
    for group in environment.GROUPS:
        text = (root / ".tasks" / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
        for entry in re.findall(r"^[\w.-]+==.*(?:\n\s.*)*", text, re.MULTILINE):
            name, version = entry.split()[0].split("==")
            assert (name, version) in versions, group
            found = set(re.findall(r"sha256:[0-9a-f]{64}", entry))
            assert found <= hashes, name
            assert found or group in environment.UNHASHED, name
    own = next(package for package in locked if package["name"] == "matrizen")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    named = {_name(text) for text in project["project"]["dependencies"]}
    assert named == {package["name"] for package in own["dependencies"]}
    run = (root / ".tasks" / "requirements" / "run.txt").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^([\w-]+)==", run, re.MULTILINE))


def test_the_locks_name_no_private_host(root: Path) -> None:
    locked = (root / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([^/\"]+)", locked))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    for group in environment.GROUPS:
        assert "://" not in (root / ".tasks" / "requirements" / f"{group}.txt").read_text(encoding="utf-8")


def test_the_package_is_made_of_files_that_exist(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for source, target in wheel.items():
        assert (root / source).exists(), source
        assert target.startswith("matrizen/"), target
    assert project["project"]["version"] == main.VERSION


NOT_THERE = system.Need("libmatrizen-never.so.9", "libnever9", "never-libs", "never")


@pytest.mark.skipif(not system.on_linux(), reason="only Linux is asked for libraries")
@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install libnever9 xvfb"),
        ("dnf", "sudo dnf install never-libs xorg-x11-server-Xvfb"),
        ("pacman", "sudo pacman -S never xorg-server-xvfb"),
    ],
)
def test_what_is_missing_is_named_with_the_line_to_type(
    monkeypatch: pytest.MonkeyPatch, manager: str, line: str
) -> None:
    monkeypatch.setattr(system.shutil, "which", lambda name: "/bin/x" if name == manager else None)
    monkeypatch.setattr(system, "_is_root", lambda: False)
    monkeypatch.setattr(system, "apt_install", _forbidden)
    with pytest.raises(Stop) as stop:
        system.require("The window", NOT_THERE, system.VIRTUAL_SCREEN[0])
    assert str(stop.value).endswith(line)
    assert "libmatrizen-never.so.9" in str(stop.value)


@pytest.mark.skipif(not system.on_linux(), reason="only Linux is asked for libraries")
def test_root_on_debian_gets_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    there: list[bool] = []
    monkeypatch.setattr(system, "may_install", lambda: True)
    monkeypatch.setattr(system, "apt_install", lambda names: asked.append(names) or not there.append(True))
    monkeypatch.setattr(system.Need, "is_there", lambda _self: bool(there))
    system.require("The window", NOT_THERE)
    assert asked == [["libnever9"]]


def test_a_library_that_loads_is_not_missing() -> None:
    assert system.missing(system.Need("libc.so.6", "libc6", "glibc", "glibc")) == []


def test_a_driver_announces_itself_by_an_icd_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.icd").write_text("libmine.so")
    monkeypatch.setenv("OCL_ICD_VENDORS", str(tmp_path))
    if system.on_linux():
        assert str(tmp_path / "mine.icd") in system.opencl_drivers(tmp_path / "none")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that tasks would start, with everything installed."""
    commands: list[list[str]] = []
    monkeypatch.setattr(Environment, "ensure", lambda _self, *_groups: None)
    monkeypatch.setattr(Environment, "run", lambda _self, *words, **_: commands.append([*words]) or 0)
    monkeypatch.setattr(pythons, "hand_over", lambda python, words: commands.append(words) or 0)
    monkeypatch.setattr(jobs, "_look_for_opencl", lambda _environment: None)
    monkeypatch.setattr(system, "require", lambda *_: None)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    return commands


@pytest.mark.skipif(not system.on_linux(), reason="other systems always have a screen")
def test_no_screen_is_one_clear_sentence_and_a_way_out(root: Path, started: list[list[str]]) -> None:
    with pytest.raises(Stop, match=r"there is no screen .*\n.*tasks.py run train"):
        jobs.run(root, [])
    assert jobs.run(root, ["devices", "--json"]) == 0
    assert started == [[str(root / "main.py"), "devices", "--json"]]


def test_with_a_screen_the_window_is_opened(
    root: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":7")
    assert jobs.run(root, ["--cpu", "my.matrizen"]) == 0
    assert started == [[str(root / "main.py"), "my.matrizen"]]


@pytest.mark.skipif(not system.on_linux(), reason="the journeys run on Linux")
def test_journeys_that_cannot_run_fail_the_test_task(
    root: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def require(purpose: str, *needs: system.Need) -> None:
        if system.VIRTUAL_SCREEN[0] in needs:
            raise Stop(f"{purpose} needs Xvfb")

    monkeypatch.setattr(system, "require", require)
    with pytest.raises(Stop, match="needs Xvfb"):
        jobs.test(root, [])
    assert any("pytest" in word for word in started[0])  # the suite itself has run


@pytest.mark.skipif(bool(system.missing(*system.VIRTUAL_SCREEN)), reason="no Xvfb here")
def test_a_virtual_screen_comes_up_and_goes_away() -> None:
    with screen.virtual("640x480x24") as env:
        assert main.answers(int(env["DISPLAY"][1:]))
        asked = subprocess.run(
            ["xdotool", "getdisplaygeometry"], env=env, capture_output=True, text=True, check=True
        )
        assert asked.stdout.split() == ["640", "480"]
        assert env["DISPLAY"] != os.environ.get("DISPLAY")
    gone = subprocess.run(["xdotool", "getdisplaygeometry"], env=env, capture_output=True, check=False)
    assert gone.returncode != 0


def _name(requirement: str) -> str:
    return re.split(r"[^\w-]", requirement)[0].lower()


def _forbidden(*_args: Any, **_options: Any) -> Any:
    raise AssertionError("this must not be called")


def _raising(kind: type[BaseException]) -> Callable[..., None]:
    def raiser(*_args: Any) -> None:
        raise kind

    return raiser
