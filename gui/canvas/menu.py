"""The menu of the right button."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from gui import icons
from gui.canvas import block_menu
from gui.i18n import tr

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


def build(view: CanvasView) -> QMenu:
    """The menu for what is selected."""
    made = QMenu(view)
    canvas, document = view.canvas, view.document

    def add(text: str, icon: str, act: Callable[[], object], key: str = "") -> None:
        action = made.addAction(icons.icon(icon, "text2"), text) if icon else made.addAction(text)
        if key:
            # shown only: the keys themselves belong to the canvas and to the window's menu
            action.setText(f"{text}\t{QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)}")
        action.triggered.connect(lambda *_: act())

    if canvas.selected:
        if len(canvas.selected) == 1 and canvas.selected[0] not in canvas.blocks:
            uid = canvas.selected[0]
            add(tr("Open"), "matrix", lambda: view.node_opened.emit(uid), "Return")
            add(tr("Matrix lab"), "matrix", lambda: view.lab_wanted.emit(uid), "Ctrl+M")
            add(tr("Rename"), "rename", view.rename_selected, "F2")
            kind = document.node(uid).layer.kind
            add(tr("Explain this layer"), "help", lambda: view.help_requested.emit(kind))
            owner = document.node(document.node(uid).owner)
            if any(p.trained for p in document.inference.params.get(owner.uid, ())):
                words = tr("Unfreeze the weights") if owner.frozen else tr("Freeze the weights")
                add(words, "freeze", lambda: view.attempt(lambda: document.freeze(uid, not owner.frozen)))
            made.addSeparator()
        block_menu.fill(view, add)
        made.addSeparator()
        add(tr("Duplicate"), "duplicate", view.duplicate_selection, "Ctrl+D")
        add(tr("Copy"), "", view.copy_selection, "Ctrl+C")
        add(tr("Cut"), "", view.cut_selection, "Ctrl+X")
        made.addSeparator()
        chosen = canvas.selected
        add(tr("Delete"), "delete", view.delete_selection, "Del")
        add(
            tr("Delete and close the gap"),
            "",
            lambda: view.attempt(lambda: document.remove(chosen, heal=True)),
        )
    elif canvas.selected_links:
        link = canvas.selected_links[0]
        add(tr("Insert a layer …"), "add", lambda: view.open_search(link=link), "Shift+A")
        add(tr("Delete link"), "delete", view.delete_selection, "Del")
    else:
        add(tr("Add a layer …"), "add", view.open_search, "Shift+A")
        add(tr("Paste"), "", view.paste, "Ctrl+V")
        made.addSeparator()
        add(tr("Select all"), "", view.select_all, "Ctrl+A")
        add(tr("Tidy layout"), "tidy", view.tidy)
        add(tr("Fit network"), "fit", view.fit, "F")
    return made


def popup(view: CanvasView, at: QPoint) -> None:
    """Show the menu at a point of the screen; it does not block."""
    made = build(view)
    made.aboutToHide.connect(made.deleteLater)
    made.popup(at)
