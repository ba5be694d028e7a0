"""Resolve pyproject.toml into uv.lock, and write it as pip reads it into .tasks/requirements/.

Needs `uv` (in .venv, on PATH or as a module). Both locks are universal: one for every system and
Python. What this machine's pip or uv is configured to use beside PyPI is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools.problems import Stop

UNHASHED = {"parity": ("torch==",), "scripts": ("jax==", "tensorflow==", "tensorflow-cpu==")}
HEADER = "# Exported from uv.lock by `tasks.py lock`; edit pyproject.toml instead.\n"


def lock(root: Path, *options: str) -> None:
    """Lock anew; `options` go to `uv lock` (--upgrade, --upgrade-package NAME)."""
    _uv(root, "lock", *options)
    run = export(root, "--no-dev")
    write(root, "run", run)
    write(root, "dev", without(export(root, "--only-group", "dev"), run))
    write(root, "cpu", without(export(root, "--no-dev", "--extra", "cpu"), run))
    # builds of these differ by system, so neither hashes nor what they bring are pinned here
    for group, names in UNHASHED.items():
        lines = [e.splitlines()[0].rstrip(" \\") for e in export(root, "--only-group", group)]
        write(root, group, [f"{line}\n" for line in lines if line.startswith(names)])


def export(root: Path, *options: str) -> list[str]:
    """The lock as requirements with hashes, one entry per package and marker."""
    text = _uv(root, "export", "--frozen", "--no-emit-project", "--no-header", "--no-annotate", *options)
    entries: list[str] = []
    for line in text.splitlines(keepends=True):
        if line[:1].isspace():
            entries[-1] += line
        elif line.strip():
            entries.append(line)
    return entries


def without(entries: list[str], others: list[str]) -> list[str]:
    """Those of `entries` that `others` do not hold already, for every system or for the same ones."""
    held = {entry.splitlines()[0].rstrip(" \\") for entry in others}
    return [
        entry for entry in entries if not {entry.split()[0], entry.splitlines()[0].rstrip(" \\")} & held
    ]


def write(root: Path, group: str, entries: list[str]) -> None:
    """Write .tasks/requirements/<group>.txt."""
    path = root / ".tasks" / "requirements" / f"{group}.txt"
    path.write_text(HEADER + "".join(entries), encoding="utf-8", newline="\n")


def _uv(root: Path, *arguments: str) -> str:
    inside = root / ".venv" / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    uv = str(inside) if inside.exists() else shutil.which("uv")
    if uv is None:
        raise Stop("locking needs uv; see docs/dependencies.md, or run: pip install uv")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    done = subprocess.run(
        [uv, *arguments, "--no-config"], cwd=root, env=clean, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise Stop("uv could not lock; the lines above say why.")
    return done.stdout
