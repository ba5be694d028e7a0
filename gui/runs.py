"""The past of the run in the window: the time line asks for steps, lines of the run are kept and chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from engine.session.protocol import Chosen
from engine.session.views import LineData, Past, PastData, ViewData
from gui.canvas.layout import completed
from gui.i18n import tr, tr_message
from gui.panels.time_line import OtherLine, Reach
from gui.watching import Wish
from gui.workbench import Workbench

if TYPE_CHECKING:
    from gui.main_window import MainWindow

MEGABYTE = 1_000_000
CAP = 500
"""Megabytes of history unless the person chooses another number."""


class Runs(QObject):
    """Watches the past of the run and hands it to time line and loss dock; sends what the person wants."""

    changed = Signal()
    """`past` is another one."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window)
        self._window, self._bench = window, bench
        self.past: PastData | None = None
        bench.runner.chosen.connect(self._chosen)
        bench.runner.restarted.connect(self._told_again)
        bench.status_changed.connect(self._announce)
        self._line = (0, 1)
        if self.cap != CAP:
            self._bench.runner.set_history(self.cap * MEGABYTE)

    # ---- what arrives ------------------------------------------------------------------------------------

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        return {"past": Wish(Past(), rate=3.0, turn=2)} if self._bench.configured is not None else {}

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if isinstance(data, PastData):
            self.past = data
            self.show()

    def show(self) -> None:
        """Hand what is known to the panels, which may be new ones."""
        past = self.past
        if past is None:
            return
        others = [line for line in past.lines if line.number != past.line]
        reason = tr_message(past.reason) if past.reason is not None else tr("Too long ago to be kept.")
        kept = tuple(int(step) for step in past.kept)
        self._window.time_line.set_past(Reach(past.first, reason, kept, tuple(map(_drawn, others))))
        self._window.loss_dock.set_lines([(run_name(line.number), line) for line in others])
        self.changed.emit()

    def _announce(self, status: Any) -> None:
        """Say once when the run went another way, for nobody pressed a button for it."""
        before, self._line = self._line, (status.run, status.line)
        known = self.past is None or status.line in (line.number for line in self.past.lines)
        if before[0] == status.run and status.line > before[1] and not known:
            text = tr("{name} goes its own way from step {n}; the run before is kept.").format(
                name=run_name(status.line), n=status.end
            )
            self._bench.told.emit(text, "info", tr("Runs"), self._open)

    def _open(self) -> None:
        if self._window.commands is not None:
            self._window.commands.show_runs()

    def _chosen(self, chosen: Chosen) -> None:
        state = self._bench.document.state
        wanted = replace(state, graph=chosen.graph, training=chosen.training)
        if chosen.source != state.source:
            wanted = replace(wanted, source=chosen.source, data=chosen.data)
        live = self._window.live
        live.quiet = True
        try:
            text = tr("Go on with {name}").format(name=run_name(chosen.line))
            self._bench.document.edit(completed(wanted), text)
        finally:
            live.quiet = False

    def _told_again(self, _state: Any) -> None:
        self.past = None

    # ---- what the person wants -----------------------------------------------------------------------------

    def go_to(self, step: int) -> None:
        """Show a step."""
        if self._bench.configured is not None:
            self._bench.runner.go_to(step)

    def back(self) -> None:
        """One step back."""
        self.go_to(max(0, self._bench.status.step - 1))

    def newest(self) -> None:
        """The step that was reached last."""
        self.go_to(self._bench.status.end)

    def best(self) -> None:
        """The step with the lowest watched loss."""
        if (step := self._bench.status.best) is not None:
            self.go_to(step)

    def branch(self) -> None:
        """From the step shown a line of its own begins."""
        if self._bench.configured is not None:
            self._bench.runner.branch()

    def choose(self, number: int) -> None:
        """Go on with another line."""
        self._bench.runner.choose_line(number)

    def remove(self, number: int) -> None:
        """Forget another line."""
        self._bench.runner.remove_line(number)

    @property
    def cap(self) -> int:
        """Megabytes that the past may take."""
        return self._bench.state.whole("history_mb", CAP, 0, 1_000_000)

    @cap.setter
    def cap(self, megabytes: int) -> None:
        self._bench.state.set_whole("history_mb", megabytes)
        self._bench.runner.set_history(self.cap * MEGABYTE)


def run_name(number: int) -> str:
    """What a line of the run is called."""
    return tr("Run {n}").format(n=number)


def _drawn(line: LineData) -> OtherLine:
    return OtherLine(line.end, tuple(float(s) for s in line.steps), tuple(float(v) for v in line.mean))
