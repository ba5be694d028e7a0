"""Draw a link from port to port, forward or backward; what cannot be is greyed and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainterPath

from engine.errors import MatrizenError
from engine.graph import GraphSpec, LinkSpec, Uid
from engine.inference import infer
from gui.canvas.geometry import MAGNET
from gui.canvas.gestures.base import Gesture
from gui.canvas.texts import compact_shape
from gui.i18n import tr, tr_message

if TYPE_CHECKING:
    from gui.canvas.node_item import NodeItem
    from gui.canvas.view import CanvasView


class DrawLink(Gesture):
    """From an output, from an empty input (backward), or with an existing link taken off its input."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self, view: CanvasView, point: QPointF, pixel: QPoint, uid: Uid, side: str, port: int
    ) -> None:
        super().__init__(view, point, pixel)
        self.taken: LinkSpec | None = None
        self.backward = False
        graph = self.document.graph
        if side == "in":
            self.taken = next((k for k in graph.inputs_of(uid) if k.port == port), None)
            self.backward = self.taken is None
        if self.taken is not None:
            self.fixed, self.fixed_port = self.taken.source, 0
            graph = replace(graph, links=tuple(k for k in graph.links if k != self.taken))
        else:
            self.fixed = uid if side == "in" else self.canvas.source_of(uid)
            self.fixed_port = port
        self.graph: GraphSpec = graph
        self.reasons = {n.uid: self._reason(n.uid) for n in graph.nodes}
        self.target: tuple[Uid, int] | None = None
        self._texts: dict[tuple[Uid, int], str] = {}

    # ---- what can be -------------------------------------------------------------------------------

    def _reason(self, other: Uid) -> str:
        """Why no link can lead from the fixed end to `other`, or ""."""
        source, target = (other, self.fixed) if self.backward else (self.fixed, other)
        a, b = self.graph.node(source), self.graph.node(target)
        if source == target:
            return tr("a layer cannot feed itself")
        if not a.layer.has_output:
            return tr("{name} has no output").format(name=a.name)
        if not b.layer.port_limit():
            return tr("{name} takes no input").format(name=b.name)
        if self.graph.reaches(target, source):
            names = " → ".join(self.graph.node(u).name for u in (source, *self._path(target, source)))
            return tr("would close a loop: {path}").format(path=names)
        return ""

    def _path(self, start: Uid, goal: Uid) -> list[Uid]:
        """A shortest way along the links, both ends included."""
        before: dict[Uid, Uid] = {start: start}
        todo = [start]
        for uid in todo:
            if uid == goal:
                break
            for k in self.graph.outputs_of(uid):
                if k.target not in before:
                    before[k.target] = uid
                    todo.append(k.target)
        way = [goal]
        while way[-1] != start:
            way.append(before[way[-1]])
        return way[::-1]

    def _linked(self, target: tuple[Uid, int]) -> GraphSpec:
        uid, port = target
        if self.backward:
            return self.graph.link(uid, self.fixed, self.fixed_port)
        return self.graph.link(self.fixed, uid, port)

    def _promise(self, target: tuple[Uid, int]) -> str:
        """What would come of the link: the shape that leaves the layer, or what would not fit."""
        if target not in self._texts:
            end = self.fixed if self.backward else target[0]
            try:
                state = self.document.state
                found = infer(self._linked(target), state.training, state.data)
            except MatrizenError as error:
                self._texts[target] = tr_message(error)
                return self._texts[target]
            shape = found.shapes.get(end)
            problem = next((p for p in found.of(end) if p.blocks), None)
            self._texts[target] = (
                tr("would give {shape}").format(shape=compact_shape(shape))
                if shape is not None
                else tr_message(problem.message)
                if problem is not None
                else ""
            )
        return self._texts[target]

    # ---- the drag ----------------------------------------------------------------------------------

    def _ends(self) -> tuple[QPointF, bool]:
        """Where the link starts on screen, and whether it runs to the left from there."""
        shown = self.canvas.nodes[self.canvas.shown(self.fixed)]
        link = LinkSpec(self.fixed, self.fixed, self.fixed_port)
        return (shown.entry(link), True) if self.backward else (shown.exit(link), False)

    def _ports(self, node: NodeItem) -> list[tuple[Uid, int, QPointF]]:
        """The ports of a node or folded block at which the link could end."""
        return [(u, 0, at) for u, at in node.exits()] if self.backward else node.entries()

    def _candidate(self, point: QPointF) -> tuple[Uid, int, QPointF] | None:
        """The port the magnet pulls to, or the node under the pointer."""
        reach = MAGNET / self.view.scale_factor
        best: tuple[float, Uid, int, QPointF] | None = None
        for node in self.canvas.visible_nodes():
            if node.uid == self.canvas.shown(self.fixed):
                continue
            for uid, port, at in self._ports(node):
                away = (at - point).manhattanLength()
                if away <= reach and (best is None or away < best[0]):
                    best = (away, uid, port, at)
        if best is not None:
            return self._real(best[1]), self._free(best[1], best[2]), best[3]
        found = self.canvas.node_at(point)
        if found is None or found == self.canvas.shown(self.fixed):
            return None
        uid, node = found, self.canvas.nodes[found]
        if uid in self.canvas.blocks:
            return self._of_block(node, point)
        port = self._free(uid, None)
        at = node.output_port() if self.backward else node.input_port(port)
        return self._real(uid), port, at

    def _of_block(self, block: NodeItem, point: QPointF) -> tuple[Uid, int, QPointF] | None:
        """The port of a folded block that is meant: a free one before a taken one, then the nearest."""

        def worth(port: tuple[Uid, int, QPointF]) -> tuple[bool, float]:
            taken = not self.backward and any(
                (k.target, k.port) == port[:2] for k in self.graph.inputs_of(port[0])
            )
            return taken, (port[2] - point).manhattanLength()

        best = min(self._ports(block), key=worth, default=None)
        return (self._real(best[0]), best[1], best[2]) if best is not None else None

    def _real(self, uid: Uid) -> Uid:
        return self.canvas.source_of(uid) if self.backward else uid

    def _free(self, uid: Uid, port: int | None) -> int:
        """The port meant: the one pointed at, or the first free one (the only one is replaced)."""
        if self.backward or not self.graph.node(uid).layer.port_limit():
            return 0
        free = self.graph.free_port(uid)
        used = len(self.graph.inputs_of(uid))
        if port is not None and port <= used:
            return port
        return free if free is not None else self.graph.node(uid).layer.port_limit() - 1

    def move(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        if not self.dragging and self.moved_enough(pixel):
            self._begin()
        if not self.dragging:
            return
        found = self._candidate(point)
        end, text, legal, snapped = point, "", True, False
        self.target = None
        if found is not None:
            uid, port, at = found
            reason = self.reasons[uid]
            if reason:
                text, legal = reason, False
            else:
                self.target = (uid, port)
                end, snapped, text = at, True, self._promise(self.target)
        start, leftward = self._ends()
        self.canvas.target_port = self.target if not self.backward else None
        self.canvas.draft.show_way(_curve(start, end, leftward), end, text, legal, snapped)
        for node in self.canvas.nodes.values():
            node.ports.update()

    def _begin(self) -> None:
        self.canvas.draft.setVisible(True)
        fixed = self.canvas.shown(self.fixed)
        for uid, node in self.canvas.nodes.items():
            ends = [uid] if uid in self.reasons else [u for u, _, _ in self._ports(node)]
            dead = all(self.reasons[self._real(u)] for u in ends) and bool(ends) and uid != fixed
            node.set_state(illegal=dead, armed=not dead and uid != fixed)
        if self.taken is not None and self.taken in self.canvas.links:
            self.canvas.links[self.taken].setVisible(False)
        if self.taken is not None and self.taken in self.canvas.wires:
            self.canvas.wires[self.taken].setVisible(False)

    def _end(self) -> None:
        self.canvas.draft.setVisible(False)
        self.canvas.target_port = None
        for node in self.canvas.nodes.values():
            node.set_state(illegal=False, armed=False)
        for wire in self.canvas.wires.values():
            wire.setVisible(True)
        self.canvas.reroute()

    def release(self, point: QPointF, pixel: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        self._end()
        if not self.dragging:
            return
        target = self.target
        on_nothing = self._candidate(point) is None
        if target is not None:
            self.view.attempt(lambda: self.document.relink(self._linked(target)))
        elif on_nothing and self.taken is not None:
            taken = self.taken
            self.view.attempt(lambda: self.document.unlink(taken.target, taken.port))
        elif on_nothing and self.canvas.node_at(point) is None:
            if self.backward:
                self.view.open_search(pixel, before=(self.fixed, self.fixed_port))
            else:
                self.view.open_search(pixel, after=self.fixed)

    def cancel(self) -> None:
        self._end()


def _curve(start: QPointF, end: QPointF, leftward: bool) -> QPainterPath:
    path = QPainterPath(start)
    reach = max(24.0, abs(end.x() - start.x()) / 2) * (-1 if leftward else 1)
    path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
    return path
