"""Paint methods must not raise: Qt would call them again at every frame."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

_log = logging.getLogger("matrizen.canvas")
_said: set[str] = set()
F = TypeVar("F", bound=Callable[..., Any])


def guarded(method: F) -> F:
    """Log the first failure of a paint method and go on; the painter's state is restored."""

    @functools.wraps(method)
    def wrapper(self: Any, painter: Any, *args: Any) -> None:
        painter.save()
        try:
            method(self, painter, *args)
        except Exception as error:  # whatever it is, the window must go on
            text = f"{type(self).__name__}: {type(error).__name__}: {error}"
            if text not in _said:
                _said.add(text)
                _log.exception("painting %s failed", type(self).__name__)
        finally:
            painter.restore()

    return wrapper  # type: ignore[return-value]


def failures() -> frozenset[str]:
    """What failed while painting since the program started."""
    return frozenset(_said)
