"""What can compute here: NumPy always, OpenCL devices once they have passed a test.

A listed device proves nothing: it may fail every build or compute wrong numbers, and its driver may
take the process down. So drivers are asked in a process of their own with a time limit, and each
device runs real kernels against NumPy before it is offered. Verdicts are kept per device, driver and
kernel sources. This module works without pyopencl.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from engine.backends.host import host_memory
from engine.backends.opencl.cache import cache_folder, read_json, source_hash, write_json
from engine.errors import N_, DeviceError, Message

Verdict = Literal["ok", "refused", "untested"]

LISTING_SECONDS = 20.0
"""A driver that needs longer to list its devices is not waited for."""
TEST_SECONDS = 120.0
"""Limit for one device's test; compiling its kernels cold takes a few seconds."""


@dataclass(frozen=True)
class DeviceInfo:
    """One device as shown to people. `memory` in bytes; `units` are cores or compute units."""

    id: str
    """"numpy", "opencl:pocl:0", "opencl:nvidia:0" ..."""
    name: str
    vendor: str
    driver: str
    kind: str
    """"cpu", "gpu" or "other"."""
    units: int
    memory: int
    fp64: bool
    verdict: Verdict
    reason: Message
    clock: int = 0
    platform: str = ""

    @property
    def backend(self) -> str:
        """ "numpy" or "opencl"."""
        return self.id.partition(":")[0]


def numpy_device() -> DeviceInfo:
    """The device that is always there."""
    import os

    import numpy

    return DeviceInfo(
        "numpy",
        "NumPy",
        platform.processor() or platform.machine(),
        numpy.__version__,
        "cpu",
        os.cpu_count() or 1,
        host_memory(),
        True,
        "ok",
        Message(N_("always available")),
    )


def list_devices(test: bool = True, fresh: bool = False) -> list[DeviceInfo]:
    """NumPy and every OpenCL device, with verdict and reason; never raises.

    `test=False` gives "untested" for devices without a kept verdict instead of testing them (a test
    takes seconds the first time). `fresh` tests again whatever was kept. When OpenCL offers nothing,
    `opencl_problem()` says why.
    """
    found, _ = _enumerate()
    return [numpy_device(), *(_judge(device, test, fresh) for device in found)]


def opencl_problem() -> Message | None:
    """Why OpenCL offers no device at all; None when it lists some."""
    return _enumerate()[1]


def choose(wanted: str = "auto", devices: list[DeviceInfo] | None = None) -> DeviceInfo:
    """The device for "auto", "numpy", "opencl", an id or (part of) a name.

    "auto" takes the best device that passed its test, NumPy when none did; its `reason` then says why.
    Anything named must have passed: otherwise DeviceError with the reason and what there is.
    """
    word = wanted.strip().lower()
    if word == "numpy":
        return numpy_device()
    every = list_devices() if devices is None else devices
    usable = sorted((d for d in every if d.verdict == "ok" and d.backend != "numpy"), key=_rank)
    if word in ("", "auto"):
        if usable:
            return replace(usable[0], reason=Message(N_("passed its test")))
        return replace(numpy_device(), reason=_why_none(every))
    if word == "opencl":
        if usable:
            return usable[0]
        raise DeviceError(N_("No OpenCL device can be used: {reason}"), reason=_why_none(every))
    matches = [d for d in every if d.id.lower() == word] or [
        d for d in every if word in f"{d.id} {d.name} {d.vendor} {d.platform}".lower()
    ]
    if not matches:
        raise DeviceError(
            N_("There is no device {wanted}. There are: {names}."),
            wanted=wanted,
            names=", ".join(d.id for d in every),
        )
    matches.sort(key=lambda d: (d.verdict != "ok", _rank(d)))
    if matches[0].verdict == "refused":
        raise DeviceError(
            N_("{device} cannot be used: {reason}"), device=matches[0].name, reason=matches[0].reason
        )
    return matches[0]


def _rank(device: DeviceInfo) -> tuple[Any, ...]:
    """Best first: GPUs by size, then other devices; of two CPU drivers Intel's is the faster one."""
    kind = {"gpu": 0, "other": 1, "cpu": 2}.get(device.kind, 3)
    return (
        kind,
        -device.units * max(device.clock, 1) if kind == 0 else 0,
        ":intel:" not in device.id,
        device.id,
    )


def _why_none(devices: list[DeviceInfo]) -> Message:
    for device in devices:
        if device.verdict == "refused":
            return Message(
                N_("{device} was refused: {reason}"), {"device": device.name, "reason": device.reason}
            )
    return opencl_problem() or Message(N_("no OpenCL device has been tested yet"))


# ---- asking in a process of its own -----------------------------------------------------------------


def _enumerate() -> tuple[list[dict[str, Any]], Message | None]:
    answer = ask(["list"], LISTING_SECONDS)
    if isinstance(answer, Message):
        return [], answer
    if "problem" in answer:
        return [], Message(answer["problem"]["template"], answer["problem"]["values"])
    return answer["devices"], None


def _judge(device: dict[str, Any], test: bool, fresh: bool) -> DeviceInfo:
    facts = [device[k] for k in ("platform", "platform_version", "name", "driver", "units")]
    key = hashlib.sha256(json.dumps([source_hash(), *facts]).encode()).hexdigest()[:24]
    path = cache_folder() / "devices.json"
    kept = {} if fresh else read_json(path).get(key, {})
    verdict: Verdict = kept.get("verdict", "untested")
    reason = Message(kept["template"], kept["values"]) if kept else Message(N_("not tested yet"))
    if not kept and test:
        verdict, reason, lasting = test_device(device["id"])
        if lasting:
            entry = {"verdict": verdict, "template": reason.template, "values": reason.values}
            write_json(path, {**read_json(path), key: entry})
    return DeviceInfo(
        device["id"],
        device["name"],
        device["vendor"],
        device["driver"],
        device["kind"],
        device["units"],
        device["memory"],
        device["fp64"],
        verdict,
        reason,
        device["clock"],
        device["platform"],
    )


def test_device(id: str, seconds: float = TEST_SECONDS) -> tuple[Verdict, Message, bool]:
    """Run the self-test of one device: verdict, reason, and whether it is worth keeping."""
    answer = ask(["test", id], seconds)
    if isinstance(answer, Message):
        return "refused", answer, False
    return answer["verdict"], Message(answer["template"], answer["values"]), True


test_device.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def ask(arguments: list[str], seconds: float) -> dict[str, Any] | Message:
    """Run the self-test process; its answer, or a message saying how it failed.

    Started by file path, not by package name: it also works where Matrizen is installed inside a
    private folder.
    """
    root = str(Path(__file__).resolve().parents[2])
    start = (
        f"import sys; sys.path.insert(0, {root!r}); "
        "from engine.backends.opencl.selftest import main; main(sys.argv[1:])"
    )
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", start, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            creationflags=flags,
        )
    except subprocess.TimeoutExpired:
        return Message(N_("the driver did not answer within {seconds} s"), {"seconds": round(seconds)})
    except OSError as problem:
        return Message(N_("the test process did not start ({reason})"), {"reason": str(problem)})
    for line in reversed(done.stdout.splitlines()):  # drivers print, too
        if line.startswith("{"):
            try:
                answer: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            return answer
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Message(N_("the driver brought its test process down ({reason})"), {"reason": last[:200]})
