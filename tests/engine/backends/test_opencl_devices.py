"""Devices that are missing, broken, wrong or too small (bad inputs 80 to 89), mostly with fakes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.backends import devices
from engine.backends.devices import DeviceInfo, choose, list_devices
from engine.backends.opencl import icd, runtime, selftest
from engine.backends.opencl.backend import OpenCLBackend
from engine.errors import DeviceError, Message
from tests.engine.backends.nets import bind_data, mlp, start_state, steps
from tests.engine.backends.opencl_help import device_ids

KERNELS = Path(runtime.__file__).parent / "kernels"
here = pytest.mark.skipif(not device_ids(), reason="no OpenCL device here")


def fake_device(name: str = "Toy", kind: str = "GPU", **changes: Any) -> SimpleNamespace:
    facts = {
        "name": name,
        "type": {"CPU": 2, "GPU": 4}[kind],
        "vendor": "Toys",
        "driver_version": "1",
        "max_compute_units": 8,
        "max_clock_frequency": 1000,
        "global_mem_size": 2**30,
        "double_fp_config": 0,
        "max_mem_alloc_size": 2**28,
        "native_vector_width_float": 1,
    }
    return SimpleNamespace(**{**facts, **changes})


def fake_cl(*platforms: tuple[str, list[Any]]) -> SimpleNamespace:
    def devices_of(found: list[Any]) -> Callable[[], list[Any]]:
        def get() -> list[Any]:
            if not found:
                raise RuntimeError("clGetDeviceIDs failed: DEVICE_NOT_FOUND")
            return found

        return get

    listed = [
        SimpleNamespace(name=name, version="OpenCL 1.2", get_devices=devices_of(found))
        for name, found in platforms
    ]

    def get_platforms() -> list[Any]:
        if not listed:
            raise RuntimeError("clGetPlatformIDs failed: PLATFORM_NOT_FOUND_KHR")
        return listed

    return SimpleNamespace(get_platforms=get_platforms, device_type=SimpleNamespace(CPU=2, GPU=4))


def info(id: str, verdict: Any = "ok", **changes: Any) -> DeviceInfo:
    made = DeviceInfo(id, id.title(), "Toys", "1", "gpu", 8, 2**30, False, verdict, Message("because"))
    return replace(made, **changes)


def refuse_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyopencl", None)


# ---- nothing there ----------------------------------------------------------------------------------


def test_without_pyopencl_numpy_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_import(monkeypatch)
    with pytest.raises(DeviceError, match="pyopencl did not load"):
        runtime.load()
    problem = selftest.listing()["problem"]
    monkeypatch.setattr(devices, "ask", lambda arguments, seconds: {"problem": problem})
    assert [d.id for d in list_devices()] == ["numpy"]
    found = choose("auto")
    assert found.id == "numpy" and "pyopencl" in str(found.reason)


def test_80_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "load", fake_cl)
    with pytest.raises(DeviceError, match="PLATFORM_NOT_FOUND_KHR"):
        runtime.enumerate_devices()
    assert "No OpenCL driver" in selftest.listing()["problem"]["template"]


def test_81_platform_without_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "load", lambda: fake_cl(("Empty", [])))
    with pytest.raises(DeviceError, match="Empty"):
        runtime.enumerate_devices()


def test_a_driver_that_crashes_or_hangs_is_refused() -> None:
    answer = devices.ask(["test"], 30.0)  # an argument is missing: the process ends with a traceback
    assert isinstance(answer, Message) and "brought its test process down" in str(answer)
    assert isinstance(devices.ask(["list"], 0.01), Message)


# ---- one that fails ---------------------------------------------------------------------------------


def wrapped(change: Callable[[Any], Any], id: str | None = None) -> OpenCLBackend:
    """A backend on a real device with its pyopencl replaced."""
    device = runtime.open_device(id or device_ids()[0])
    device.cl = change(device.cl)
    return OpenCLBackend(device)


class Instead:
    """pyopencl with some names replaced."""

    def __init__(self, cl: Any, **changes: Any) -> None:
        self._cl = cl
        self.__dict__.update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cl, name)


@here
def test_82_a_build_failure_shows_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path))
    from engine.backends.opencl import kernel

    monkeypatch.setattr(kernel, "template", lambda name: "this is no kernel;\n")
    for id in device_ids():
        verdict, reason = selftest.test(id)
        assert verdict == "refused"
        assert "could not build the kernels" in str(reason) and "this" in str(reason)


@here
def test_83_too_large_a_batch_is_said_when_the_plan_is_built() -> None:
    engine = OpenCLBackend(device_ids()[0])
    net = mlp(inputs=4096, hidden=4096, count=8)
    program = net.program(capacity=1_000_000)
    with pytest.raises(DeviceError, match=r"memory.*smaller batch"):
        engine.compile(program, engine.store(program.state(), 1), traced=False)


@here
@pytest.mark.parametrize("word", ["MEM_OBJECT_ALLOCATION_FAILURE", "OUT_OF_RESOURCES", "INVALID_BUFFER_SIZE"])
def test_83_the_driver_says_out_of_memory_at_the_first_write(word: str) -> None:
    def no_room(*args: Any, **more: Any) -> None:
        raise RuntimeError(f"clEnqueueFillBuffer failed: {word}")

    engine = wrapped(lambda cl: Instead(cl, enqueue_fill_buffer=no_room))
    program = mlp().program()
    with pytest.raises(DeviceError, match=r"not enough memory.*smaller batch"):
        engine.store(program.state(), 1)


@here
@pytest.mark.parametrize("k", [1, 7, 20])
def test_84_a_device_lost_in_mid_step_is_an_error_not_a_crash(k: int) -> None:
    count = {"left": 10**9}

    def enqueue(cl: Any) -> Any:
        def launch(*args: Any) -> Any:
            count["left"] -= 1
            if count["left"] <= 0:
                raise RuntimeError("clEnqueueNDRangeKernel failed: DEVICE_NOT_AVAILABLE")
            return cl.enqueue_nd_range_kernel(*args)

        return Instead(cl, enqueue_nd_range_kernel=launch)

    engine = wrapped(enqueue)
    net = mlp(inputs=256, hidden=512)  # too large for one kernel to do whole steps
    program = net.program()
    store = engine.store(program.state(), 1)
    bind_data(store, net)
    store.load(start_state(program))
    plan = engine.compile(program, store, traced=False)
    plan.run(steps(program, 2))
    before = store.state()
    store.save()
    count["left"] = k
    with pytest.raises(DeviceError, match=r"DEVICE_NOT_AVAILABLE.*NumPy"):
        plan.run(steps(program, 4))
    count["left"] = 10**9  # as after a driver reset: the copy made before the chunk is whole
    store.restore()
    for key, array in store.state().items():
        np.testing.assert_array_equal(array, before[key])


def test_85_no_kernel_needs_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in KERNELS.glob("*.cl"):
        code = "\n".join(line.partition("//")[0] for line in path.read_text(encoding="utf-8").splitlines())
        assert "double" not in code and "fp64" not in code, path.name
    monkeypatch.setattr(runtime, "load", lambda: fake_cl(("Toy", [fake_device()])))
    (found,) = runtime.enumerate_devices()
    assert found.fp64 is False and found.kind == "gpu"


def test_86_no_kernel_needs_a_large_work_group() -> None:
    for path in KERNELS.glob("*.cl"):
        code = path.read_text(encoding="utf-8")
        assert "barrier(" not in code and "__local" not in code and "get_local" not in code, path.name


@here
def test_87_wrong_results_quarantine_the_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    p = selftest.program()
    wanted = selftest.expected(p, selftest.inputs(p))
    right = {k: a.copy() for k, a in wanted.items()}
    assert selftest.compare(p, right, wanted) is None
    for op in p.ops:
        for bad in (1.01, np.nan):
            found = dict(right)
            found[op.out.id] = right[op.out.id] * bad
            wrong = selftest.compare(p, found, wanted)
            assert wrong is not None and op.kind in str(wrong)
    # a device whose kernels compute something else is refused, and stays so until driver or kernels change
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path))
    from engine.backends.opencl import chain

    monkeypatch.setitem(chain.RULES, "tanh", lambda c, op, x, _: (f"1.001f * {c.function('tanh')}({x[0]})",))
    verdict, reason = selftest.test(device_ids()[0])
    assert verdict == "refused" and "tanh" in str(reason)


def test_verdicts_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path))
    found = runtime.Found("opencl:toy:0", "Toy", "Toy", "1", "Toys", "1", "gpu", 8, 1, 2**30, False)
    asked: list[list[str]] = []

    def answer(arguments: list[str], seconds: float) -> dict[str, Any]:
        asked.append(arguments)
        if arguments[0] == "list":
            return {"devices": [found.__dict__]}
        return {"verdict": "refused", "template": "off by {error}", "values": {"error": 3}}

    monkeypatch.setattr(devices, "ask", answer)
    assert [d.verdict for d in list_devices(test=False)] == ["ok", "untested"]
    assert [d.verdict for d in list_devices()] == ["ok", "refused"]
    assert [str(d.reason) for d in list_devices()][1] == "off by 3"
    assert asked.count(["test", "opencl:toy:0"]) == 1
    list_devices(fresh=True)
    assert asked.count(["test", "opencl:toy:0"]) == 2
    (tmp_path / "devices.json").write_text("{ damaged")
    assert [d.verdict for d in list_devices()] == ["ok", "refused"]


# ---- choosing ---------------------------------------------------------------------------------------


def test_89_two_gpus_are_two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [fake_device("Card A"), fake_device("Card B", max_compute_units=16)]
    monkeypatch.setattr(
        runtime,
        "load",
        lambda: fake_cl(
            ("NVIDIA CUDA", cards), ("Portable Computing Language", [fake_device("Cores", "CPU")])
        ),
    )
    assert [(f.id, f.name) for f in runtime.enumerate_devices()] == [
        ("opencl:nvidia:0", "Card A"),
        ("opencl:nvidia:1", "Card B"),
        ("opencl:pocl:0", "Cores"),
    ]
    every = [
        info("opencl:nvidia:0", name="Card A"),
        info("opencl:nvidia:1", name="Card B", units=16),
        info("opencl:pocl:0", kind="cpu"),
    ]
    assert choose("auto", every).id == "opencl:nvidia:1"
    assert choose("card a", every).id == "opencl:nvidia:0"


def test_choosing() -> None:
    every = [
        devices.numpy_device(),
        info("opencl:pocl:0", kind="cpu"),
        info("opencl:intel:0", kind="cpu"),
        info("opencl:odd:0", "refused"),
    ]
    assert choose("auto", every).id == "opencl:intel:0"
    assert choose("opencl", every).id == "opencl:intel:0"
    assert choose("numpy", every).id == "numpy"
    assert choose("OPENCL:POCL:0", every).id == "opencl:pocl:0"
    with pytest.raises(DeviceError, match="cannot be used: because"):
        choose("odd", every)
    with pytest.raises(DeviceError, match="There are: numpy, opencl:pocl:0"):
        choose("nowhere", every)
    only = [every[0], every[3]]
    assert choose("auto", only).id == "numpy" and "refused: because" in str(choose("auto", only).reason)
    with pytest.raises(DeviceError, match="No OpenCL device"):
        choose("opencl", only)


# ---- drivers ----------------------------------------------------------------------------------------


def test_drivers_are_merged_into_one_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    system = tmp_path / "vendors"
    system.mkdir()
    (system / "pocl.icd").write_text("libpocl.so\n")
    monkeypatch.setattr(icd, "SYSTEM_FOLDER", system)
    monkeypatch.setattr(icd, "intel_driver", lambda: "/pip/libintelocl.so")
    monkeypatch.setattr(icd, "nvidia_driver", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("MATRIZEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(icd.VARIABLE, raising=False)
    icd.prepare()
    folder = Path(__import__("os").environ[icd.VARIABLE])
    assert {p.name: p.read_text().strip() for p in folder.iterdir()} == {
        "pocl.icd": "libpocl.so",
        "matrizen-intel-cpu.icd": "/pip/libintelocl.so",
    }
    monkeypatch.setenv(icd.VARIABLE, "/the/user's")
    icd.prepare()
    assert __import__("os").environ[icd.VARIABLE] == "/the/user's"


def test_nvidia_without_icd_file_is_named_by_path(tmp_path: Path) -> None:
    assert icd.nvidia_driver([tmp_path]) is None
    (tmp_path / icd.NVIDIA_LIBRARY).touch()
    assert icd.nvidia_driver([tmp_path]) == str(tmp_path / icd.NVIDIA_LIBRARY)


@here
def test_the_real_devices_pass_in_their_own_process() -> None:
    answer = devices.ask(["list"], devices.LISTING_SECONDS)
    assert isinstance(answer, dict)
    assert tuple(d["id"] for d in answer["devices"]) == device_ids()
    assert json.dumps(answer)
    for id in device_ids():
        assert devices.test_device(id)[0] == "ok"
