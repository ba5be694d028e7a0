"""Blocks in the scene: their items follow the document, and frames follow their members."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from engine.graph import LinkSpec, Uid
from gui.canvas.block_item import BlockItem
from gui.canvas.block_look import look_of_block, opened
from gui.canvas.block_places import laid, places_of
from gui.canvas.route import Route
from gui.canvas.state import DocumentState

if TYPE_CHECKING:
    from gui.canvas.scene import CanvasScene

LEAST = 40.0
"""Room for a label between two frames."""


def sync(canvas: CanvasScene, state: DocumentState) -> None:
    """Make, dress and show the items of blocks; the items of layers are there already."""
    if not canvas.blocks.specs:
        return
    inference = canvas.document.inference
    sizes = {u: canvas.nodes[u].look.size for u in (n.uid for n in state.graph.nodes)}
    canvas.places = places = places_of(state, sizes)
    for spec in canvas.blocks:
        look = look_of_block(spec, canvas.blocks, state.graph, inference, places, state.positions)
        item = canvas.nodes.get(spec.uid)
        fresh = not isinstance(item, BlockItem)
        if not isinstance(item, BlockItem):
            item = canvas.nodes[spec.uid] = BlockItem(canvas, spec.uid, look)
            canvas.addItem(item)
            item.setPos(canvas.goal(spec.uid))
            item.show_details(canvas.zoom >= 0.4)
        changed = item.look.folded != look.folded
        before = _place(item)
        visible = canvas.blocks.holder(spec.uid) is None
        item.setVisible(visible)
        item.set_look(look)
        item.setPos(canvas.goal(spec.uid))
        after = _place(item)
        if visible and canvas.gliding and (changed or (fresh and look.folded)):
            start = places.content[spec.uid] if fresh else before
            item.grow(start.adjusted(-16, -48, 16, 16) if fresh else start, after)


def _place(item: BlockItem) -> QRectF:
    return item.rect() if item.look.folded else item.frame()


def follow(canvas: CanvasScene) -> None:
    """Frames of open blocks lie around their members where these are at this moment."""
    open_ones = [s for s in canvas.blocks if not s.folded and canvas.nodes[s.uid].isVisible()]
    if not open_ones:
        return
    layers, ports = {}, {}
    for uid, node in canvas.nodes.items():
        if uid not in canvas.blocks and canvas.drawn_in(uid) == uid:
            layers[uid] = node.rect()
            ports[uid] = node.rect().top() + node.look.size.port_y
    places = laid(canvas.blocks, layers, ports)
    for spec in open_ones:
        item = canvas.nodes[spec.uid]
        frame = places.blocks[spec.uid]
        if isinstance(item, BlockItem) and not item.look.folded:
            if (item.pos() - frame.topLeft()).manhattanLength() > 0.01:
                item.setPos(frame.topLeft())
            item.set_look(opened(item.look, frame))


def paint_frames(canvas: CanvasScene, painter: QPainter, parts: list[QRectF]) -> None:
    """The open blocks that lie in these parts of the scene, the outer ones first."""
    if not canvas.blocks.specs:
        return
    for spec in reversed(canvas.blocks.deepest_first()):
        item = canvas.nodes.get(spec.uid)
        if isinstance(item, BlockItem) and item.isVisible():
            place = item.sceneBoundingRect()
            if any(place.intersects(part) for part in parts):
                item.paint_frame(painter)


def labeled(canvas: CanvasScene, link: LinkSpec, way: Route) -> Route:
    """The way of a link with its label between the frames that it crosses, not on one of them."""
    blocks = canvas.blocks
    if way.inline or not blocks.parents:
        return way
    shown = [s.uid for s in blocks if canvas.nodes[s.uid].isVisible()]
    out, into = ([b for b in blocks.around(end) if b in shown] for end in (link.source, link.target))
    start, end = way.path.pointAtPercent(0.0).x(), way.path.pointAtPercent(1.0).x()
    left = max((_frame(canvas, b).right() for b in out if b not in into), default=start)
    right = min((_frame(canvas, b).left() for b in into if b not in out), default=end)
    left, right = max(start, left), min(end, right)
    if right - left < LEAST or (left, right) == (start, end):
        return way
    share = ((left + right) / 2 - start) / (end - start)
    return replace(way, label=way.path.pointAtPercent(share))


def _frame(canvas: CanvasScene, uid: Uid) -> QRectF:
    item = canvas.nodes[uid]
    return item.frame() if isinstance(item, BlockItem) and not item.look.folded else item.rect()


def port_name(canvas: CanvasScene, point: QPointF) -> str:
    """What the port of a folded block under a point is called, or ""."""
    found = canvas.port_at(point)
    item = canvas.nodes.get(canvas.shown(found[0])) if found is not None else None
    return item.name_of(*found) if isinstance(item, BlockItem) and found is not None else ""


def frames_rect(canvas: CanvasScene) -> QRectF:
    """Around all open blocks where they will be."""
    rect = QRectF()
    for spec in canvas.blocks:
        if not spec.folded and canvas.blocks.holder(spec.uid) is None:
            rect = rect.united(canvas.places.blocks[spec.uid])
    return rect
