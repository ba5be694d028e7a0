"""Screens for journeys; without Xvfb and its companions they are skipped, with the missing names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.harness import Journey, missing_tools, screen

Start = Callable[..., Journey]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(file=None, width=1600, height=1000, **settings)` gives a `Journey`; all end with the test."""
    missing = missing_tools()
    if missing:
        pytest.skip(f"journeys need {', '.join(missing)}")
    begun: list[Journey] = []
    with screen(1600, 1000) as display:

        def begin(file: Path | None = None, home: str = "home", **settings: str) -> Journey:
            journey = Journey(display, tmp_path / home, file, **settings)
            begun.append(journey)
            return journey

        try:
            yield begin
        finally:
            for journey in begun:
                journey.close()
