"""Nodes go where the document has them: at once, or gliding there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QVariantAnimation

from gui import theme
from gui.canvas.state import DocumentState

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene


def place(canvas: CanvasScene, old: DocumentState) -> None:
    """Put nodes where the document has them; after tidying and folding they glide there."""
    goals = {uid: canvas.goal(uid) for uid in canvas.nodes}
    moved = [
        u
        for u, p in goals.items()
        if (u in old.positions or u in canvas.blocks)
        and (canvas.nodes[u].pos() - p).manhattanLength() > 1
        and canvas.nodes[u].isVisible()
    ]
    duration = theme.duration("tidy")
    if canvas.motion is not None:
        canvas.motion.stop()
        canvas.motion = None
    if not (canvas.gliding and moved and duration and canvas.views() and canvas.views()[0].isVisible()):
        for uid, goal in goals.items():
            canvas.nodes[uid].setPos(goal)
        return
    starts = {u: canvas.nodes[u].pos() for u in moved}
    for uid, goal in goals.items():
        if uid not in starts:
            canvas.nodes[uid].setPos(goal)
    motion = QVariantAnimation(canvas)
    motion.setStartValue(0.0)
    motion.setEndValue(1.0)
    motion.setDuration(duration)
    motion.setEasingCurve(QEasingCurve.Type.OutCubic)

    def step(share: float) -> None:
        for uid, start in starts.items():
            if uid in canvas.nodes:
                canvas.nodes[uid].setPos(start + (goals[uid] - start) * share)
        canvas.reroute()

    motion.valueChanged.connect(step)
    motion.finished.connect(canvas.rested)
    canvas.motion = motion
    motion.start()
