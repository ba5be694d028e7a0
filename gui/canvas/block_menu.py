"""What the menu of the right button offers for blocks, and for layers that could become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gui.i18n import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from gui.canvas.view import CanvasView


class Add(Protocol):
    """Adds one entry to the menu."""

    def __call__(self, text: str, icon: str, act: Callable[[], object], key: str = "") -> None: ...


def fill(view: CanvasView, add: Add) -> None:
    """Entries for what is selected."""
    canvas, document = view.canvas, view.document
    chosen, blocks = canvas.selected, canvas.blocks
    found = [u for u in chosen if u in blocks]
    if len(chosen) == 1 and found:
        uid = found[0]
        words = tr("Unfold") if blocks[uid].folded else tr("Fold")
        add(words, "block", view.toggle_blocks, "Ctrl+U")
        add(tr("Rename"), "rename", view.rename_selected, "F2")
        owners = {document.node(u).owner for u in blocks.layers(uid)}
        learning = [o for o in owners if any(p.trained for p in document.inference.params.get(o, ()))]
        if learning:
            frozen = all(document.node(o).frozen for o in learning)
            words = tr("Unfreeze the weights") if frozen else tr("Freeze the weights")
            add(words, "freeze", lambda: view.attempt(lambda: document.freeze(uid, not frozen)))
        add(tr("Keep in my blocks"), "save", lambda: view.keep_wanted.emit(uid))
        add(tr("Dissolve block"), "", view.dissolve_selection, "Ctrl+Shift+G")
    else:
        add(tr("Fold into block"), "block", view.fold_selection, "Ctrl+G")
        if found:
            add(tr("Dissolve block"), "", view.dissolve_selection, "Ctrl+Shift+G")
    if any(u in blocks.parents and u not in canvas.hosts for u in chosen):
        add(tr("Take out of the block"), "", view.take_out_selection)
