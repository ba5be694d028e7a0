"""The fixture `backend`: every backend that is present or required, one after the other."""

from __future__ import annotations

import pytest

from engine.backends.base import Backend
from tests.contract.harness import BACKENDS, open_backend


@pytest.fixture(params=BACKENDS)
def backend_name(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    name: str = request.param
    return name


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    return open_backend(request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one kind on one backend go to one worker, so that its kernels are compiled once."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "kind" in params and "backend_name" in params:
            item.add_marker(pytest.mark.xdist_group(f"{params['backend_name']}-{params['kind']}"))
