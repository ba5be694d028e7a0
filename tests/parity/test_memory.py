"""The planner's estimate beside what was really allocated, each network in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.harness import BACKENDS, opencl_devices
from tests.parity import measured
from tests.parity.memory import NETWORKS

ROOT = Path(__file__).parents[2]
WITHIN = 0.1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(len(NETWORKS)))
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_estimate_is_what_is_taken(backend: str, number: int) -> None:
    device = opencl_devices()[backend.split(":")[1]] if ":" in backend else "numpy"
    words = [sys.executable, "-m", "tests.parity.memory", device, str(number)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    off = found["estimate"] / found["taken"] - 1
    assert abs(off) < WITHIN, found
    numbers = {"parameters": found["parameters"], "MB": found["taken"] / 1e6, "off": off}
    measured.keep(f"memory: {found['name']}", backend, 1, numbers)
