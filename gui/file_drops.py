"""Files dragged from another program: what a drop would do is said while they hang, then it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from engine.data.drop import Recognized, recognize
from engine.errors import N_, Message
from gui.i18n import tr, tr_message
from gui.loading import Task
from gui.panels.drop_mark import DropMark

if TYPE_CHECKING:
    from gui.workbench import Workbench

FAR = Message(N_("Only files of this computer can be dropped; save it as a file first."))
Show = Callable[[str, Message | None, bool], None]
"""show(what a drop does, "" while nothing hangs; what the files are; whether they are refused)"""


class FileDrops(QObject):
    """Belongs to one window; its main window, docks and dialogs hand their drag events over."""

    def __init__(self, bench: Workbench, show: Show, take: Callable[[list[str]], None]) -> None:
        super().__init__(bench)
        self._bench, self._show, self._take = bench, show, take
        self._known: tuple[tuple[str, ...], Recognized | None] = ((), None)
        self._hovering = False
        self._mark: DropMark | None = None

    def enter(self, event: QDragEnterEvent) -> None:
        """Say what would happen; what the files are is looked up beside the window's thread."""
        mime = event.mimeData()
        paths = local_paths(mime)
        if not paths:
            if mime.hasUrls():
                self._hovering = True
                self._tell(tr("Nothing to drop here"), FAR, True)
            event.ignore()
            return
        if not accept_copy(event):
            return
        self._hovering = True
        if self._known[0] != paths:
            self._known = (paths, None)
            task = Task("drop", lambda _progress, _canceled: recognize([Path(p) for p in paths]), self)
            task.done.connect(lambda found: self._found(paths, found))
            for end in (task.done, task.failed, task.canceled):
                end.connect(task.deleteLater)
            task.start()
        self._say()

    def move(self, event: QDragMoveEvent) -> None:
        """Every move is answered: a program without an answer takes its files back."""
        if not local_paths(event.mimeData()) or not accept_copy(event):
            event.ignore()

    def leave(self) -> None:
        """The files went elsewhere."""
        self._hovering = False
        self._tell("", None, False)
        self._mark = None

    def drop(self, event: QDropEvent) -> None:
        """Take the files; the program they come from keeps them."""
        paths = local_paths(event.mimeData())
        self.leave()
        self._known = ((), None)  # until the next time they may have become something else
        if paths and accept_copy(event):
            self._take(list(paths))

    def watch(self, window: QWidget) -> None:
        """Another window of ours (a dialog, a detached dock) takes files as well, and says so itself."""
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        DropMark(window)
        window.destroyed.connect(self._window_gone)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent):
            self._mark = watched.findChild(DropMark)
            self.enter(event)
        elif isinstance(event, QDragMoveEvent):
            self.move(event)
        elif isinstance(event, QDragLeaveEvent):
            self.leave()
        elif isinstance(event, QDropEvent):
            self.drop(event)
        else:
            return False
        return True

    def _window_gone(self) -> None:
        self._mark = None

    def _tell(self, text: str, what: Message | None, refused: bool) -> None:
        mark = self._mark
        if mark is None:
            self._show(text, what, refused)
        elif text:
            mark.show_over(text, tr_message(what) if what is not None else "", refused=refused)
        else:
            mark.hide()

    def _found(self, paths: tuple[str, ...], found: Recognized) -> None:
        if self._known[0] == paths:
            self._known = (paths, found)
            if self._hovering:
                self._say()

    def _say(self) -> None:
        found = self._known[1]
        if found is None:
            self._tell(tr("Drop pictures, sounds, folders, data or a project"), None, False)
        else:
            self._tell(self.promise(found), found.message, found.kind == "refused")

    def promise(self, found: Recognized) -> str:
        """What a drop does, in a few words."""
        if found.kind == "project":
            return tr("Drop to open this project")
        if found.kind == "data":
            return tr("Drop to train with this data")
        if found.kind == "block":
            return tr("Drop to keep it in my blocks")
        if found.kind == "weights":
            return tr("Drop to take over these weights")
        if found.kind == "refused":
            return tr("This cannot be used here")
        configured = self._bench.configured
        if found.kind == "sound":
            source = self._bench.document.source if configured is not None else None
            if source is not None and source.kind == "audio":
                return tr("Drop to see what the network says")
            return tr("Drop to see the sound as numbers")
        shape = configured.data.spec.shape if configured is not None else ()
        if len(shape) == 3:
            return tr("Drop to see what the network says")
        return tr("Drop to see the picture as numbers")


def local_paths(mime: QMimeData) -> tuple[str, ...]:
    """The files of this computer among what is dragged."""
    return tuple(url.toLocalFile() for url in mime.urls() if url.isLocalFile())


def accept_copy(event: QDropEvent) -> bool:
    """Accept as a copy, whatever is proposed: for a move the other program would delete its files."""
    for action in (Qt.DropAction.CopyAction, Qt.DropAction.LinkAction):
        if event.possibleActions() & action:
            event.setDropAction(action)
            event.accept()
            return True
    event.ignore()
    return False
