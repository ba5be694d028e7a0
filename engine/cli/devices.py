"""`devices`: what can compute here, and why the others cannot."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from engine.backends.devices import DeviceInfo, list_devices, opencl_problem
from engine.cli.common import one_line


def run(options: argparse.Namespace) -> int:
    """List every device with its verdict; 0."""
    devices = list_devices()
    problem = opencl_problem() if len(devices) == 1 else None
    if options.json:
        print(json.dumps([_plain(d) for d in devices]))
        return 0
    for d in devices:
        mark = {"ok": "ok", "refused": "refused", "untested": "untested"}[d.verdict]
        size = f"{d.units} units, {d.memory / 2**30:.1f} GB"
        print(f"{d.id:18} {mark:8} {d.name}, {size}: {one_line(d.reason)}")
    if problem is not None:
        print(f"no OpenCL: {one_line(problem)}")
    return 0


def _plain(device: DeviceInfo) -> dict[str, object]:
    return {**asdict(device), "reason": str(device.reason)}
