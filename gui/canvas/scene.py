"""The scene: items for the document's nodes and links, and what the pointer and the engine say of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from PySide6.QtCore import QObject, QPointF, QRectF, QVariantAnimation, Signal
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from engine.graph import LinkSpec, Uid
from engine.layers import Dense, Output
from gui import theme
from gui.canvas import block_sync, gliding, problem_bubbles
from gui.canvas.acting import NO_FLOW, NO_TOUCH, STILL, Acting
from gui.canvas.atlas import Atlas
from gui.canvas.block_places import Places
from gui.canvas.blocks import Blocks, blocks_of
from gui.canvas.bubble import BubbleItem
from gui.canvas.geometry import Size, Unfold, size_of, unfolds
from gui.canvas.kept_picture import AT_ONCE, Budget
from gui.canvas.link_item import DraftItem, LinkItem
from gui.canvas.look import look_of, port_count
from gui.canvas.node_item import NodeItem
from gui.canvas.route import Route, route
from gui.canvas.stack import Stack
from gui.canvas.state import DocumentState, dock_hosts
from gui.canvas.texts import compact_shape
from gui.canvas.thumb_data import Array, ThumbData
from gui.canvas.weights_item import WeightsItem
from gui.document import Document

EXTENT = 200_000.0


class CanvasScene(QGraphicsScene):
    """Shows a document. Items are owned by the dictionaries here; nothing is left to Qt.

    Selection, hover and acting node are view state: they live here and are no part of the document.
    """

    selection_changed = Signal(tuple)
    """The uids of the selected nodes."""
    weights_known = Signal()
    """Weights were handed over for the first time, or forgotten."""
    spoilt = Signal(QRectF)
    """What stands still is to be painted again in this part of the scene."""
    live_changed = Signal()
    """Pictures or lines of weights are others now; what stands still is as before."""
    rested = Signal()
    """Nodes that glided are where they belong."""
    neuron_changed = Signal()
    """The weights of the neuron under the pointer are others now."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setSceneRect(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT)
        self.document = document
        self.zoom = 1.0
        self.stack = Stack(self)
        self.atlas = Atlas()
        self.budget = Budget()
        self.nodes: dict[Uid, NodeItem] = {}
        self.links: dict[LinkSpec, LinkItem] = {}
        self.wires: dict[LinkSpec, WeightsItem] = {}
        self.bubbles: dict[Uid, BubbleItem] = {}
        self.draft = DraftItem(self)
        self.draft.setVisible(False)
        self.addItem(self.draft)
        self.selected: tuple[Uid, ...] = ()
        self.selected_links: tuple[LinkSpec, ...] = ()
        self.hovered_neuron: tuple[Uid, int] | None = None
        self.target_port: tuple[Uid, int] | None = None
        self.gliding = False
        """Whether nodes glide to where the next edit puts them (tidy), or are there at once."""
        self.moving: frozenset[Uid] = frozenset()
        """Nodes under the hand: links do not give way to them, or none could be met."""
        self.unfolded: dict[Uid, Unfold] = {}
        self.hosts: dict[Uid, Uid] = {}
        self._hovered: Uid | None = None
        self._step: tuple[Uid, str, float, Acting] | None = None
        self._weights: dict[Uid, tuple[Array, Array | None]] = {}
        self._means: dict[Uid, float] = {}
        self.motion: QVariantAnimation | None = None
        self.blocks = Blocks()
        self.places = Places({})
        self._boxes: list[tuple[float, float, float, float, NodeItem]] = []
        self.ghost: QGraphicsItem | None = None
        """What is about to be dropped."""
        document.changed.connect(self._sync)
        theme.changed.connect(self.restyle)
        self._sync(DocumentState(), document.state)

    # ---- from outside: what the engine knows ---------------------------------------------------------

    def set_thumbnail(self, uid: Uid, data: ThumbData) -> None:
        """Show a picture in a node. An uid that is gone is ignored: the answer came too late."""
        self.set_thumbnails({uid: data})

    def set_thumbnails(self, many: Mapping[Uid, ThumbData]) -> None:
        for uid, data in many.items():
            if self.atlas.set(uid, data):
                self.nodes[uid].set_state(warned=data.health == "warning")
        self.live_changed.emit()

    def refresh_live(self) -> None:
        """Paint pictures and lines of weights again."""
        self.live_changed.emit()

    def spoil(self, rect: QRectF) -> None:
        """What stands still changed here."""
        self.stack.forget()
        self.spoilt.emit(rect)

    def addItem(self, item: QGraphicsItem) -> None:
        super().addItem(item)
        self.spoil(item.sceneBoundingRect())

    def removeItem(self, item: QGraphicsItem) -> None:
        self.spoil(item.sceneBoundingRect())
        super().removeItem(item)

    def set_weights(self, uid: Uid, weights: Array, bias: Array | None = None) -> None:
        """Weights (outputs, inputs) and bias of an unfolded layer, drawn as lines."""
        first = not self._weights
        self._weights[uid] = (weights, bias)
        for wire in self.wires.values():
            if wire.target.uid == uid:
                wire.set_weights(weights)
        if first:
            self.weights_known.emit()
        if self.hovered_neuron is not None and self.hovered_neuron[0] == uid:
            self.neuron_changed.emit()

    def weights_of(self, uid: Uid) -> tuple[Array, Array | None] | None:
        return self._weights.get(uid)

    def set_link_strengths(self, means: Mapping[Uid, float]) -> None:
        """Mean |value| that leaves each node; links get their width from it."""
        self._means = dict(means)
        for link, item in self.links.items():
            item.set_mean(self._means.get(link.source))

    def set_acting(self, uid: Uid | None, text: str = "", progress: float = 0.0, by: Acting = STILL) -> None:
        """Put the ring of the calculation around a node, and light what its op touches; or take it away."""
        if uid is None and self._step is None:
            return
        self._step = (uid, text, progress, by) if uid is not None else None
        uid = self.shown(uid) if uid is not None else None
        touched = {self.shown(other): touch for other, touch in by.nodes.items() if uid is not None}
        for other, node in self.nodes.items():
            touch = touched.get(other, NO_TOUCH) if other != uid else NO_TOUCH
            node.set_state(acting=(text or " ") if other == uid else "", progress=progress, touch=touch)
        for link, line in (*self.links.items(), *self.wires.items()):
            cast("LinkItem | WeightsItem", line).set_state(acting=by.links.get(link, NO_FLOW))

    @property
    def at_work(self) -> Uid | None:
        """The node that the step at hand is about."""
        return self._step[0] if self._step is not None else None

    def forget_pictures(self) -> None:
        """Another run: pictures and weights of the old one are no longer true."""
        self._weights.clear()
        self._means.clear()
        self.atlas.forget()
        for wire in self.wires.values():
            wire.set_weights(None)
        self.set_link_strengths({})
        self.restyle()
        self.weights_known.emit()

    # ---- selection and hover -------------------------------------------------------------------------

    def select(self, uids: Iterable[Uid], links: Iterable[LinkSpec] = (), *, keyboard: bool = False) -> None:
        """Select nodes and links; `keyboard` draws the ring dashed."""
        before = self.selected
        held = ((u, self.blocks.holder(u)) for u in uids if u in self.nodes)
        self.selected = tuple(dict.fromkeys(holder or u for u, holder in held))
        self.selected_links = tuple(k for k in links if k in self.links)
        shown = {self.shown(u) for u in self.selected}
        for uid, node in self.nodes.items():
            node.set_state(selected=uid in shown, focused=keyboard and uid in shown)
        for link, item in self.links.items():
            item.set_state(selected=link in self.selected_links)
        problem_bubbles.show(self)
        if self.selected != before:
            self.selection_changed.emit(self.selected)

    def hover(
        self, uid: Uid | None, link: LinkSpec | None = None, neuron: tuple[Uid, int] | None = None
    ) -> None:
        """What lies under the pointer."""
        if uid != self._hovered:
            for other in (self._hovered, uid):
                if other in self.nodes:
                    self.nodes[other].set_state(hovered=other == uid)
            self._hovered = uid
            problem_bubbles.show(self)
        for key, item in self.links.items():
            item.set_state(hovered=key == link)
        if neuron != self.hovered_neuron:
            self.hovered_neuron = neuron
            self.live_changed.emit()

    @property
    def hovered(self) -> Uid | None:
        return self._hovered

    # ---- what lies where -----------------------------------------------------------------------------

    def drawn_in(self, uid: Uid) -> Uid:
        """The node whose picture shows `uid`: an unfolded layer shows its activation inside itself."""
        host = self.hosts.get(uid)
        return host if host is not None and host in self.unfolded else uid

    def shown(self, uid: Uid) -> Uid:
        """What stands for `uid` on the canvas: the folded block it lies in, or the node that draws it."""
        return self.blocks.holder(uid) or self.drawn_in(uid)

    def visible_nodes(self) -> list[NodeItem]:
        return [n for n in self.nodes.values() if n.isVisible()]

    def node_at(self, point: QPointF) -> Uid | None:
        """The topmost node under a point."""
        return next((n.uid for n in reversed(self.visible_nodes()) if n.rect().contains(point)), None)

    def port_at(self, point: QPointF) -> tuple[Uid, str, int] | None:
        """(uid, "in" or "out", number) under a point."""
        for node in reversed(self.visible_nodes()):
            found = node.port_at(point)
            if found is not None:
                return found
        return None

    def link_at(self, point: QPointF, but: Collection[LinkSpec] = (), reach: float = 8.0) -> LinkSpec | None:
        return next(
            (
                k
                for k, item in self.links.items()
                if item.isVisible() and k not in but and item.near(point, reach)
            ),
            None,
        )

    def bubble_at(self, point: QPointF) -> BubbleItem | None:
        return next((b for b in self.bubbles.values() if b.contains_point(point)), None)

    def source_of(self, uid: Uid) -> Uid:
        """Which node a link drawn from the output port of a shown node starts at."""
        merged = self.unfolded[uid].merged if uid in self.unfolded else None
        return merged or uid

    def content_rect(self) -> QRectF:
        """Around all nodes; empty when there are none."""
        rect = QRectF()
        for node in self.visible_nodes():
            rect = rect.united(node.rect())
        return rect

    # ---- keeping up with the document ------------------------------------------------------------------

    def restyle(self) -> None:
        """The theme changed: paint everything again."""
        self.atlas.repaint()
        for node in self.nodes.values():
            node.refresh()
        self.spoil(self.sceneRect())

    def set_zoom(self, zoom: float) -> None:
        """The view zoomed: levels of detail change."""
        if abs(zoom - self.zoom) > 1e-9:
            near, self.zoom = self.zoom >= 0.4, zoom
            problem_bubbles.show(self)
            if near != (zoom >= 0.4):
                for node in self.nodes.values():
                    node.show_details(zoom >= 0.4)

    def zoom_moves(self) -> None:
        """Older pictures of the nodes serve until `settle`."""
        for node in self.nodes.values():
            node.zooming = True

    def settle(self, seen: QRectF) -> bool:
        """Paint a few of the nodes in sight sharply again; whether there are more."""
        moving = [n for n in self.nodes.values() if n.zooming]
        visible = [n for n in moving if n.isVisible() and seen.intersects(n.sceneBoundingRect())]
        for node in moving:
            if node not in visible:
                node.zooming = False
                node.forget_pictures()
        for node in visible[:AT_ONCE]:
            node.zooming = False
            node.refresh()
        return len(visible) > AT_ONCE

    def _sync(self, old: DocumentState, new: DocumentState) -> None:
        graph, inference = new.graph, self.document.inference
        self.hosts, self.blocks = dock_hosts(new), blocks_of(new)
        self.unfolded = unfolds(graph, inference, new.data, self.hosts)
        for uid in [u for u in self.nodes if not graph.has(u) and u not in self.blocks]:
            self.removeItem(self.nodes.pop(uid))
            self._weights.pop(uid, None)
            bubble = self.bubbles.pop(uid, None)
            if bubble is not None:
                self.removeItem(bubble)
        if self._hovered not in self.nodes:
            self._hovered = None
        guests = {host: uid for uid, host in self.hosts.items()}
        counts: dict[Uid, int] = {}
        for k in graph.links:
            counts[k.target] = counts.get(k.target, 0) + 1
        for node in graph.nodes:
            unfold = self.unfolded.get(node.uid)
            size = size_of(node.layer, unfold)
            guest = guests.get(node.uid)
            merged = graph.node(unfold.merged) if unfold is not None and unfold.merged else None
            look = look_of(
                node,
                inference,
                new.training,
                new.data,
                size,
                inputs=port_count(node, counts.get(node.uid, 0)),
                flush_left=node.uid in self.hosts,
                flush_right=guest is not None and unfold is None,
                merged=merged,
            )
            item = self.nodes.get(node.uid)
            if item is None:
                item = self.nodes[node.uid] = NodeItem(self, node.uid, look)
                self.addItem(item)
                item.setPos(*new.positions.get(node.uid, (0.0, 0.0)))
                item.show_details(self.zoom >= 0.4)
            item.set_look(look)
            item.setVisible(self.shown(node.uid) == node.uid)
        block_sync.sync(self, new)
        self.atlas.set_sizes(self._slots())
        gliding.place(self, old)
        self._sync_links(new)
        self.select(self.selected, self.selected_links)
        if self._step is not None and self.blocks.specs:
            self.set_acting(*self._step)
        problem_bubbles.show(self)

    def goal(self, uid: Uid) -> QPointF:
        """Where the document has a node; a docked one is flush with its layer."""
        if uid in self.blocks:
            return self.places.blocks[uid].topLeft()
        host = self.hosts.get(uid)
        positions = self.document.state.positions
        if host is not None and host not in self.unfolded:
            return QPointF(*positions.get(host, (0.0, 0.0))) + QPointF(self.nodes[host].look.size.width, 0)
        return QPointF(*positions.get(uid, (0.0, 0.0)))

    def _slots(self) -> dict[Uid, tuple[int, int, int]]:
        out = {}
        for uid, node in self.nodes.items():
            if uid in self.blocks:
                continue
            rect = node.picture_rect()
            unfold = self.unfolded.get(uid)
            out[uid] = (round(rect.width()), round(rect.height()), unfold.units if unfold is not None else 0)
        return out

    def _sync_links(self, state: DocumentState) -> None:
        wanted = set(state.graph.links)
        for link in [k for k in self.links if k not in wanted]:
            self.removeItem(self.links.pop(link))
        for link in state.graph.links:
            if link not in self.links:
                item = self.links[link] = LinkItem(self, link, self._way(link))
                item.set_mean(self._means.get(link.source))
                self.addItem(item)
        pairs = {k for k in state.graph.links if self._is_wire(k)}
        for link in [
            k for k in self.wires if k not in pairs or self.wires[k].source.uid != self.shown(k.source)
        ]:
            self.removeItem(self.wires.pop(link))
        for link in pairs:
            if link not in self.wires:
                source, target = self.nodes[self.shown(link.source)], self.nodes[link.target]
                straight = isinstance(state.graph.node(link.target).layer, Output)
                wire = self.wires[link] = WeightsItem(self, link, source, target, straight)
                known = self._weights.get(link.target)
                wire.weights = known[0] if known is not None else None
                self.addItem(wire)
        self.reroute()

    def _is_wire(self, link: LinkSpec) -> bool:
        layer = self.document.graph.node(link.target).layer
        return (
            isinstance(layer, (Dense, Output))
            and self.shown(link.target) in self.unfolded
            and self.shown(link.source) in self.unfolded
        )

    def reroute(self) -> None:
        """Nodes moved: find the way of every link again."""
        shapes = self.document.inference.shapes
        block_sync.follow(self)
        self._boxes = [
            (r.left(), r.top(), r.right(), r.bottom(), n)
            for n in self.visible_nodes()
            if n.uid not in self.moving
            for r in (n.rect(),)
        ]
        for link, item in self.links.items():
            shape = shapes.get(link.source)
            hidden = link in self.wires or self.hosts.get(link.target) == link.source
            hidden = hidden or self.shown(link.source) == self.shown(link.target)
            item.setVisible(not hidden)
            if not hidden:
                item.set_way(self._way(link), compact_shape(shape) if shape is not None else "")
        for wire in self.wires.values():
            wire.reroute()
        problem_bubbles.place_all(self)

    def _way(self, link: LinkSpec) -> Route:
        a, b = self.nodes[self.shown(link.source)], self.nodes[self.shown(link.target)]
        start, end = a.exit(link), b.entry(link)
        left, right = sorted((start.x(), end.x()))
        top = min(a.pos().y(), b.pos().y()) - 8
        bottom = max(a.rect().bottom(), b.rect().bottom()) + 8
        others = [
            n.rect()
            for x0, y0, x1, y1, n in self._boxes
            if x1 > left and x0 < right and y1 > top and y0 < bottom and n is not a and n is not b
        ]
        lane = max(0, link.port) if self.document.graph.node(link.target).layer.many_inputs else 0
        return block_sync.labeled(self, link, route(start, end, a.rect(), b.rect(), others, lane))

    def items_of(self, uids: Iterable[Uid]) -> list[QGraphicsItem]:
        return [self.nodes[u] for u in uids if u in self.nodes]


__all__ = ["CanvasScene", "Size"]
