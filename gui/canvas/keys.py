"""Single keys and shortcuts of the canvas; they act only while it has the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from engine.graph import Uid

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView

ARROWS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}  # fmt: skip


def _keys(view: CanvasView) -> dict[str, Callable[[], object]]:
    return {
        "Del": view.delete_selection, "Backspace": view.delete_selection, "Ctrl+D": view.duplicate_selection,
        "Ctrl+C": view.copy_selection, "Ctrl+X": view.cut_selection, "Ctrl+V": view.paste,
        "Ctrl+A": view.select_all, "F2": view.rename_selected, "Shift+A": view.open_search,
        "F": view.fit, "Home": view.fit, "+": lambda: view.zoom_by(1.25), "-": lambda: view.zoom_by(0.8),
        "Ctrl+G": view.fold_selection, "Ctrl+Shift+G": view.dissolve_selection, "Ctrl+U": view.toggle_blocks,
        "Return": lambda: _open(view), "Enter": lambda: _open(view),
        "Ctrl+Z": view.document.undo, "Ctrl+Shift+Z": view.document.redo, "Ctrl+Y": view.document.redo,
    }  # fmt: skip


def press(view: CanvasView, event: QKeyEvent) -> bool:
    """Do what a key asks for; False for a key that means nothing here."""
    key = Qt.Key(event.key())
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if key in ARROWS and plain in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
        _walk(view, *ARROWS[key], extend=bool(plain & Qt.KeyboardModifier.ShiftModifier))
        return True
    if key in ARROWS and plain == Qt.KeyboardModifier.ControlModifier:
        _nudge(view, *ARROWS[key])
        return True
    if event.text() in ("+", "-") and plain in (
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.ShiftModifier,
    ):
        name = event.text()
    else:
        name = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
        name = name.replace("Num+", "")
    act = _keys(view).get(name)
    if act is None:
        return False
    act()
    return True


def claims(view: CanvasView, event: QKeyEvent) -> bool:
    """Keys that the canvas takes although the window has a shortcut for them."""
    if event.key() == Qt.Key.Key_Space:
        return space_is_ours(view) and event.modifiers() == Qt.KeyboardModifier.NoModifier
    return event.key() in ARROWS and not event.modifiers() & Qt.KeyboardModifier.AltModifier


def space_is_ours(view: CanvasView) -> bool:
    """Space pans here, but only when the window still hears of a plain tap."""
    return view.receivers("2space_tapped()") > 0


def _open(view: CanvasView) -> None:
    if len(view.canvas.selected) == 1 and view.canvas.selected[0] in view.canvas.blocks:
        view.toggle_blocks()
    elif len(view.canvas.selected) == 1:
        view.node_opened.emit(view.canvas.selected[0])


def _nudge(view: CanvasView, dx: int, dy: int) -> None:
    """Move the selection by one step of the grid."""
    chosen = set(view.canvas.blocks.expanded(view.canvas.selected))
    chosen |= {guest for guest, host in view.canvas.hosts.items() if host in chosen}
    places = view.document.state.positions
    moved = {u: (places[u][0] + 8 * dx, places[u][1] + 8 * dy) for u in chosen if u in places}
    if moved:
        view.document.move(moved, key="keys/" + "/".join(sorted(moved)))


def _walk(view: CanvasView, dx: int, dy: int, extend: bool) -> None:
    """Move the selection to the nearest node in a direction; along links first to left and right."""
    canvas = view.canvas
    nodes = {n.uid: n.rect().center() for n in canvas.visible_nodes()}
    if not nodes:
        return
    current = canvas.shown(canvas.selected[-1]) if canvas.selected else None
    if current not in nodes:
        first = min(nodes, key=lambda u: (nodes[u].y(), nodes[u].x()))
        canvas.select([first], keyboard=True)
        view.show_in_sight(first)
        return
    goal = _linked(view, current, dx) if dx else None
    if goal is None:
        goal = _nearest(nodes, current, dx, dy)
    if goal is not None:
        canvas.select((*canvas.selected, goal) if extend else [goal], keyboard=True)
        view.show_in_sight(goal)


def _linked(view: CanvasView, uid: Uid, dx: int) -> Uid | None:
    graph, canvas = view.document.graph, view.canvas
    if uid in canvas.blocks:
        inside = canvas.blocks.layers(uid)
        ends = [(k.source, k.target) if dx > 0 else (k.target, k.source) for k in graph.links]
        found = [far for near, far in ends if near in inside and far not in inside]
    elif dx > 0:
        found = [k.target for k in graph.outputs_of(canvas.source_of(uid))]
    else:
        found = [k.source for k in graph.inputs_of(uid)]
    return canvas.shown(found[0]) if found else None


def _nearest(nodes: dict[Uid, QPointF], current: Uid, dx: int, dy: int) -> Uid | None:
    at = nodes[current]

    def cost(uid: Uid) -> float:
        way = nodes[uid] - at
        along, across = (way.x() * dx, abs(way.y())) if dx else (way.y() * dy, abs(way.x()))
        return along + 2 * across if along > 1 else float("inf")

    best = min((u for u in nodes if u != current), key=cost, default=None)
    return best if best is not None and cost(best) < float("inf") else None
