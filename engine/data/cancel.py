"""Long loading: how far it is, and how a person stops it."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import N_, DataError

Progress = Callable[[int, int], None]  # (done, total)
Cancel = Callable[[], bool]  # True: stop


class LoadCanceled(DataError):
    """The person canceled loading; nothing was changed."""


def check_cancel(cancel: Cancel | None) -> None:
    """Raise LoadCanceled when `cancel` says so."""
    if cancel is not None and cancel():
        raise LoadCanceled(N_("Loading was canceled; the data in use stays."))
