"""What a person can do about a fault of the engine, as the toast that tells of it offers it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.session.protocol import Fault
from gui.document import Document
from gui.i18n import format_number, tr
from gui.runner import Runner


def offer(fault: Fault, document: Document, runner: Runner) -> tuple[str, str, Callable[[], object] | None]:
    """Level, action and handler of the toast; "" and None where nothing can be offered."""
    if fault.kind == "non_finite":
        rate = document.training.learning_rate / 10
        action = tr("Use rate {rate}").format(rate=format_number(rate))
        return "error", action, partial(document.set_training, learning_rate=rate)
    if fault.kind == "early":
        return "info", tr("Go to the best step"), partial(runner.go_to, fault.step)
    if fault.kind == "silent":
        return "warning", tr("Replace it"), runner.replace_engine
    return "warning" if fault.kind == "command" else "error", "", None
