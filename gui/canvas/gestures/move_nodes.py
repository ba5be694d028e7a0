"""Drag nodes. A free node dropped on a link goes into it; an activation dropped on a layer docks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt

from engine.graph import Uid
from gui.canvas.block_edits import passes
from gui.canvas.edits import snap
from gui.canvas.geometry import MAGNET
from gui.canvas.gestures.base import Gesture
from gui.canvas.landing import Landing, landing, show_landing

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class MoveNodes(Gesture):
    """Moves the selection on an 8 px grid (with Alt freely); the document hears of it at the release."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, view: CanvasView, point: QPointF, pixel: QPoint, uid: Uid, add: bool) -> None:
        super().__init__(view, point, pixel)
        self.uid = uid
        self.was_selected = uid in self.canvas.selected
        if add and self.was_selected:
            self.canvas.select([u for u in self.canvas.selected if u != uid])
        elif add:
            self.canvas.select((*self.canvas.selected, uid))
        elif not self.was_selected:
            self.canvas.select([uid])
        self.add = add
        self.landing = Landing()
        chosen = set(self.canvas.selected) | {uid}
        # all that is in a moving block, and what is docked on a moving layer, moves with it
        chosen |= {*self.canvas.blocks.expanded(chosen)}
        chosen |= {spec.uid for spec in self.canvas.blocks.chosen(chosen)}
        chosen |= {guest for guest, host in self.canvas.hosts.items() if host in chosen}
        self.origins = {u: self.canvas.nodes[u].pos() for u in chosen}
        # a folded block alone that could go into a link
        blocks = self.canvas.blocks
        whole = uid in blocks and blocks[uid].folded and chosen == {*blocks.layers(uid), *blocks.within(uid)}
        self.passes = whole and passes(self.document.state, uid)

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        if not self.moved_enough(pixel):
            return
        self.canvas.moving = frozenset(self.origins)
        shift = point - self.start
        if not modifiers & Qt.KeyboardModifier.AltModifier:
            origin = self.origins[self.uid]
            x, y = snap((origin.x() + shift.x(), origin.y() + shift.y()))
            shift = QPointF(x, y) - origin
        for uid, origin in self.origins.items():
            self.canvas.nodes[uid].setPos(origin + shift)
        self.canvas.reroute()
        self._aim(self._landing())

    def _landing(self) -> Landing:
        alone = len(self.origins) == 1
        node = self.canvas.nodes[self.uid]
        if self.passes:
            own = [k for k in self.document.graph.links if k.source in self.origins]
            return Landing(link=self.canvas.link_at(node.rect().center(), own, MAGNET))
        if not alone:
            return Landing()
        layer = self.document.node(self.uid).layer
        found = landing(self.canvas, layer, node.pos(), node.rect().center(), moving=self.uid)
        # a docked activation that is pulled off its layer must be able to leave it
        if found.host is not None and self.canvas.hosts.get(self.uid) == found.host:
            away = node.pos() - self.origins[self.uid]
            return found if away.manhattanLength() < 24 else Landing()
        return found

    def _aim(self, found: Landing) -> None:
        self.landing = found
        show_landing(self.canvas, found)

    def release(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        if not self.dragging:
            if not self.add and self.was_selected:
                self.canvas.select([self.uid])
            return
        self.canvas.moving = frozenset()
        found = self.landing
        self._aim(Landing())
        moved = {u: (self.canvas.nodes[u].pos().x(), self.canvas.nodes[u].pos().y()) for u in self.origins}
        host, link = found.host, found.link
        if host is not None:
            self.view.attempt(lambda: self.document.dock(self.uid, host))
            self._settle()
        elif link is not None and self.passes:
            self.view.attempt(lambda: self.document.block_into_link(self.uid, link, moved))
        elif link is not None:
            self.view.attempt(lambda: self.document.insert_into(self.uid, link, moved[self.uid]))
        else:
            self.canvas.gliding = bool(self.canvas.blocks.specs)  # what gives way to a frame glides there
            self.view.attempt(lambda: self.document.move(moved))
            self.canvas.gliding = False
        self.canvas.reroute()

    def _settle(self) -> None:
        """Put the items where the document has them, when nothing changed there."""
        for uid in self.origins:
            self.canvas.nodes[uid].setPos(self.canvas.goal(uid))
        self.canvas.reroute()

    def cancel(self) -> None:
        self.canvas.moving = frozenset()
        self._aim(Landing())
        self._settle()
