"""What a window does with the person's own blocks: keep, insert, rename, remove, take in, give away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QInputDialog

from engine.errors import MatrizenError
from gui import block_library
from gui.block_library import ENDING, Kept
from gui.canvas.clipboard import piece_of
from gui.i18n import tr, tr_message
from gui.workbench import Workbench

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class OwnBlocks(QObject):
    """Joins the library with the palette and the canvas of a window."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window)
        self._window, self._bench = window, bench

    def install(self) -> None:
        """The widgets of the window, after they were built (again)."""
        window = self._window
        window.palette_panel.shelf.asked.connect(self._asked)
        window.canvas.keep_wanted.connect(self.keep)
        page = window.inspector.block_page
        page.keep.connect(self.keep)
        page.toggled.connect(lambda uid: window.canvas.toggle_blocks([uid]))
        page.go_to.connect(window.go_to)
        self.show()

    def show(self) -> None:
        """Read the library again."""
        self._window.palette_panel.shelf.set_blocks(block_library.listed())

    def keep_selected(self) -> None:
        """Keep the block that is selected."""
        blocks = self._bench.document.blocks
        for uid in self._window.canvas.selection:
            if uid in blocks:
                self.keep(uid)

    def keep(self, uid: str) -> None:
        """Write a block into the library; one of that name is replaced when that is wanted."""
        document = self._bench.document
        if uid not in document.blocks:
            return
        name, piece = document.blocks[uid].name, piece_of(document.state, (uid,))
        before = next((k for k in block_library.listed() if k.name == name and k.piece is not None), None)

        def back() -> None:
            if before is not None and before.piece is not None:
                text = block_library.text_of(before.name, before.piece)
                self._do(lambda: block_library.write(before.path, text))

        def kept() -> None:
            block_library.keep(name, piece)
            self._window.palette_panel.shelf.head.setChecked(True)
            if before is None:
                self._tell(tr("“{name}” is in my blocks now.").format(name=name))
            else:
                words = tr("“{name}” in my blocks was replaced.").format(name=name)
                self._bench.told.emit(words, "info", tr("Undo"), back)

        self._do(kept)

    def take(self, paths: tuple[str, ...]) -> None:
        """Copy files that were dropped into the library."""
        taken: list[Kept] = []
        self._do(lambda: taken.extend(block_library.take_in(Path(path)) for path in paths))
        if taken and (piece := taken[-1].piece) is not None:
            self._window.palette_panel.shelf.head.setChecked(True)
            words = tr("“{name}” is in my blocks now.").format(name=taken[-1].name)
            canvas = self._window.canvas
            self._bench.told.emit(words, "info", tr("Insert"), lambda: canvas.insert_block(piece))

    def _asked(self, what: str, kept: Kept) -> None:
        if what == "insert" and kept.piece is not None:
            self._window.canvas.insert_block(kept.piece)
        elif what == "rename":
            self._rename(kept)
        elif what == "export":
            self._export(kept)
        elif what == "remove":
            self._remove(kept)
        elif kept.refusal is not None:
            self._tell(tr_message(kept.refusal), "warning")

    def _rename(self, kept: Kept) -> None:
        name, ok = QInputDialog.getText(self._window, tr("Rename"), tr("Name of the block"), text=kept.name)
        if ok and name.strip() != kept.name:
            self._do(lambda: block_library.rename(kept, name))

    def _export(self, kept: Kept) -> None:
        start = str(Path(self._bench.state.folder) / f"{kept.path.stem}{ENDING}")
        kinds = tr("Blocks of Matrizen") + f" (*{ENDING})"
        name, _ = QFileDialog.getSaveFileName(self._window, tr("Save a copy"), start, kinds)
        if name and kept.piece is not None:
            text = block_library.text_of(kept.name, kept.piece)
            path = Path(name if name.endswith(ENDING) else name + ENDING)
            self._do(lambda: block_library.write(path, text))

    def _remove(self, kept: Kept) -> None:
        """Removed at once; the message about it brings it back."""
        try:
            raw = kept.path.read_bytes()
        except OSError:
            raw = b""

        def back() -> None:
            self._do(lambda: block_library.write(kept.path, raw.decode("utf-8", "replace")))

        def gone() -> None:
            block_library.remove(kept)
            words = tr("“{name}” was removed from my blocks.").format(name=kept.name)
            self._bench.told.emit(words, "info", tr("Undo") if raw else "", back if raw else None)

        self._do(gone)

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except MatrizenError as error:
            self._tell(tr_message(error), "warning")
        self.show()

    def _tell(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        self._window.toasts.show_message(text, level)
