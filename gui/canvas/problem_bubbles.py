"""Which problems get a bubble under their node, and where it hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graph import Uid
from gui.canvas.bubble import BubbleItem

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

FARTHEST, SMALLEST = 0.4, 0.85
"""Zoom below which there are none, and below which they keep the size they have there."""
GAP = 4.0


def show(canvas: CanvasScene) -> None:
    """Bubbles for problems with a repair, and for the node that is selected or under the pointer."""
    graph = canvas.document.graph
    chosen: dict[Uid, BubbleItem] = {}
    for problem in canvas.document.inference.problems:
        if not graph.has(problem.node):
            continue
        uid = canvas.shown(problem.node)
        asked = uid in canvas.selected or uid == canvas.hovered
        wanted = asked or (bool(problem.repairs) and problem.blocks)
        if not wanted or uid in chosen or uid not in canvas.nodes or canvas.zoom < FARTHEST:
            continue
        known = canvas.bubbles.get(uid)
        same = known is not None and known.problem == problem
        chosen[uid] = known if same and known is not None else BubbleItem(canvas, problem)
    for uid, bubble in list(canvas.bubbles.items()):
        if chosen.get(uid) is not bubble:
            canvas.removeItem(canvas.bubbles.pop(uid))
    for uid, bubble in chosen.items():
        if uid not in canvas.bubbles:
            canvas.bubbles[uid] = bubble
            canvas.addItem(bubble)
    place_all(canvas)


def place_all(canvas: CanvasScene) -> None:
    """Below their nodes; one that would lie over another hangs lower."""
    placed: list[BubbleItem] = []
    for uid, bubble in canvas.bubbles.items():
        rect = canvas.nodes[uid].rect()
        bubble.setScale(1.0 if canvas.zoom >= SMALLEST else SMALLEST / canvas.zoom)
        bubble.setPos(rect.center().x(), rect.bottom())
        bubble.setZValue(32 if uid == canvas.hovered else 30)
        for other in placed:
            own, theirs = bubble.scene_box(), other.scene_box()
            if own.intersects(theirs):
                bubble.setPos(bubble.pos().x(), bubble.pos().y() + theirs.bottom() + GAP - own.top())
        placed.append(bubble)
