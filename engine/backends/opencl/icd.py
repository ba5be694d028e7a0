"""Make every OpenCL driver of this machine visible to the loader inside pyopencl's wheel.

The loader reads one folder of .icd files (`OCL_ICD_VENDORS`), each naming a driver's library. Drivers
installed by the system are in /etc/OpenCL/vendors; Intel's CPU driver from pip leaves a file with a
wrong path; NVIDIA's driver in containers often leaves none. So one merged folder is written into the
user's cache, unless the user has set the variable. Linux only: Windows finds drivers through its
registry, macOS has one of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from engine.backends.opencl.cache import cache_folder

SYSTEM_FOLDER = Path("/etc/OpenCL/vendors")
NVIDIA_FOLDERS = tuple(
    map(
        Path,
        (
            "/usr/local/nvidia/lib64",
            "/usr/local/nvidia/lib",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib/wsl/lib",
        ),
    )
)
NVIDIA_LIBRARY = "libnvidia-opencl.so.1"
VARIABLE = "OCL_ICD_VENDORS"


def system_drivers(folder: Path | None = None) -> dict[str, str]:
    """.icd name -> library, as the system's packages registered them."""
    folder = folder or SYSTEM_FOLDER
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.icd")) if folder.is_dir() else ():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            lines = path.read_text(encoding="utf-8").split("\n")
            if library := lines[0].strip():
                found[path.name] = library
    return found


def intel_driver() -> str | None:
    """Full path of Intel's CPU driver when it was installed by pip."""
    try:
        files = importlib.metadata.distribution("intel-opencl-rt").files or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "libintelocl.so":
            path = Path(str(file.locate())).resolve()
            if path.is_file():
                return str(path)
    return None


def nvidia_driver(folders: Iterable[Path] | None = None) -> str | None:
    """Full path of NVIDIA's driver where no .icd file names it."""
    for folder in NVIDIA_FOLDERS if folders is None else folders:
        if (folder / NVIDIA_LIBRARY).exists():
            return str(folder / NVIDIA_LIBRARY)
    return None


def drivers() -> dict[str, str]:
    """.icd name -> library for every driver found."""
    found = system_drivers()
    named = " ".join(found.values())
    if "libintelocl" not in named and (library := intel_driver()):
        found["matrizen-intel-cpu.icd"] = library
    if "libnvidia-opencl" not in named and (library := nvidia_driver()):
        found["matrizen-nvidia.icd"] = library
    return found


def prepare() -> None:
    """Point the loader at the merged folder. Call before `import pyopencl`; doing it again is harmless."""
    if sys.platform != "linux" or VARIABLE in os.environ:
        return
    found = drivers()
    if set(found) == set(system_drivers()):
        return  # nothing to add: the loader's own search is as good
    listing = "\n".join(f"{name} {library}" for name, library in sorted(found.items()))
    # one folder per set of drivers, so that two programs never write into each other's
    name = "icd-" + hashlib.sha256(listing.encode()).hexdigest()[:12]
    try:
        folder = _write(cache_folder() / name, found)
    except OSError:  # no writable home
        folder = _write(Path(tempfile.mkdtemp(prefix="matrizen-icd-")), found)
    os.environ[VARIABLE] = str(folder)


def _write(folder: Path, found: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, library in found.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8").strip() != library:
            part = path.with_name(f"{name}.{os.getpid()}.part")
            part.write_text(library + "\n", encoding="utf-8")
            os.replace(part, path)
    for path in folder.glob("*.icd"):
        if path.name not in found:
            path.unlink()
    return folder
