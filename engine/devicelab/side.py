"""The measuring process: reads one request, does its jobs one after the other, tells each result as it comes.

In: one line of JSON. Out: lines of JSON, one an event ("ready", "first", "measured", "layers", "failed",
"peak"). It ends with its jobs, or at once when its input closes: a window that is gone leaves nothing.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import Backend
from engine.backends.opening import open_backend
from engine.devicelab.experiments import Job, lost
from engine.devicelab.kept import compared
from engine.devicelab.layers import profile
from engine.devicelab.network import Net
from engine.devicelab.subjects import AnswerSubject, EpochSubject, OpSubject, StepSubject, Subject
from engine.devicelab.tiles import tiles_of
from engine.devicelab.timing import in_turn, once
from engine.devicelab.work import Work
from engine.errors import N_, MatrizenError, Message

PRODUCT_SIDE = 1536
"""Side of the large NumPy products whose speed stands for a peak where nothing else measures one."""


def open_part(id: str, cores: int) -> Backend:
    """A device, or so many cores of it (0: all). NumPy's threads are those of the environment."""
    if id == "numpy" or not cores:
        return open_backend(id)
    from engine.backends.opencl.backend import OpenCLBackend
    from engine.backends.opencl.runtime import open_device

    return OpenCLBackend(open_device(id).part(cores))


def subject_of(job: Job, backend: Backend, net: Net | None) -> Subject:
    """What a job measures, made ready."""
    if job.subject not in ("step", "answer", "epoch"):
        return OpSubject(backend, Work(job.subject, job.sizes))
    assert net is not None, "the request holds no network"
    if job.factor != 1.0:
        net = net.scaled(job.factor)
    if job.subject == "step":
        return StepSubject(backend, net, job.sizes["batch"])
    if job.subject == "answer":
        return AnswerSubject(backend, net, job.sizes["batch"])
    return EpochSubject(backend, net, job.sizes["examples"])


def measure(job: Job, subject: Subject, ready: float, tell: Any) -> dict[str, Any]:
    """The first call, then repetitions without and with transfer."""
    first = once(subject.whole)
    tell({"event": "first", "key": job.key, "place": job.place, "ready": ready, "first": first})
    subject.settle(once(subject.compute))
    compute, whole = in_turn([(subject.compute, subject.calls), (subject.whole, subject.calls)], job.seconds)
    return {
        "event": "measured",
        "key": job.key,
        "place": job.place,
        "ready": ready,
        "first": first,
        "compute": compute.plain(),
        "whole": whole.plain(),
        "flops": subject.flops,
        "moved": subject.moved,
        "calls": subject.calls,
    }


def peak(device: str) -> float:
    """GFLOP/s: multiply-adds on registers on an OpenCL device, the best of some large products on NumPy."""
    if device != "numpy":
        from engine.backends.opencl.peak import peak_gflops

        return peak_gflops(device)
    a, b = np.random.default_rng(0).random((2, PRODUCT_SIDE, PRODUCT_SIDE), dtype=np.float32)
    return max(2 * PRODUCT_SIDE**3 / once(lambda: a @ b) / 1e9 for _ in range(5))


def serve(request: Mapping[str, Any], tell: Any) -> None:
    """Do a request's jobs; a job that fails is told and the next one is done."""
    device, cores = request["device"], request["cores"]
    net = Net.from_plain(request["net"]) if request["net"] is not None else None
    try:
        if request["peak"]:
            tell({"event": "peak", "gflops": peak(device)})
        start = time.perf_counter()
        backend = open_part(device, cores)
        tell({"event": "ready", "seconds": time.perf_counter() - start})
    except MatrizenError as problem:
        tell({**lost(problem.message), "key": ""})
        return
    for plain in request["jobs"]:
        job = Job(**plain)
        tell({"event": "begun", "key": job.key, "place": job.place})
        try:
            if job.subject == "layers":
                assert net is not None, "the request holds no network"
                step = measure(job, StepSubject(backend, net, job.sizes["batch"]), 0.0, lambda _: None)
                found = [part.plain() for part in profile(device, net)]
                tell({**step, "event": "layers", "parts": found})
                continue
            start = time.perf_counter()
            subject = subject_of(job, backend, net)
            result = measure(job, subject, time.perf_counter() - start, tell)
            if not cores:
                differences = compared(subject.results(), Path(request["folder"]), job.key, device)
                tiles = tiles_of(device, Work("product", job.sizes)) if job.subject == "product" else None
                result |= {"differences": differences, "tiles": tiles.plain() if tiles else None}
            tell(result)
        except MatrizenError as problem:
            tell({**lost(problem.message), "key": job.key, "place": job.place})
        except MemoryError:
            reason = Message(N_("There is not enough memory for this."))
            tell({**lost(reason), "key": job.key, "place": job.place})
    backend.close()


def main() -> None:
    """Answer the request on standard input."""
    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_end_with_input, daemon=True).start()
    out, lock = sys.stdout, threading.Lock()

    def tell(event: Mapping[str, Any]) -> None:
        with lock:
            out.write("\n" + json.dumps(event) + "\n")  # drivers print, too: a line of our own
            out.flush()

    serve(json.loads(line), tell)


def _end_with_input() -> None:
    while sys.stdin.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
