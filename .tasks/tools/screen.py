"""A screen without a monitor: Xvfb on a free display, with the window manager openbox on it."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools.problems import Stop

SIZE = "1600x1000x24"


def is_there() -> bool:
    """Whether a person's screen can be reached (Windows and macOS always have one)."""
    if os.name == "nt" or os.uname().sysname == "Darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def virtual(size: str = SIZE) -> Iterator[dict[str, str]]:
    """Start the screen and yield the environment for programs that shall draw on it.

    Both helpers are ended afterwards. Raises Stop when the screen does not come up.
    """
    read, write = os.pipe()
    # the server itself picks a free display and writes its number
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write)
    manager = None
    try:
        env = {**os.environ, "DISPLAY": f":{_number(read)}", "QT_QPA_PLATFORM": "xcb"}
        env.pop("WAYLAND_DISPLAY", None)
        manager = subprocess.Popen(
            ["openbox"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for_manager(env)
        yield env
    finally:
        os.close(read)
        for helper in (manager, server):
            if helper is not None:
                _end(helper)


def _number(read: int, seconds: float = 20) -> int:
    text = b""
    until = time.monotonic() + seconds
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([read], [], [], max(0.0, until - time.monotonic()))
        piece = os.read(read, 64) if ready else b""
        if not piece:
            raise Stop("Xvfb did not start; run `Xvfb :77` by hand to see why.")
        text += piece
    return int(text)


def _wait_for_manager(env: dict[str, str], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    # answers only once a window manager has announced itself
    while subprocess.call(["xdotool", "get_num_desktops"], env=env, stdout=-3, stderr=-3):
        if time.monotonic() > until:
            raise Stop("the window manager openbox did not start on the virtual screen.")
        time.sleep(0.05)


def _end(helper: subprocess.Popen[bytes]) -> None:
    helper.terminate()
    try:
        helper.wait(5)
    except subprocess.TimeoutExpired:
        helper.kill()
        helper.wait()
