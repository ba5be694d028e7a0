"""Looks at the window for a lesson: what is running, open, selected and shown at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.lessons.conditions import Seen

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def see(window: MainWindow, actions: frozenset[str]) -> Seen:
    """What can be observed now; `actions` were triggered since the step began."""
    bench = window.bench
    document, status = bench.document, bench.status
    shown = {}
    for name, dock in window.docks.items():
        if dock.isVisible():
            shown[name] = dock.target.value if dock.target is not None else ""
    for name in ("palette", "inspector"):
        if window.panels()[name].isVisible():
            shown[name] = ""
    if window.loss_dock.isVisible():
        shown["loss"] = ""
    commands = window.commands
    return Seen(
        document.graph, document.training, status.running, status.step, status.epoch, _phase(window),
        status.loss, status.test_accuracy, status.device, window.selection(), window.live.opened_cell(),
        shown, window.docks["activations"].sample, document.source.kind if document.source else "",
        commands is not None and commands.pictures.dialog is not None, lab_of(window), actions,
    )  # fmt: skip


def lab_of(window: MainWindow) -> str:
    """The lab that stands over the working area, "" for none."""
    return window.labs.name


def _phase(window: MainWindow) -> str:
    status, configured = window.bench.status, window.bench.configured
    if status.op is None or configured is None or not configured.program.ops:
        return ""
    ops = configured.program.ops
    return str(ops[max(0, min(status.op, len(ops)) - 1)].phase.name.lower())
