"""PyTorch for the tests of this folder; `tasks.py parity` installs it and chooses them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.contract.harness import BACKENDS


@pytest.fixture(scope="session")
def torch() -> Any:
    """The module, or a failure that says what to do."""
    try:
        return importlib.import_module("torch")
    except ImportError as problem:
        pytest.fail(f"PyTorch is needed here ({problem}); `python3 tasks.py parity` installs it")


@pytest.fixture(params=BACKENDS)
def backend_name(request: pytest.FixtureRequest) -> str:
    """The name of each backend in turn."""
    name: str = request.param
    return name
