"""What the operating system must bring along: Qt's libraries, an OpenCL driver, a virtual screen.

Only Linux is asked; the wheels for Windows and macOS bring their own. As root on Debian or Ubuntu
the packages are installed, elsewhere the exact line is printed.
"""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.problems import Stop


@dataclass(frozen=True)
class Need:
    """A library (by soname) or program, and the package that holds it, per package manager."""

    name: str
    apt: str
    dnf: str
    pacman: str

    def is_there(self) -> bool:
        """Whether the library loads or the program is on PATH."""
        if ".so" not in self.name:
            return shutil.which(self.name) is not None
        try:
            ctypes.CDLL(self.name)
        except OSError:
            return False
        return True


# what `import PySide6.QtWidgets` and the platform "offscreen" load
QT = (
    Need("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    Need("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    Need("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    Need("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    Need("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    Need("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
)
# what the platform "xcb" loads on top of it
X11 = (
    Need("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    Need("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    Need("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    Need("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    Need("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    Need("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    Need("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    Need("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    Need("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    Need("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
)
# a screen without a monitor, and hands for it
VIRTUAL_SCREEN = (
    Need("Xvfb", "xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"),
    Need("xauth", "xauth", "xorg-x11-xauth", "xorg-xauth"),
    Need("xdotool", "xdotool", "xdotool", "xdotool"),
    Need("openbox", "openbox", "openbox", "openbox"),
    Need("import", "imagemagick", "ImageMagick", "imagemagick"),
)
OPENCL = Need("an OpenCL driver", "pocl-opencl-icd", "pocl", "pocl")


def on_linux() -> bool:
    """Whether this system is asked for libraries at all."""
    return sys.platform.startswith("linux")


def missing(*needs: Need) -> list[Need]:
    """Those of `needs` that this machine lacks."""
    return [need for need in needs if not need.is_there()] if on_linux() else []


def require(purpose: str, *needs: Need) -> None:
    """Install what is missing where that is allowed; raises Stop with the line to type otherwise."""
    lacking = missing(*needs)
    if not lacking:
        return
    names = ", ".join(need.name for need in lacking)
    if may_install() and apt_install([need.apt for need in lacking]) and not missing(*lacking):
        return
    raise Stop(f"{purpose} needs {names}, which this system lacks. Install it with:\n    {line_for(lacking)}")


def line_for(needs: list[Need]) -> str:
    """The command that installs `needs` on this system; all three when the system is unknown."""
    lines = {
        "apt-get": "apt-get install " + _packages(needs, "apt"),
        "dnf": "dnf install " + _packages(needs, "dnf"),
        "pacman": "pacman -S " + _packages(needs, "pacman"),
    }
    sudo = "" if _is_root() else "sudo "
    for manager, line in lines.items():
        if shutil.which(manager):
            return sudo + line
    return "\n    ".join(sudo + line for line in lines.values())


def may_install() -> bool:
    """Whether packages may be installed without asking: as root on Debian, Ubuntu and their children."""
    if not (_is_root() and shutil.which("apt-get")):
        return False
    try:
        release = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return False
    return any(name in release.lower() for name in ("debian", "ubuntu"))


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages; whether that worked. The package list is fetched only if it is needed."""
    print(f"tasks: Installing {' '.join(packages)} with apt-get ...", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if _quietly(install, env):
        return True
    return _quietly(["apt-get", "update", "-q"], env) and subprocess.call(install, env=env) == 0


def install_venv_support() -> None:
    """Debian's Python without ensurepip gets it, or Stop says how."""
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    if sys.prefix == "/usr" and may_install() and apt_install([package]):
        return
    line = f"{'' if _is_root() else 'sudo '}apt-get install {package}"
    raise Stop(f"This Python cannot make virtual environments. Install what it lacks with:\n    {line}")


def opencl_drivers(environment: Path) -> list[str]:
    """Where OpenCL drivers announce themselves on this machine; empty when there is none.

    A driver that is found may still fail: the program tests it before it uses it.
    """
    if sys.platform == "darwin":
        return ["/System/Library/Frameworks/OpenCL.framework"]
    if sys.platform == "win32":
        dll = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "OpenCL.dll"
        found = [str(dll)] if dll.exists() else []
        return found + [str(p) for p in environment.glob("**/intelocl*.dll")]
    own = str(environment / "etc/OpenCL/vendors")
    folders = [os.environ.get("OCL_ICD_VENDORS", ""), "/etc/OpenCL/vendors", own]
    found = [path for folder in folders if folder for path in glob.glob(os.path.join(folder, "*.icd"))]
    # containers often have NVIDIA's driver without the file that announces it
    for folder in ("/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/wsl/lib"):
        found += glob.glob(os.path.join(folder, "libnvidia-opencl.so.1"))
    return found


def _quietly(command: list[str], env: dict[str, str]) -> bool:
    return subprocess.call(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def _packages(needs: list[Need], manager: str) -> str:
    return " ".join(dict.fromkeys(getattr(need, manager) for need in needs))


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
