"""What lives on the canvas, painted over the `Paper` in every frame, lowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

if TYPE_CHECKING:
    from gui.canvas.node_item import NodeItem
    from gui.canvas.scene import CanvasScene

PORT_REACH = 6.0
"""How far the ports of a node reach out of it."""


class Stack:
    """The nodes in the order they lie upon each other, kept until something moves."""

    def __init__(self, canvas: CanvasScene) -> None:
        self._canvas = canvas
        self._option = QStyleOptionGraphicsItem()
        self._nodes: list[tuple[NodeItem, QRectF]] | None = None

    def forget(self) -> None:
        """Something moved, came or went."""
        self._nodes = None

    def nodes(self) -> list[tuple[NodeItem, QRectF]]:
        """The visible nodes and their places; those that lie over another's picture know it (`covers`)."""
        if self._nodes is None:
            nodes = self._canvas.visible_nodes()
            self._nodes = [(node, node.sceneBoundingRect()) for node in nodes]
            if nodes:
                _find_covers(nodes)
        return self._nodes

    def paint(self, painter: QPainter, seen: QRectF) -> None:
        """Pictures, lines of weights, bubbles, what hangs on the pointer, in scene coordinates."""
        transform = painter.worldTransform()
        canvas = self._canvas
        visible = [node for node, place in self.nodes() if seen.intersects(place)]
        if canvas.zoom >= 0.4:
            canvas.atlas.refresh(node.uid for node in visible)
        for node in visible:
            node.paint_live(painter, self._option, transform)
        bubbles = sorted(canvas.bubbles.values(), key=lambda bubble: bubble.zValue())
        hand = [canvas.draft] if canvas.ghost is None else [canvas.draft, canvas.ghost]
        for item in (*canvas.wires.values(), *bubbles, *hand):
            if item.isVisible():
                painter.save()
                painter.setTransform(item.sceneTransform(), True)
                item.paint(painter, self._option)
                painter.restore()


def _find_covers(nodes: list[NodeItem]) -> None:
    bodies = np.array([n.rect().getCoords() for n in nodes])
    pictures = np.array([n.picture_rect().translated(n.pos()).getCoords() for n in nodes])
    low = bodies[:, None, :2] - PORT_REACH < pictures[None, :, 2:]
    high = bodies[:, None, 2:] + PORT_REACH > pictures[None, :, :2]
    over = np.asarray(np.tril((low & high).all(axis=2), -1).any(axis=1))
    for node, covers in zip(nodes, over.tolist(), strict=True):
        node.covers = covers
