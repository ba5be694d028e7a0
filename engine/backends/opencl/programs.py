"""Building kernels, and keeping what was built.

Compiling a network's kernels takes a driver one to five seconds; loading them again takes milliseconds. The
binaries are kept per device, driver and source text. A binary that does not load is built again from source.
PoCL keeps its own: asked for a binary it compiles every kernel once more, for work-groups of any size, which
is half of its time and never used. What a process has built for a device lately it has at hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.backends.opencl.cache import cache_folder
from engine.backends.opencl.runtime import Device, translated

OPTIONS = ["-cl-std=CL1.2"]
KEPT = 400
"""Binaries kept; the longest unused go first."""
AT_HAND = 64
"""Programs a device has at hand: the plans and the store of some networks."""
KEEPS_ITS_OWN = "pocl"


def build(device: Device, text: str, names: Sequence[str]) -> list[Any]:
    """One kernel object per name (a name may come twice). Raises DeviceError with the driver's log."""
    with translated(device.found.name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # drivers chat; a failure raises
        program = device.built.pop(text, None) or _load(device, text) or _compile(device, text)
        device.built[text] = program  # the newest is last
        while len(device.built) > AT_HAND:
            del device.built[next(iter(device.built))]
        return [device.cl.Kernel(program, name) for name in names]


def _keeps(device: Device) -> bool:
    """Whether binaries of the device are kept here."""
    return device.found.id.split(":")[1] != KEEPS_ITS_OWN


def _path(device: Device, text: str) -> Path:
    facts = "\0".join([text, *OPTIONS, device.found.platform_version, device.found.name, device.found.driver])
    return cache_folder() / "kernels" / f"{hashlib.sha256(facts.encode()).hexdigest()[:32]}.bin"


def _load(device: Device, text: str) -> Any:
    if not _keeps(device):
        return None
    path = _path(device, text)
    try:
        binary = path.read_bytes()
        program = device.cl.Program(device.context, [device.handle], [binary]).build(options=OPTIONS)
        os.utime(path)
    except Exception:  # missing, damaged, or refused by the driver: build from source
        return None
    return program


def _compile(device: Device, text: str) -> Any:
    program = device.cl.Program(device.context, text).build(options=OPTIONS, cache_dir=False)
    if not _keeps(device):
        return program
    with contextlib.suppress(Exception):  # no binaries, no room, read-only home: nothing is kept
        _keep(_path(device, text), program.get_info(device.cl.program_info.BINARIES)[0])
    return program


def _keep(path: Path, binary: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix="part-")
    with os.fdopen(handle, "wb") as file:
        file.write(binary)
    os.replace(part, path)
    kept = sorted(path.parent.glob("*.bin"), key=lambda p: p.stat().st_mtime)
    for old in kept[:-KEPT]:
        old.unlink(missing_ok=True)
