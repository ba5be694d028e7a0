"""Open the backend of a device that was chosen."""

from __future__ import annotations

from engine.backends.base import Backend
from engine.backends.devices import choose


def open_backend(device: str = "numpy") -> Backend:
    """The backend for a device id ("numpy", "opencl:pocl:0"), "auto" or "opencl".

    Raises DeviceError when the device is not there, was refused or cannot be opened.
    """
    chosen = device if device == "numpy" or device.count(":") == 2 else choose(device).id
    if chosen == "numpy":
        from engine.backends.numpy.backend import NumpyBackend

        return NumpyBackend()
    from engine.backends.opencl.backend import OpenCLBackend

    return OpenCLBackend(chosen)
