"""A virtual screen with the real program on it, driven by mouse and keyboard only.

What stands where is read from the file that the window writes when MATRIZEN_PROBE names one; nothing
is ever done but by xdotool.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("Xvfb", "openbox", "xdotool", "import")
Look = dict[str, Any]
Rect = list[int]


class JourneyError(AssertionError):
    """Something did not happen; the message holds what the window showed last."""


def missing_tools() -> list[str]:
    """Programs of the system that a journey needs and that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


@contextmanager
def screen(width: int, height: int) -> Iterator[str]:
    """An Xvfb of that size with a window manager; gives its display name."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    manager = None
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise JourneyError("Xvfb did not start")
        display = f":{number}"
        manager = subprocess.Popen(
            ["openbox"],
            env={**os.environ, "DISPLAY": display},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.5)
        yield display
    finally:
        for process in (manager, server):
            if process is not None:
                process.terminate()
                process.wait(10)


class Journey:
    """The program, and a person in front of it."""

    def __init__(self, display: str, home: Path, file: Path | None = None, **settings: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self._probe = home / "probe.json"
        self._probe.unlink(missing_ok=True)
        if settings:
            folder = home / "config" / "Matrizen"
            folder.mkdir(parents=True, exist_ok=True)
            lines = "\n".join(f"{name}={value}" for name, value in settings.items())
            (folder / "Matrizen.ini").write_text(f"[General]\n{lines}\n", encoding="utf-8")
        self._env = {
            **{k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")},
            "DISPLAY": display,
            "MATRIZEN_PROBE": str(self._probe),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "HOME": str(home),
            "PYTHONFAULTHANDLER": "1",
        }
        self._log = (home / "out.txt").open("w")
        command = [sys.executable, str(ROOT / "main.py"), *([str(file)] if file is not None else [])]
        self.process = subprocess.Popen(
            command, env=self._env, cwd=home, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.wait(lambda look: look["configured"] and not look["busy"], "a network on the screen", 40)
        self.pause(0.7)

    # ---- reading -----------------------------------------------------------------------------------

    def look(self) -> Look:
        """What is on the screen now (at most a moment old)."""
        if self.process.poll() is not None:
            raise JourneyError(f"the program ended with {self.process.returncode}\n{self.output()}")
        try:
            found: Look = json.loads(self._probe.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {"count": -1, "configured": False, "busy": True, "widgets": [], "nodes": {}}
        return found

    def fresh(self) -> Look:
        """What is on the screen after everything that was done before."""
        count = self.look()["count"]
        return self.wait(lambda look: look["count"] >= count + 2, "the window to go on", 10)

    def wait(self, true: Callable[[Look], Any], what: str, seconds: float = 15.0) -> Look:
        """Look until something holds."""
        end = time.monotonic() + seconds
        while True:
            look = self.look()
            if look["count"] >= 0 and true(look):
                return look
            if time.monotonic() > end:
                shown = {k: v for k, v in look.items() if k not in ("widgets", "palette")}
                raise JourneyError(f"waited {seconds} s for {what}; {shown}\n{self.output()}")
            time.sleep(0.1)

    def output(self) -> str:
        """What the program wrote to its terminal."""
        self._log.flush()
        return (self.home / "out.txt").read_text(encoding="utf-8")[-3000:]

    def find(self, look: Look | None = None, **wanted: str) -> Look:
        """A visible widget by `name`, `text`, `label` or `kind`."""
        for widget in (look or self.fresh())["widgets"]:
            if all(widget[key] == value for key, value in wanted.items()):
                return dict(widget)
        raise JourneyError(f"no widget with {wanted}")

    # ---- hands -------------------------------------------------------------------------------------

    def do(self, *words: str | int) -> None:
        """One call of xdotool."""
        subprocess.run(["xdotool", *map(str, words)], env=self._env, check=True, timeout=30)

    @staticmethod
    def pause(seconds: float) -> None:
        """Let the person breathe."""
        time.sleep(seconds)

    def key(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.do("key", key)
            self.pause(0.15)

    def type(self, text: str) -> None:
        """Write text."""
        self.do("type", "--delay", 12, text)
        self.pause(0.2)

    def point(self, at: tuple[int, int]) -> None:
        """Move the pointer there."""
        self.do("mousemove", *at)
        self.pause(0.15)

    def click(self, at: tuple[int, int], button: int = 1, times: int = 1) -> None:
        """Click there."""
        self.point(at)
        self.do("click", "--repeat", times, "--delay", 80, button)
        self.pause(0.3)

    def press(self, **wanted: str) -> None:
        """Click a widget found by name, text or label."""
        self.click(middle(self.find(**wanted)["rect"]))

    def carry(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Take something there in small steps, as a hand does, and hold it."""
        self.point(start)
        self.do("mousedown", 1)
        self.pause(0.15)
        for part in range(1, 13):
            x = start[0] + (end[0] - start[0]) * part // 12
            y = start[1] + (end[1] - start[1]) * part // 12
            self.do("mousemove", x, y)
            self.pause(0.03)
        self.pause(0.25)

    def let_go(self) -> None:
        """Let go of what is carried."""
        self.do("mouseup", 1)
        self.pause(0.4)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Carry something there and let it go."""
        self.carry(start, end)
        self.let_go()

    def choose_file(self, path: Path) -> None:
        """Type a path into the file dialog that is open, and accept."""
        self.wait(lambda look: file_field(look) is not None, "the file dialog")
        self.pause(0.3)
        self.key("ctrl+a")
        self.type(str(path))
        self.key("Return")
        self.wait(lambda look: file_field(look) is None, "the file dialog to close")

    def files(self, at: tuple[int, int], *paths: Path) -> Files:
        """A file manager beside the program, its window at that place of the screen."""
        return Files(self._env, self.home, at, paths)

    def picture(self, path: Path) -> None:
        """Take a picture of the whole screen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["import", "-window", "root", str(path)], env=self._env, check=True, timeout=30)

    # ---- the end -------------------------------------------------------------------------------------

    def quit(self, answer: str = "Don't save") -> int:
        """Close the window as a person does; the exit status."""
        self.key("ctrl+q")
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(JourneyError):  # it does not ask, not yet, or no longer
                self.click(middle(self.find(self.look(), text=answer, kind="QPushButton")["rect"]))
            self.pause(0.1)
        return self.process.wait(20)

    def close(self) -> None:
        """Make sure that nothing is left."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._log.close()


class Files:
    """The window of a file manager that shows some files; a program of its own."""

    def __init__(self, env: dict[str, str], home: Path, at: tuple[int, int], paths: tuple[Path, ...]) -> None:
        self._places, self._said = home / "places.json", home / "files.txt"
        program = Path(__file__).with_name("file_manager.py")
        command = [sys.executable, str(program), str(self._places), *map(str, at), *map(str, paths)]
        with self._said.open("w") as out:
            self.process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
        end = time.monotonic() + 30
        while not self._places.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise JourneyError(f"the file manager did not start\n{self._said.read_text()}")
            time.sleep(0.1)
        time.sleep(0.5)  # until the window manager has placed it

    def place(self, path: Path) -> tuple[int, int]:
        """Where the icon of a file is."""
        x, y = json.loads(self._places.read_text(encoding="utf-8"))[str(path)]
        return x, y

    def told(self) -> list[str]:
        """What it was told about each drag that ended: `name: CopyAction`."""
        return self._said.read_text(encoding="utf-8").splitlines()

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)


def middle(rect: Rect) -> tuple[int, int]:
    """The middle of a rectangle on the screen."""
    return rect[0] + rect[2] // 2, rect[1] + rect[3] // 2


def cell(dock: Look, row: int, column: int) -> tuple[int, int]:
    """The middle of a cell of a matrix."""
    rows, columns = dock["shape"]
    first, last = middle(dock["first"]), middle(dock["last"])
    x = first[0] + (last[0] - first[0]) * column // max(1, columns - 1)
    y = first[1] + (last[1] - first[1]) * row // max(1, rows - 1)
    return x, y


def file_field(look: Look) -> Look | None:
    """The line of a file dialog into which a name is typed."""
    return next((dict(w) for w in look["widgets"] if w["name"] == "fileNameEdit"), None)
