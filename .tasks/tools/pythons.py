"""Which Python can run Matrizen, and where one is. Read by old Pythons too: keep to 3.8's grammar."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 14)


def fits(version: tuple[int, ...]) -> bool:
    """Whether a Python of this version can run Matrizen."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def sentence(version: tuple[int, ...]) -> str:
    """What to say when no suitable Python was found; `version` is the one that speaks."""
    return (
        "Matrizen needs Python {}.{} to {}.{}; this is Python {}.{} and no other was found.".format(
            *OLDEST, *NEWEST, *version[:2]
        )
        + " Install one from python.org or your system's packages, or use `uv run main.py`."
    )


def find() -> str | None:
    """The path of a suitable interpreter on this machine, the newest that answers; None if there is none."""
    for command in candidates():
        path = _ask(command)
        if path:
            return path
    return None


def candidates() -> list[list[str]]:
    """Commands that may start a suitable Python, newest first: PATH, the launcher py, pyenv, uv."""
    minors = range(NEWEST[1], OLDEST[1] - 1, -1)
    found = []
    for minor in minors:
        name = "3.{}".format(minor)
        on_path = shutil.which("python" + name)
        if on_path:
            found.append([on_path])
        if os.name == "nt" and shutil.which("py"):
            found.append(["py", "-" + name])
        tail = "python.exe" if os.name == "nt" else os.path.join("bin", "python" + name)
        for pattern in (
            os.path.join("~", ".pyenv", "versions", name + ".*", tail),
            os.path.join("~", ".pyenv", "pyenv-win", "versions", name + ".*", tail),
            os.path.join("~", ".local", "share", "uv", "python", "cpython-" + name + ".*", tail),
        ):
            found += [[path] for path in sorted(glob.glob(os.path.expanduser(pattern)), reverse=True)]
    return found


def _ask(command: list[str]) -> str | None:
    # a shim of pyenv exists for versions that are not switched on, so only an answer counts
    question = "import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)"
    try:
        answer = subprocess.run(
            [*command, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.decode(errors="replace").split(None, 2)
    if answer.returncode or len(words) != 3 or not fits((int(words[0]), int(words[1]))):
        return None
    return words[2].strip()


def hand_over(python: str, arguments: list[str]) -> int:
    """Run `arguments` with another interpreter in this one's place; returns its status on Windows."""
    command = [python, *arguments]
    sys.stdout.flush()
    if os.name == "nt":  # exec there returns to the shell before the program ends
        return subprocess.call(command)
    os.execv(python, command)
