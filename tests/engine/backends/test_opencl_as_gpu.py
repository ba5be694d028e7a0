"""The kernels as a GPU would get them, built and run on the CPU devices there are.

No test machine has a GPU: this shows that the code for one builds and computes the right numbers with any
work-group, not how fast it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.backends.opencl import jobs, programs, runtime, selftest
from engine.backends.opencl.backend import OpenCLBackend
from engine.ops import REGISTRY, Case
from tests.engine.backends import opencl_help, test_opencl_ops, test_opencl_plan
from tests.engine.backends.opencl_help import all_cases, device_ids, odd_cases

pytestmark = [
    pytest.mark.skipif(not device_ids(), reason="no OpenCL device here"),
    pytest.mark.slow,
    pytest.mark.timeout(600),  # some drivers compile for minutes the first time
]
thorough = pytest.mark.thorough
PRIVATE_BYTES = 8192
"""What a work-item may keep to itself; more than that would be spilled everywhere."""


def as_gpu(id: str) -> OpenCLBackend:
    device = runtime.open_device(id)
    device.found = replace(device.found, kind="gpu", fp64=False)
    return OpenCLBackend(device)


class Enqueuing:
    """pyopencl whose launches have work-groups of another size, never one above `most`."""

    def __init__(self, cl: Any, most: int) -> None:
        self._cl, self.most, self.launches = cl, most, 0

    def enqueue_nd_range_kernel(self, queue: Any, kernel: Any, size: Any, local: Any) -> Any:
        assert local is None or int(np.prod(local)) == 1, "a limit of 1 would refuse this"
        self.launches += 1
        # the largest group that divides the first dimension: 1, or odd numbers with a limit like 7
        first = max(n for n in range(1, self.most + 1) if size[0] % n == 0)
        return self._cl.enqueue_nd_range_kernel(queue, kernel, size, (first, *[1] * (len(size) - 1)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cl, name)


@pytest.fixture(params=device_ids())
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenCLBackend]:
    engine = as_gpu(request.param)
    monkeypatch.setattr(opencl_help, "backend", lambda device: engine)
    yield engine


def test_the_self_test_passes(gpu: OpenCLBackend) -> None:
    assert selftest.test(gpu.name, gpu)[0] == "ok"


@pytest.mark.parametrize("cases", [odd_cases, pytest.param(all_cases, marks=thorough)])
def test_every_op(
    gpu: OpenCLBackend, monkeypatch: pytest.MonkeyPatch, cases: Callable[[], list[tuple[str, int, Case]]]
) -> None:
    built: list[tuple[str, list[Any]]] = []

    def build(device: Any, text: str, names: Any) -> list[Any]:
        kernels = programs.build(device, text, names)
        built.append((text, kernels))
        return kernels

    monkeypatch.setattr(jobs, "build", build)
    chosen = cases()
    assert {kind for kind, _, _ in chosen} == REGISTRY.keys()
    for kind, number, case in chosen:
        test_opencl_ops.test_matches_reference(gpu.name, kind, number, case)
    assert len(built) >= len(chosen)
    facts, handle = gpu._device.cl.kernel_work_group_info, gpu._device.handle
    for text, kernels in built:
        no_doubles(text)
        for kernel in kernels:
            name = kernel.function_name
            assert kernel.get_work_group_info(facts.LOCAL_MEM_SIZE, handle) == 0, name
            assert list(kernel.get_work_group_info(facts.COMPILE_WORK_GROUP_SIZE, handle)) == [0, 0, 0], name
            assert kernel.get_work_group_info(facts.PRIVATE_MEM_SIZE, handle) <= PRIVATE_BYTES, name


def no_doubles(text: str) -> None:
    """Nothing in a source needs fp64: no such type, and every constant with a fraction is a float."""
    code = re.sub(r"//[^\n]*", "", text)
    assert not re.search(r"\bdouble|cl_khr_fp64", code)
    fraction = r"(?<![\w.])(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\dfF.eE])"
    power = r"\b\d+[eE][+-]?\d+\b(?![fF])"
    found = re.findall(f"{fraction}|{power}", code)
    assert not found, found[:5]


def test_a_constant_without_its_f_is_found() -> None:
    no_doubles("float a = 1.0f + 2.5e-3f + .5f + 1e-3f; // 1.0 here\n int n = x.s0 + 12; v.s01 = f2.xy;")
    for bad in ("1.0", "x + .5;", "2.5e-3)", "1e-3 ", "double d;"):
        with pytest.raises(AssertionError):
            no_doubles(f"float a = {bad}")


@pytest.mark.parametrize("most", [1, 7])
def test_any_work_group_gives_the_same_numbers(gpu: OpenCLBackend, most: int) -> None:
    """A limit of 1 and odd groups: every op's outputs are bitwise those of the driver's own choice."""
    cases = {kind: case for kind, _, case in odd_cases()}
    own = {kind: opencl_help.compute(gpu.name, kind, case) for kind, case in cases.items()}
    real = gpu._device.cl
    gpu._device.cl = limited = Enqueuing(real, most)
    for kind, case in cases.items():
        for got, want in zip(opencl_help.compute(gpu.name, kind, case), own[kind], strict=True):
            np.testing.assert_array_equal(got, want, err_msg=kind)
    assert limited.launches >= len(cases)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_whole_steps(gpu: OpenCLBackend, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_opencl_plan, "backend", lambda device: gpu)
    test_opencl_plan.test_fast_and_traced_are_bitwise_equal(gpu.name, name, 20)
    test_opencl_plan.test_agrees_with_numpy(gpu.name, name)


@thorough
@pytest.mark.parametrize("id", device_ids())
def test_a_cpu_with_a_limit_of_one(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    device = runtime.open_device(id)
    device.cl = Enqueuing(device.cl, 1)
    engine = OpenCLBackend(device)
    assert selftest.test(id, engine)[0] == "ok"
    monkeypatch.setattr(test_opencl_plan, "backend", lambda device: engine)
    test_opencl_plan.test_fast_and_traced_are_bitwise_equal(id, "cnn", 20)
