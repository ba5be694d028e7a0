"""The folder .venv: made once, filled from the lock, and left alone while nothing changed.

`.tasks/requirements/*.txt` are the lock as pip reads it: exact versions with hashes and markers for every
system, exported from uv.lock by `tasks.py lock`. A stamp inside .venv remembers what was installed,
so the next start costs one comparison and needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools import pythons, system
from tools.problems import Stop

# one file of .tasks/requirements/ each; `run` is the program, the others come on top of it
GROUPS = ("run", "dev", "cpu", "parity", "scripts")
# resolved when asked for: their builds differ by system and have no common hashes
UNHASHED = ("parity", "scripts")


class Environment:
    """The virtual environment of a checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.stamp = self.folder / "matrizen.json"
        scripts = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        self.python = self.folder / scripts

    def ensure(self, *groups: str) -> None:
        """Make .venv hold the program and `groups` as locked; nothing happens when it does already.

        Raises Stop with one sentence when it cannot be made or filled.
        """
        wanted = [name for name in GROUPS if name == "run" or name in groups]
        known = self.read_stamp()
        if not self._alive(known):
            self._create()
            known = self._fresh_stamp()
        todo = [name for name in wanted if known["groups"].get(name) != self.fingerprint(name)]
        if not todo:
            return
        for name in todo:
            known["groups"].pop(name, None)
        self._write_stamp(known)  # an interrupted installation counts as none
        self._ensure_pip()
        hashed = [name for name in todo if name not in UNHASHED]
        if hashed:
            self._pip("--require-hashes", "--only-binary", ":all:", *self._files(hashed))
        for name in todo:
            if name in UNHASHED:
                self._pip(*self._files([name]))
        known["groups"].update({name: self.fingerprint(name) for name in todo})
        self._write_stamp(known)

    def fingerprint(self, group: str) -> str:
        """A hash of what `group` is locked to."""
        # line ends differ between checkouts of one commit
        text = self._file(group).read_text(encoding="utf-8")
        return hashlib.sha256(text.encode()).hexdigest()

    def read_stamp(self) -> dict[str, Any]:
        """What is known to be installed: {"python": "3.11.7", "groups": {name: fingerprint}, ...}."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {"python": "", "groups": {}}
        return stamp if isinstance(stamp, dict) and "groups" in stamp else {"python": "", "groups": {}}

    def remember(self, name: str, value: Any) -> None:
        """Keep one more fact beside the stamp, until .venv is made anew."""
        self._write_stamp({**self.read_stamp(), name: value})

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> int:
        """Run the environment's Python in the checkout; its exit status."""
        return subprocess.call([str(self.python), *arguments], cwd=self.root, env=env)

    def _alive(self, stamp: dict[str, Any]) -> bool:
        if not self.python.exists():  # also when the Python it was made from has gone
            return False
        version = str(stamp["python"]) or self._version()
        parts = version.split(".")
        return len(parts) > 1 and pythons.fits((int(parts[0]), int(parts[1])))

    def _version(self) -> str:
        question = "import platform; print(platform.python_version())"
        asked = subprocess.run([str(self.python), "-c", question], capture_output=True, text=True)
        return asked.stdout.strip() if asked.returncode == 0 else ""

    def _create(self) -> None:
        say(f"Making {self.folder.name} with Python {platform.python_version()} ...")
        if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
            system.install_venv_support()
            importlib.invalidate_caches()
        if self.folder.exists():
            if not (self.folder / "pyvenv.cfg").exists():
                raise Stop(f"{self.folder} is in the way and is no virtual environment; move it away.")
            shutil.rmtree(self.folder)
        if subprocess.call([sys.executable, "-m", "venv", str(self.folder)]):
            raise Stop(f"{self.folder} could not be made; the lines above say why.")

    def _ensure_pip(self) -> None:
        # an environment that uv made has none
        if subprocess.call([str(self.python), "-c", "import pip"], stderr=subprocess.DEVNULL) and self.run(
            "-m", "ensurepip", "--upgrade"
        ):
            raise Stop(f"{self.folder} has no pip; delete that folder and start again.")

    def _pip(self, *arguments: str) -> None:
        say("Installing what is locked in .tasks/requirements/ (the first time that is a download) ...")
        loud = [] if sys.stdout.isatty() else ["--quiet"]
        command = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", *loud, *arguments]
        if self.run(*command):
            raise Stop("pip could not install what is needed (see above); the first start needs the network.")

    def _files(self, groups: list[str]) -> list[str]:
        return [word for name in groups for word in ("-r", str(self._file(name)))]

    def _file(self, group: str) -> Path:
        return self.root / ".tasks" / "requirements" / f"{group}.txt"

    def _fresh_stamp(self) -> dict[str, Any]:
        return {"python": self._version(), "groups": {}}

    def _write_stamp(self, stamp: dict[str, Any]) -> None:
        if not stamp["python"]:
            stamp["python"] = self._version()
        self.stamp.write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def cpu_driver_fits() -> bool:
    """Whether Intel's OpenCL driver for the processor exists for this machine."""
    linux = sys.platform.startswith("linux") and platform.machine() == "x86_64"
    return linux or (sys.platform == "win32" and platform.machine() == "AMD64")


def say(text: str) -> None:
    """One line about what is being done."""
    print(f"tasks: {text}", flush=True)
