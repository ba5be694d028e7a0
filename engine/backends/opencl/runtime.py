"""The one place that imports pyopencl: finding devices, opening one, turning its errors into ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from engine.backends.opencl import icd
from engine.errors import N_, DeviceError

PLATFORM_NAMES = (
    ("portable computing language", "pocl"),
    ("intel", "intel"),
    ("nvidia", "nvidia"),
    ("amd", "amd"),
    ("apple", "apple"),
    ("rusticl", "rusticl"),
    ("clover", "clover"),
    ("arm", "arm"),
    ("qualcomm", "qualcomm"),
)


@dataclass(frozen=True)
class Found:
    """A device the loader lists, before any test. `memory` in bytes."""

    id: str
    name: str
    platform: str
    platform_version: str
    vendor: str
    driver: str
    kind: str
    """"cpu", "gpu" or "other"."""
    units: int
    clock: int
    memory: int
    fp64: bool


def load() -> Any:
    """The pyopencl module; raises DeviceError saying what is missing."""
    icd.prepare()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyopencl
    except Exception as problem:  # a broken loader raises more than ImportError
        raise DeviceError(
            N_("OpenCL cannot be used: pyopencl did not load ({reason})."), reason=_first_line(problem)
        ) from problem
    return pyopencl


def handles(cl: Any) -> Iterator[tuple[str, Any, Any]]:
    """(id, platform, device) of everything listed, ids like "opencl:pocl:0" counted per driver.

    Raises DeviceError when there is no platform, or none has a device.
    """
    try:
        platforms = cl.get_platforms()
    except Exception as problem:
        raise DeviceError(
            N_("No OpenCL driver is installed ({reason})."), reason=_first_line(problem)
        ) from problem
    if not platforms:
        raise DeviceError(N_("No OpenCL driver is installed ({reason})."), reason="0 platforms")
    count: dict[str, int] = {}
    for platform in platforms:
        try:
            devices = platform.get_devices()
        except Exception:  # DEVICE_NOT_FOUND, or a driver without its hardware
            devices = []
        slug = platform_slug(platform.name)
        for device in devices:
            number = count.setdefault(slug, 0)
            count[slug] += 1
            yield f"opencl:{slug}:{number}", platform, device
    if not count:
        names = ", ".join(str(p.name).strip() for p in platforms)
        raise DeviceError(N_("The OpenCL drivers found ({names}) offer no device."), names=names)


def platform_slug(name: str) -> str:
    """Short name of a platform: "Portable Computing Language" -> "pocl"."""
    low = name.lower()
    for part, slug in PLATFORM_NAMES:
        if part in low:
            return slug
    word = "".join(c if c.isalnum() else " " for c in low).split()
    return word[0] if word else "unknown"


def describe(cl: Any, id: str, platform: Any, device: Any) -> Found:
    """Facts about a listed device."""
    types = cl.device_type
    kind = "cpu" if device.type & types.CPU else "gpu" if device.type & types.GPU else "other"
    return Found(
        id,
        " ".join(str(device.name).split()),
        str(platform.name).strip(),
        str(platform.version).strip(),
        str(device.vendor).strip(),
        str(device.driver_version).strip(),
        kind,
        int(device.max_compute_units),
        int(device.max_clock_frequency),
        int(device.global_mem_size),
        bool(getattr(device, "double_fp_config", 0)),
    )


def enumerate_devices() -> list[Found]:
    """Every device listed by the loader, untested."""
    cl = load()
    return told_apart([describe(cl, *entry) for entry in handles(cl)])


def told_apart(found: list[Found]) -> list[Found]:
    """The same devices with names that differ: a core listed by two drivers, two cards of one kind."""
    out = []
    for f in found:
        name = f.name
        twins = [g.id for g in found if g.name == name]
        if len({id.split(":")[1] for id in twins}) > 1:
            name += f" ({f.id.split(':')[1]})"
        if len(same := [id for id in twins if id.split(":")[1] == f.id.split(":")[1]]) > 1:
            name += f" #{same.index(f.id) + 1}"
        out.append(replace(f, name=name))
    return out


@dataclass
class Device:
    """An opened device: context and the queue its plan works on."""

    cl: Any
    found: Found
    handle: Any
    context: Any
    built: dict[str, Any] = field(default_factory=dict, repr=False)
    """Source text -> program, the longest unused first, see `programs.build`."""

    def queue(self, timing: bool = False) -> Any:
        """A new in-order command queue; with `timing` its events know when they began and ended."""
        with translated(self.found.name):
            if timing:
                keep = self.cl.command_queue_properties.PROFILING_ENABLE
                return self.cl.CommandQueue(self.context, properties=keep)
            return self.cl.CommandQueue(self.context)

    def part(self, units: int) -> Device:
        """A part of this device with so many of its units. Raises DeviceError where it cannot be divided."""
        if units >= self.found.units:
            return self
        by_counts = self.cl.device_partition_property.BY_COUNTS
        with translated(self.found.name):
            (handle, *_) = self.handle.create_sub_devices([by_counts, units, 0])
            return Device(self.cl, replace(self.found, units=units), handle, self.cl.Context([handle]))

    @property
    def cpu(self) -> bool:
        return self.found.kind == "cpu"


def open_device(id: str) -> Device:
    """Open the device with this id, without testing it. Raises DeviceError when it is not there."""
    cl = load()
    entries = list(handles(cl))
    every = told_apart([describe(cl, *entry) for entry in entries])
    for found, (_, _, device) in zip(every, entries, strict=True):
        if found.id == id:
            with translated(found.name):
                return Device(cl, found, device, cl.Context([device]))
    raise DeviceError(N_("There is no device {name}; `devices` lists what there is."), name=id)


MEMORY_WORDS = (
    "OUT_OF_RESOURCES",
    "MEM_OBJECT_ALLOCATION_FAILURE",
    "OUT_OF_HOST_MEMORY",
    "INVALID_BUFFER_SIZE",
)


@contextmanager
def translated(device: str) -> Iterator[None]:
    """Turn whatever a driver raises into a DeviceError that names the device and says what helps."""
    try:
        yield
    except (DeviceError, KeyboardInterrupt, SystemExit):
        raise
    except Exception as problem:
        text = str(problem)
        if isinstance(problem, MemoryError) or any(word in text for word in MEMORY_WORDS):
            raise DeviceError(
                N_(
                    "{device} has not enough memory for this network and batch. Choose a smaller "
                    "batch size, or the device NumPy. ({reason})"
                ),
                device=device,
                reason=_first_line(problem),
            ) from problem
        if "BUILD_PROGRAM_FAILURE" in text:
            raise DeviceError(
                N_(
                    "{device} could not build the kernels. Choose another device or NumPy. "
                    "The driver says: {log}"
                ),
                device=device,
                log=build_log(text),
            ) from problem
        raise DeviceError(
            N_("{device} failed: {reason}. Continue on NumPy or another device."),
            device=device,
            reason=_first_line(problem),
        ) from problem


def build_log(text: str, lines: int = 12) -> str:
    """The lines of a build failure that say something, without pyopencl's frame around them."""
    useful = [
        line.rstrip()
        for line in text.splitlines()
        if line.strip()
        and not line.startswith(("(options:", "(source saved", "Build on"))
        and "BUILD_PROGRAM_FAILURE" not in line
    ]
    return "\n".join(useful[:lines]) or text.strip()[:200]


def _first_line(problem: BaseException) -> str:
    text = str(problem).strip()
    return text.splitlines()[0][:200] if text else type(problem).__name__
