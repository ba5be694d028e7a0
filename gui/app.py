"""Starts the window: application, theme, language, engine, and the net under everything that may fail."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEvent, QObject, QSize, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from gui import i18n, icons, probe, resources, theme, warm_up
from gui.actions import Actions
from gui.commands import Commands
from gui.i18n import tr
from gui.main_window import MainWindow
from gui.runner import Runner
from gui.sweeping import Sweeper
from gui.windows_state import WindowsState
from gui.workbench import Workbench

_log = logging.getLogger("matrizen")
FIRST = "circle"


class Application(QApplication):
    """`file_requested(path)`: the system asks to open a file (macOS sends it as an event)."""

    file_requested = Signal(str)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            self.file_requested.emit(event.file())
            return True
        return super().event(event)


class Net(QObject):
    """Catches what nobody caught: logs it and tells the person; the window goes on."""

    caught = Signal(str)

    def install(self) -> None:
        """Become the handler of uncaught exceptions."""
        sys.excepthook = self._catch

    def remove(self) -> None:
        """Leave the last exceptions of the program to Python."""
        sys.excepthook = sys.__excepthook__

    def _catch(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        _log.error("uncaught", exc_info=(kind, error, trace))
        try:
            self.caught.emit(f"{kind.__name__}: {error}")
        except RuntimeError:
            pass  # the window is gone already; the log has it


def main(file: str | None = None) -> int:
    """Open the window, with a project in it if `file` names one; the exit status."""
    start_log()
    app = Application(sys.argv[:1])
    app.setApplicationName("Matrizen")
    app.setApplicationDisplayName("Matrizen")
    app.setOrganizationName("Matrizen")
    app.setDesktopFileName("matrizen")
    app.setWindowIcon(icons.icon("matrix", "linear", 64))
    Sweeper(app)
    state = WindowsState()
    i18n.install(state.language)
    theme.set_theme(state.theme)
    net = Net()
    net.install()
    runner = Runner()
    bench = Workbench(state, runner)
    actions = Actions()
    window = MainWindow(bench, actions)
    commands = Commands(window, bench, actions)
    probe.install(window)
    net.caught.connect(
        lambda text: bench.told.emit(tr("Something went wrong: {text}").format(text=text), "error", "", None)
    )
    app.file_requested.connect(lambda name: commands.open_path(Path(name)))
    show(window, state)
    first = Path(file) if file is not None else resources.path("samples", f"{FIRST}.matrizen")
    QTimer.singleShot(0, lambda: begin(commands, bench, first, named=file is not None))
    QTimer.singleShot(1500, warm_up.start)
    QTimer.singleShot(4000, settle_memory)
    # Ctrl+C in the terminal is only seen while Python runs now and then
    heart = QTimer()
    heart.start(500)
    heart.timeout.connect(lambda: None)
    status = app.exec()
    bench.close()
    runner.close()
    net.remove()
    return int(status)


def begin(commands: Commands, bench: Workbench, path: Path, *, named: bool) -> None:
    """The first project: the one named, else the circle, drawn and paused."""
    if named:
        commands.take([str(path)])
    elif path.is_file():
        bench.open(path)
    else:
        bench.new()
    bench.runner.find_devices()


def show(window: MainWindow, state: WindowsState) -> None:
    """Show the window where it was; the first time in a size that fits the screen, or all of it."""
    saved = state.bytes_of("geometry")
    if saved is not None and window.restoreGeometry(saved):
        window.show()
        return
    screen = window.screen().availableGeometry()
    size = QSize(1600, 1000)
    window.resize(size.boundedTo(screen.size()))
    if screen.width() < size.width() * 1.06 or screen.height() < size.height() * 1.06:
        # the frame of the window would not fit on the screen
        window.showMaximized()
        return
    window.move(screen.center() - window.rect().center())
    window.show()


def settle_memory() -> None:
    """What the start made stays: the garbage collector need not walk through it, 40 ms a time, ever again."""
    gc.collect()
    gc.freeze()


def start_log() -> None:
    """Warnings and faults go to a file beside the person's other state, and to a terminal if there is one."""
    base = (
        os.environ.get("XDG_STATE_HOME")
        or os.environ.get("LOCALAPPDATA")
        or str(Path.home() / ".local/state")
    )
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    try:
        folder = Path(base) / "matrizen"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "window.log"
        if file.exists() and file.stat().st_size > 2_000_000:
            file.replace(folder / "window.old.log")
        handlers.append(logging.FileHandler(file, encoding="utf-8", delay=True))
    except OSError:
        pass  # a read-only home is no reason not to start
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=handlers
    )
