"""What becomes of dropped files: a project opens, data train, a picture is classified and seen as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from engine.data.drop import Recognized
from engine.data.pictures import Picture, read_picture, to_input
from engine.errors import N_, Message
from engine.session.protocol import Prediction
from gui.dialogs.picture_dialog import PictureDialog
from gui.i18n import tr, tr_message
from gui.sounds import Sounds
from gui.workbench import Workbench

if TYPE_CHECKING:
    from gui.main_window import MainWindow

MOST = 16
"""Pictures classified at once; of more the first are taken."""


@dataclass(frozen=True, eq=False)
class Read:
    """A picture as read, and as the network gets it (None: the network takes no pictures)."""

    picture: Picture
    x: np.ndarray | None


class Pictures(QObject):
    """Takes what was recognized, for one window."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window)
        self._window, self._bench = window, bench
        self.dialog: PictureDialog | None = None
        self.sounds = Sounds(window, bench)

    def take(self, found: Recognized) -> None:
        """Do what belongs to this kind of file."""
        bench = self._bench
        if found.kind == "project":
            commands = self._window.commands
            if commands is not None:
                commands.open_path(Path(found.paths[0]))
        elif found.kind == "data" and found.spec is not None:
            spec = self.sounds.fitting(found.spec)
            bench.exchange.load_data(spec, tr("Loading {file}").format(file=Path(found.paths[0]).name))
        elif found.kind == "block":
            commands = self._window.commands
            if commands is not None:
                commands.blocks.take(found.paths)
        elif found.kind == "weights":
            bench.exchange.import_weights(Path(found.paths[0]))
        elif found.kind == "sound":
            self.sounds.open(found.paths[0])
        elif found.kind == "picture":
            if len(found.paths) > MOST:
                text = tr("The first {n} of {count} pictures are shown.")
                bench.told.emit(text.format(n=MOST, count=len(found.paths)), "info", "", None)
            elif "left" in found.message.values:
                bench.told.emit(tr_message(found.message), "info", "", None)
            self.open(found.paths)
        else:
            bench.cannot(found.message)

    def open(self, paths: tuple[str, ...]) -> None:
        """Read pictures off the window's thread, then show and classify them."""
        configured = self._bench.configured
        shape = configured.data.spec.shape if configured is not None else ()
        source = self._bench.document.source
        policy = source.resize if source is not None else "fit"
        if source is not None and source.kind == "audio":
            shape = ()

        def work(progress: Any, canceled: Any) -> list[Read]:
            out = []
            for number, path in enumerate(paths[:MOST]):
                if canceled():
                    break
                picture = read_picture(Path(path))
                x = to_input(picture, shape, policy) if len(shape) == 3 and shape[0] in (1, 3) else None
                out.append(Read(picture, x))
                progress(number + 1, len(paths))
            return out

        self._bench.tasks.run("pictures", tr("Reading pictures"), work, self._show, self._bench.cannot)

    def _show(self, found: list[Read]) -> None:
        if not found:
            return
        configured = self._bench.configured
        before = self.dialog
        self.dialog = PictureDialog([read.picture for read in found], self._window)
        if before is not None:  # the next picture takes the place of the last
            self.dialog.setGeometry(before.geometry())
            before.close()
        shown = self.dialog
        shown.finished.connect(lambda _result: self._closed(shown))
        self._window.drops.watch(self.dialog)
        self.dialog.show()
        ready = [read.x for read in found if read.x is not None]
        if configured is None or not ready or len(ready) != len(found):
            self.dialog.set_reason(self._why_not())
            return
        dialog = self.dialog
        dialog.set_inputs(np.stack(ready))

        def answered(result: Prediction | None, error: Message | None) -> None:
            if result is None:
                dialog.set_reason(tr_message(error or Message(N_("The engine gave no answer."))))
            else:
                dialog.set_prediction(
                    result, configured, self._bench.document.graph, self._bench.status.step > 0
                )

        self._bench.runner.predict(np.stack(ready), ("*",), answered)

    def _closed(self, dialog: PictureDialog) -> None:
        if self.dialog is dialog:
            self.dialog = None

    def _why_not(self) -> str:
        if self._bench.configured is None:
            return tr("To classify a picture, draw a network that can run.")
        source = self._bench.document.source
        if source is not None and source.kind == "audio":
            return tr("This network was made for sounds, not for pictures.")
        return tr("This network was made for numbers, not for pictures.")
