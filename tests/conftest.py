"""What every test shares: no screen, no traces in the user's folders, and which devices must exist.

`MATRIZEN_REQUIRE_OPENCL` names the OpenCL drivers that must be there, separated by commas: `pocl`,
`intel`. A test that finds no such device calls `opencl_required.missing("pocl")`: it is skipped on
a machine of which nothing is required and fails where it is (CI requires both).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# before Qt is imported; journeys are started with a real platform in the environment
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# texts are compared in English whatever the machine speaks
for _name in ("LANGUAGE", "LC_ALL", "LANG"):
    os.environ.pop(_name, None)
os.environ["LC_ALL"] = "C.UTF-8"
# settings and recent files belong to the person, not to the tests; caches may be shared
_home = tempfile.TemporaryDirectory(prefix="matrizen-tests-")
os.environ["XDG_CONFIG_HOME"] = _home.name
os.environ["XDG_STATE_HOME"] = _home.name
os.environ["XDG_DATA_HOME"] = _home.name

settings.register_profile("matrizen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("matrizen")


class RequiredDevices:
    """Which OpenCL drivers this run must find; see the module's text."""

    def __init__(self, text: str) -> None:
        self.kinds = frozenset(word.strip().lower() for word in text.split(",") if word.strip())

    def missing(self, kind: str, why: str = "") -> NoReturn:
        """Report that no device of `kind` ("pocl", "intel") was found: fail if required, else skip."""
        text = f"no OpenCL device of kind {kind!r}" + (f": {why}" if why else "")
        if kind in self.kinds:
            pytest.fail(f"{text}, but MATRIZEN_REQUIRE_OPENCL asks for it")
        pytest.skip(text)


@pytest.fixture(scope="session")
def opencl_required() -> RequiredDevices:
    """The drivers named by MATRIZEN_REQUIRE_OPENCL."""
    return RequiredDevices(os.environ.get("MATRIZEN_REQUIRE_OPENCL", ""))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder says what a test needs: tests/journeys a screen, tests/parity PyTorch."""
    for item in items:
        parts = Path(item.path).parts
        if "journeys" in parts:
            item.add_marker(pytest.mark.journey)
            if not sys.platform.startswith("linux"):
                item.add_marker(pytest.mark.skip(reason="journeys drive X11"))
        if "parity" in parts:
            item.add_marker(pytest.mark.parity)
