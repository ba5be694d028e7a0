"""What happens while the pointer only moves: hover, cursor, the tools under a node, a neuron's card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QToolTip

from engine.graph import Uid
from engine.layers import InputFeatures
from gui import theme
from gui.canvas import block_sync, menu
from gui.canvas.overlays import NeuronCard, NodeTools
from gui.i18n import integer, tr

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


class Hover:
    """Belongs to a view; owns the two floating widgets that follow the pointer."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view
        self._port_name = ""
        self.card = NeuronCard(view.viewport())
        view.canvas.neuron_changed.connect(view.refresh_card)
        self.tools = NodeTools(view.viewport())
        self.tools.duplicate.connect(lambda: self._tool(view.duplicate_selection))
        self.tools.delete.connect(lambda: self._tool(view.delete_selection))
        self.tools.more.connect(lambda at: self._tool(lambda: menu.popup(view, at)))

    def leave(self) -> None:
        """The pointer left the canvas."""
        self.view.canvas.hover(None)
        self.tools.hide()
        self.card.hide()

    def at(self, point: QPointF) -> None:
        bubble = self.view.canvas.bubble_at(point)
        for other in self.view.canvas.bubbles.values():
            over = other is bubble and other.on_button(point)
            if other.hovered != over:
                other.hovered = over
                other.update()
        port = None if bubble is not None else self.view.canvas.port_at(point)
        uid = None if bubble is not None else port[0] if port is not None else self.view.canvas.node_at(point)
        if bubble is not None:
            uid = self.view.canvas.shown(bubble.problem.node)
        uid = self.view.canvas.shown(uid) if uid is not None else None
        self._name_port(point if port is not None else None)
        link = self.view.canvas.link_at(point) if uid is None else None
        unit = self.view.canvas.nodes[uid].neuron_at(point) if uid is not None and bubble is None else None
        self.view.canvas.hover(uid, link, (uid, unit) if uid is not None and unit is not None else None)
        hand = (bubble is not None and bubble.on_button(point)) or link is not None
        shape = (
            Qt.CursorShape.PointingHandCursor
            if hand
            else Qt.CursorShape.CrossCursor
            if port is not None
            else Qt.CursorShape.OpenHandCursor
            if self.view.space_down
            else Qt.CursorShape.ArrowCursor
        )
        self.view.viewport().setCursor(shape)
        self._tools_for(uid)
        self.show_card()

    def _name_port(self, point: QPointF | None) -> None:
        """The ports of a folded block say which layer they lead to."""
        name = block_sync.port_name(self.view.canvas, point) if point is not None else ""
        if name != self._port_name:
            self._port_name = name
            place = self.view.viewport().mapToGlobal(self.view.last_pixel)
            QToolTip.showText(place, name, self.view.viewport())

    def _tools_for(self, uid: Uid | None) -> None:
        canvas = self.view.canvas
        is_open = uid in canvas.blocks and not canvas.blocks[uid].folded if uid is not None else False
        if uid is None or self.view.zoom < 0.7 or uid in canvas.bubbles or is_open:
            self.tools.hide()
            return
        place = self.view.mapFromScene(self.view.canvas.nodes[uid].rect()).boundingRect()
        self.tools.setProperty("uid", uid)
        self.tools.adjustSize()
        self.tools.move(place.center().x() - self.tools.width() // 2, place.bottom() - theme.px(6))
        self.tools.show()

    def _tool(self, act: Callable[[], Any]) -> None:
        uid = self.tools.property("uid")
        if uid in self.view.canvas.nodes:
            if uid not in self.view.canvas.selected:
                self.view.canvas.select([uid])
            self.tools.hide()
            act()

    def show_card(self) -> None:
        """What the card says of the neuron under the pointer; hidden when there is none."""
        hovered = self.view.canvas.hovered_neuron
        known = self.view.canvas.weights_of(hovered[0]) if hovered is not None else None
        if hovered is None or known is None or hovered[1] >= len(known[0]):
            self.card.hide()
            return
        uid, unit = hovered
        row = known[0][unit]
        inputs = self.view.document.graph.inputs_of(uid)
        names = tuple(tr("neuron {n}").format(n=integer(j + 1)) for j in range(len(row)))
        source = self.view.document.node(self.view.canvas.shown(inputs[0].source)).layer if inputs else None
        if isinstance(source, InputFeatures) and len(source.labels) == len(row):
            names = source.labels
        elif source is not None and source.kind == "input" and len(row) == 2:
            names = ("x", "y")
        self.card.show_neuron(self.view.document.node(uid).name, unit, row, known[1], names)
        place = self.view.mapFromScene(self.view.canvas.nodes[uid].rect()).boundingRect()
        room = self.view.viewport().rect()
        x = (
            place.right() + 14
            if place.right() + 14 + self.card.width() < room.right()
            else place.left() - 14 - self.card.width()
        )
        y = min(max(8, self.view.last_pixel.y() - 20), room.bottom() - self.card.height() - 8)
        self.card.move(max(8, x), max(8, y))
        self.card.show()
        self.card.raise_()
