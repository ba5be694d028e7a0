"""What is built once is not built again: programs at hand in a process, binaries in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.backends.opencl import programs, runtime
from tests.engine.backends.opencl_help import device_ids

pytestmark = pytest.mark.skipif(not device_ids(), reason="no OpenCL device here")


def text(value: int) -> str:
    return f"__kernel void f(__global float *x) {{ x[get_global_id(0)] = {value}.0f; }}\n"


@pytest.fixture(params=device_ids())
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> runtime.Device:
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path))
    return runtime.open_device(request.param)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were compiled."""
    texts: list[str] = []
    real = programs._compile

    def compiled(device: runtime.Device, text: str) -> Any:
        texts.append(text)
        return real(device, text)

    monkeypatch.setattr(programs, "_compile", compiled)
    return texts


def test_the_programs_used_last_are_at_hand(
    device: runtime.Device, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_load", lambda device, text: None)
    monkeypatch.setattr(programs, "AT_HAND", 2)
    for value in (1, 2, 1, 3, 1, 2):
        (kernel,) = programs.build(device, text(value), ["f"])
        assert kernel.function_name == "f"
    assert made == [text(1), text(2), text(3), text(2)]
    assert list(device.built) == [text(1), text(2)]


def test_binaries_are_kept_but_not_where_the_driver_keeps_its_own(
    device: runtime.Device, made: list[str], tmp_path: Path
) -> None:
    own = ":pocl:" in device.found.id

    def built_again() -> bool:
        device.built.clear()
        made.clear()
        programs.build(device, text(4), ["f"])
        return made == [text(4)]

    assert built_again()
    kept = list(tmp_path.glob("kernels/*.bin"))
    assert len(kept) == (0 if own else 1)
    assert built_again() is own
    for path in kept:
        path.write_bytes(b"damaged")
        assert built_again()
