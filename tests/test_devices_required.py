"""The drivers this run must find (MATRIZEN_REQUIRE_OPENCL) pass their test; see conftest."""

from __future__ import annotations

import pytest

from engine.backends.devices import list_devices, opencl_problem
from tests.conftest import RequiredDevices


@pytest.mark.opencl
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["intel", "pocl"])
def test_a_required_driver_offers_a_device_that_passes(kind: str, opencl_required: RequiredDevices) -> None:
    found = [device for device in list_devices() if device.id.startswith(f"opencl:{kind}:")]
    refused = [f"{device.name}: {device.reason}" for device in found if device.verdict != "ok"]
    if refused or not found:
        why = "; ".join(refused) or str(opencl_problem() or "its driver is not installed")
        opencl_required.missing(kind, why)


def test_only_what_is_required_fails_when_it_is_missing() -> None:
    required = RequiredDevices(" PoCL,, ")
    with pytest.raises(pytest.skip.Exception):
        required.missing("intel")
    with pytest.raises(pytest.fail.Exception, match="MATRIZEN_REQUIRE_OPENCL asks"):
        required.missing("pocl", "none found")
