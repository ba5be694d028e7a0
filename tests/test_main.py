"""main.py: its command line, and that every refusal is one line."""

from __future__ import annotations

import argparse
import sys
import types

import pytest

import main
from engine import cli
from engine.errors import DataError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The command `check`, replaced by a module whose `run` each test sets."""
    module = types.ModuleType("engine.cli.check")
    monkeypatch.setitem(sys.modules, "engine.cli.check", module)
    monkeypatch.setattr(cli, "check", module, raising=False)
    return module


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["trian"], "did you mean 'train'?"),
        (["trian", "x.matrizen"], "invalid choice: 'trian'"),
        (["train"], "required: PROJECT"),
        (["train", "p", "--epochs", "0"], "--epochs"),
        (["train", "p", "--epochs", "2", "--steps", "3"], "not allowed with"),
        (["train", "p", "--seed", "-1"], "--seed"),
        (["train", "p", "--seed", str(2**63)], "--seed"),
        (["predict", "p"], "required: PICTURE"),
        (["export", "p"], "required: OUT.npz"),
        (["check", "p", "--json"], "--json"),
        (["a.matrizen", "b.matrizen"], "invalid choice"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_status_two(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main.main(words)
    assert left.value.code == 2
    assert part in capsys.readouterr().err


def test_every_command_reaches_its_module_with_its_options() -> None:
    parser = main.make_parser()
    train = parser.parse_args(
        ["train", "p.matrizen", "--steps", "5", "--device", "numpy", "--seed", "3", "--export", "w", "--json"]
    )
    assert vars(train) == {
        "command": "train", "project": "p.matrizen", "json": True, "epochs": None, "steps": 5,
        "device": "numpy", "seed": 3, "export": "w", "save": None,
    }  # fmt: skip
    assert parser.parse_args(["train", "p"]).device == "auto"
    assert parser.parse_args(["predict", "p", "a.png", "b.png"]).pictures == ["a.png", "b.png"]
    assert parser.parse_args(["export", "p", "w.npz"]).out == "w.npz"
    assert parser.parse_args(["devices", "--json"]).json
    assert not parser.parse_args(["bench"]).json


def test_the_status_of_a_command_is_the_status_of_the_process(command: types.ModuleType) -> None:
    seen: list[argparse.Namespace] = []
    command.run = lambda options: seen.append(options) or 0  # type: ignore[attr-defined]
    assert main.main(["check", "p.matrizen"]) == 0
    assert seen[0].project == "p.matrizen"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DataError("{file} is\nempty.", file="a.png"), 1, "matrizen: a.png is empty.\n"),
        (PermissionError(13, "Permission denied", "x.npz"), 1, "matrizen: x.npz: Permission denied\n"),
        (MemoryError(), 1, "matrizen: there is not enough memory"),
        (ModuleNotFoundError("No module named 'numpy'", name="numpy"), 1, "numpy is not installed here"),
        (ZeroDivisionError("a\nb"), 1, "unexpected error, please report it (ZeroDivisionError: a b)"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_one_line_and_no_traceback(
    command: types.ModuleType,
    error: BaseException,
    status: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(_options: argparse.Namespace) -> int:
        raise error

    monkeypatch.delenv(cli.DEBUG, raising=False)
    command.run = run  # type: ignore[attr-defined]
    assert main.main(["check", "p.matrizen"]) == status
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == (1 if line else 0)
    assert "Traceback" not in shown


def test_an_unexpected_error_can_be_looked_into(
    command: types.ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cli.DEBUG, "1")
    command.run = lambda _options: 1 // 0  # type: ignore[attr-defined]
    assert main.main(["check", "p"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 15, 0)])
def test_the_wrong_python_gets_one_sentence(
    version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert main.main([]) == 1
    error = capsys.readouterr().err
    assert error == f"matrizen: Python 3.11 to 3.14 is needed; this is Python 3.{version[1]}.\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
@pytest.mark.parametrize("words", [[], ["project.matrizen"]])
def test_no_screen_is_one_clear_sentence(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main.main(words) == 1
    error = capsys.readouterr().err
    assert "there is no screen" in error
    assert "train" in error
    assert error.count("\n") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_a_dead_screen_is_noticed_before_qt_aborts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":64321.0")
    assert main.main([]) == 1
    assert "DISPLAY is :64321.0, but nothing answers there" in capsys.readouterr().err
    monkeypatch.setenv("DISPLAY", "elsewhere:10.0")
    assert main.no_screen() == ""


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (ModuleNotFoundError("No module named 'PySide6'", name="PySide6"), "PySide6 is not installed here"),
        (ImportError("libEGL.so.1: cannot open shared object file"), "libEGL.so.1"),
    ],
)
def test_a_half_installed_program_says_what_is_missing(error: ImportError, part: str) -> None:
    assert part in main.not_ready(error)
    assert "tasks.py run" in main.not_ready(error)


def test_a_missing_file_of_our_own_is_not_called_an_installation_problem() -> None:
    with pytest.raises(ModuleNotFoundError):
        main.not_ready(ModuleNotFoundError("No module named 'gui.nothing'", name="gui.nothing"))
