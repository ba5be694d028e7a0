"""Seam 1: the drawn network and its settings as an immutable value, with undo.

Everything the person edits goes through `Document.edit`. Canvas, panels and runner listen to
`changed(old, new)` and redraw or rebuild the difference.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QUndoCommand, QUndoStack

from engine.data.source import SourceSpec
from engine.errors import GraphError
from engine.graph import GraphSpec, LinkSpec, NodeSpec, Uid
from engine.inference import Inference, infer
from engine.layers import Input
from engine.layers.base import Layer, Repair
from engine.settings import DataSpec, TrainingSpec
from gui.canvas import block_edits, clipboard, edits, layout
from gui.canvas.state import Difference, DocumentState, Point, can_dock, difference, dock_hosts
from gui.document_blocks import BlockEdits
from gui.i18n import tr, tr_message, trn

MERGE_SECONDS = 1.5
"""Edits of one thing that follow each other this quickly are one undo step."""
SHIFT = 32.0
"""How far a duplicate lies from its original."""

__all__ = ["Difference", "Document", "DocumentState", "Point", "difference", "dock_hosts"]


class _Edit(QUndoCommand):
    """One step: the state before and the state after.

    It holds no document: stack, edits and document in one circle would be garbage that Python takes apart in
    any order, and a stack that outlives the wrappers of its edits takes the program along.
    """

    def __init__(
        self, document: Document, old: DocumentState, new: DocumentState, text: str, key: str
    ) -> None:
        super().__init__(text)
        self._document = weakref.ref(document)
        self.old, self.new, self.key = old, new, key
        self.when = time.monotonic()

    def id(self) -> int:
        return 1 if self.key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other.key != self.key or other.when - self.when > MERGE_SECONDS:
            return False
        self.new, self.when = other.new, other.when
        if self.new == self.old:
            self.setObsolete(True)
        return True

    def redo(self) -> None:
        self._show(self.new)

    def undo(self) -> None:
        self._show(self.old)

    def _show(self, state: DocumentState) -> None:
        document = self._document()
        if document is not None:
            document._show(state)


class Document(BlockEdits, QObject):
    """Holds the current `DocumentState`; the edits below push undo steps.

    Edits raise GraphError when they cannot be done (a loop, a name that is taken, ...), and then
    nothing has changed. An edit that changes nothing pushes nothing.
    """

    changed = Signal(object, object)
    """(old: DocumentState, new: DocumentState) after every edit, undo, redo and load."""
    loaded = Signal()
    """Another project was put in place; undo starts anew. `changed` was emitted before."""

    def __init__(self, state: DocumentState | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._unplaced = not (state or DocumentState()).positions
        self._state = layout.completed(state or DocumentState())
        self._stack = QUndoStack(self)
        self._used: set[Uid] = {n.uid for n in self._state.graph.nodes}
        self._inference: tuple[GraphSpec, TrainingSpec, DataSpec | None, Inference] | None = None
        self.view_width = 1100.0
        self.view_height = 0.0
        """Room in scene pixels at 100 % that `tidy` fills; the canvas keeps it up to date (0: any height)."""

    # ---- reading -------------------------------------------------------------------------------

    @property
    def state(self) -> DocumentState:
        return self._state

    @property
    def graph(self) -> GraphSpec:
        return self._state.graph

    @property
    def training(self) -> TrainingSpec:
        return self._state.training

    @property
    def data(self) -> DataSpec | None:
        return self._state.data

    @property
    def source(self) -> SourceSpec | None:
        return self._state.source

    @property
    def undo_stack(self) -> QUndoStack:
        return self._stack

    @property
    def inference(self) -> Inference:
        """Shapes, counts and problems of the current state, computed once per state."""
        s = self._state
        known = self._inference
        if known is None or known[0] is not s.graph or known[1] is not s.training or known[2] is not s.data:
            known = self._inference = (s.graph, s.training, s.data, infer(s.graph, s.training, s.data))
        return known[3]

    @property
    def modified(self) -> bool:
        return not self._stack.isClean()

    def mark_saved(self) -> None:
        """The current state is the one in the file."""
        self._stack.setClean()

    # ---- the one way to edit -----------------------------------------------------------------------

    def edit(self, new: DocumentState, text: str, merge: str = "") -> bool:
        """Make `new` the current state as one undo step shown as `text`; False when nothing changed.

        Steps with the same `merge` key that follow each other closely become one.
        """
        new = block_edits.settled(self._state, new)
        if new == self._state:
            return False
        self._stack.push(_Edit(self, self._state, new, text, merge))
        return True

    def load(self, state: DocumentState) -> None:
        """Put another project in place; it cannot be undone and counts as saved."""
        self._stack.clear()
        self._used = {n.uid for n in state.graph.nodes}
        self._unplaced = not state.positions
        self._show(layout.completed(state))
        self._stack.setClean()
        self.loaded.emit()

    def undo(self) -> None:
        self._stack.undo()

    def redo(self) -> None:
        self._stack.redo()

    def _show(self, new: DocumentState) -> None:
        old, self._state = self._state, new
        self._used.update(n.uid for n in new.graph.nodes)
        if old != new:
            self.changed.emit(old, new)

    # ---- nodes -------------------------------------------------------------------------------------

    def add_layer(
        self,
        kind: str | Layer,
        pos: Point | None = None,
        *,
        link: LinkSpec | None = None,
        after: Uid | None = None,
    ) -> Uid:
        """Add a layer (its kind, or with settings) at `pos`, into `link` or behind `after`; its uid.

        An input takes the shape of the data. Raises KeyError for an unknown kind.
        """
        layer = edits.layer_of(kind) if isinstance(kind, str) else kind
        if layer.kind == "input" and self._state.data is not None:
            layer = Input(self._state.data.shape)
        uid = self._fresh(layer)
        asked = after
        if after is not None and link is None:
            # behind a layer means behind the activation that is docked on it, too
            after = next((guest for guest, host in dock_hosts(self._state).items() if host == after), after)
        new = edits.with_layer(self._state, layer, uid, pos, link=link, after=after)
        if pos is None and asked is not None and can_dock(new.graph, uid) == asked == after:
            new = edits.docked_on(new, uid, asked)
        if asked is not None:
            new = block_edits.beside(new, uid, asked)
        elif pos is not None:
            new = block_edits.taken_in(new, [uid])
        self.edit(new, tr("Add {layer}").format(layer=tr(layer.label)))
        return uid

    def add_linked(
        self,
        kind: str,
        pos: Point,
        *,
        after: Uid | None = None,
        before: tuple[Uid, int] | None = None,
        link: LinkSpec | None = None,
    ) -> Uid:
        """Add a layer at `pos` with a link from `after`, to the input port `before`, or into `link`.

        Unlike `add_layer(after=...)` the links that leave `after` stay as they are.
        """
        layer = edits.layer_of(kind)
        uid = self._fresh(layer)
        new = edits.with_layer(self._state, layer, uid, pos, link=link)
        graph = new.graph
        if after is not None and layer.port_limit():
            graph = graph.link(after, uid, 0)
        if before is not None and layer.has_output:
            graph = graph.link(uid, *before)
        new = block_edits.taken_in(replace(new, graph=graph), [uid])
        self.edit(new, tr("Add {layer}").format(layer=tr(layer.label)))
        return uid

    def add_docked(self, kind: str, host: Uid) -> Uid:
        """Add an activation that sits flush on `host`; its uid."""
        layer = edits.layer_of(kind)
        uid = self._fresh(layer)
        x, y = self._state.positions.get(host, (0.0, 0.0))
        graph = self.graph.add(self.graph.fresh_name(layer.stem or layer.kind), layer, uid=uid)
        new = edits.docked_on(replace(self._state, graph=graph).with_positions({uid: (x, y)}), uid, host)
        self.edit(new, tr("Add {layer}").format(layer=tr(layer.label)))
        return uid

    def dock(self, uid: Uid, host: Uid) -> bool:
        """Let an activation sit flush on `host`; False where its links do not allow it."""
        text = tr("Dock {name}").format(name=self._name(uid))
        return self.edit(edits.docked_on(self._state, uid, host), text)

    def remove(self, uids: Iterable[Uid], links: Iterable[LinkSpec] = (), *, heal: bool = False) -> bool:
        """Remove nodes and links; with `heal` chains close over the gap."""
        uids = list(uids)
        gone = [u for u in self.blocks.expanded(uids) if self.graph.has(u)]
        links = list(links)
        if len(gone) == 1 or (len(uids) == 1 and gone):
            text = tr("Delete {name}").format(name=self._name(gone[0] if len(gone) == 1 else uids[0]))
        elif gone:
            text = trn("Delete {n} layer", "Delete {n} layers", len(gone)).format(n=len(gone))
        else:
            text = trn("Delete {n} link", "Delete {n} links", len(links)).format(n=len(links))
        return self.edit(edits.without(self._state, gone, links, heal=heal), text)

    def duplicate(self, uids: Iterable[Uid]) -> tuple[Uid, ...]:
        """Copy nodes and blocks with the links among them; the uids of the copies."""
        chosen = clipboard.piece_of(self._state, tuple(uids))
        if not chosen.nodes:
            return ()
        new, made = block_edits.with_piece(self._state, chosen, self._used, (SHIFT, SHIFT))
        self.edit(new, tr("Duplicate"))
        return made

    def rename(self, uid: Uid, name: str) -> bool:
        """Raises GraphError when the name is taken or could not be a key in files (that of a block may)."""
        if uid in self.blocks:
            return self.edit(block_edits.renamed(self._state, uid, name.strip()), tr("Rename"))
        graph = self.graph.replace_node(uid, name=name.strip())
        return self.edit(replace(self._state, graph=graph), tr("Rename"))

    def set_setting(self, uid: Uid, field: str, value: Any) -> bool:
        """Change one setting of a layer. Raises GraphError for a value outside its range."""
        node = self.graph.node(uid)
        facts = node.layer.settings()[field][0]
        graph = self.graph.replace_node(uid, layer=replace(node.layer, **{field: value}))
        text = tr("Change {setting}").format(setting=tr(facts.label))
        return self.edit(replace(self._state, graph=graph), text, f"setting/{uid}/{field}")

    def move(self, moved: Mapping[Uid, Point], key: str = "") -> bool:
        """Put nodes elsewhere. Moves with the same `key` (one drag) become one step.

        A docked activation that is moved away from its layer is no longer docked.
        """
        moved = {u: (float(x), float(y)) for u, (x, y) in moved.items() if self.graph.has(u)}
        hosts = dock_hosts(self._state)
        left = {u for u in moved if u in hosts and hosts[u] not in moved}
        new = self._state.with_positions(moved).with_docked(self._state.docked - left)
        if not key:
            new = block_edits.taken_in(new, block_edits.wholes(new, moved))
            new = block_edits.grown(self._state, new)
        return self.edit(
            new,
            trn("Move {n} layer", "Move {n} layers", len(moved)).format(n=len(moved)),
            f"move/{key}" if key else "",
        )

    def share(self, uid: Uid, owner: Uid | None) -> bool:
        """Let a node use the weights of `owner`, or its own again (None)."""
        graph = self.graph.replace_node(uid, shares=self.graph.node(owner).owner if owner else None)
        return self.edit(replace(self._state, graph=graph), tr("Share weights"))

    def freeze(self, uid: Uid, frozen: bool) -> bool:
        """Let learning leave the weights of a node, or of a block, as they are, or change them again."""
        graph = self.graph
        for owner in {graph.node(u).owner for u in self.blocks.expanded([uid])}:
            if uid not in self.blocks or self.inference.count(owner):
                graph = graph.replace_node(owner, frozen=frozen)
        return self.edit(replace(self._state, graph=graph), tr("Freeze") if frozen else tr("Unfreeze"))

    def set_rule(self, uid: Uid, rule: str, value: float) -> bool:
        """Change a rule for the weights of a node. Raises GraphError for a value outside its range."""
        owner = self.graph.node(self.graph.node(uid).owner)
        graph = self.graph.replace_node(owner.uid, rules=replace(owner.rules, **{rule: value}))
        text = tr("Change {setting}").format(setting=tr(owner.rules.settings()[rule][0].label))
        return self.edit(replace(self._state, graph=graph), text, f"rule/{owner.uid}/{rule}")

    def set_start(self, uid: Uid, parameter: str, initializer: str) -> bool:
        """Let a parameter start otherwise than its layer says; "" as the layer says."""
        owner = self.graph.node(self.graph.node(uid).owner)
        starts = {**dict(owner.starts), parameter: initializer}
        kept = tuple(sorted((name, kind) for name, kind in starts.items() if kind))
        graph = self.graph.replace_node(owner.uid, starts=kept)
        text = tr("Change the start of {name}").format(name=parameter)
        return self.edit(replace(self._state, graph=graph), text)

    # ---- links -------------------------------------------------------------------------------------

    def link(self, source: Uid, target: Uid, port: int | None = None) -> bool:
        """Link two nodes; without `port` the first free one, or the last. Raises GraphError on a loop."""
        node = self.graph.node(target)
        if port is None:
            free = self.graph.free_port(target)
            port = free if free is not None else node.layer.port_limit() - 1
        return self.edit(replace(self._state, graph=self.graph.link(source, target, port)), tr("Link"))

    def relink(self, graph: GraphSpec) -> bool:
        """Take a graph with other links (a link drawn, or moved to another port)."""
        return self.edit(replace(self._state, graph=edits.compact_ports(graph)), tr("Link"))

    def insert_into(self, uid: Uid, link: LinkSpec, pos: Point) -> bool:
        """Put a node that is linked to nothing into a link."""
        new = edits.into_link(self._state, uid, link, pos)
        return self.edit(new, tr("Insert {name}").format(name=self._name(uid)))

    def unlink(self, target: Uid, port: int) -> bool:
        graph = self.graph.unlink(target, port)
        return self.edit(replace(self._state, graph=graph), tr("Delete link"))

    def apply_repair(self, repair: Repair) -> bool:
        """Do what a problem proposes. Raises GraphError when it no longer fits."""
        if repair.kind == "set_training":
            return self.set_training(**{repair.field: repair.value})
        return self.edit(edits.with_repair(self._state, repair), tr_message(repair.label))

    # ---- training, data, notes -----------------------------------------------------------------------

    def set_training(self, **changes: Any) -> bool:
        """Change training settings by name. Raises GraphError for a value outside its range."""
        facts = TrainingSpec.settings()
        text = tr("Change {setting}").format(setting=", ".join(tr(facts[k][0].label) for k in changes))
        return self.edit(
            replace(self._state, training=replace(self.training, **changes)),
            text,
            "training/" + "/".join(sorted(changes)),
        )

    def set_data(self, source: SourceSpec | None, data: DataSpec | None, repair: bool = True) -> bool:
        """Take other data. In the same step the input takes its shape, and what follows adapts."""
        new = edits.with_data(replace(self._state, source=source), data, repair)
        return self.edit(new, tr("Change data"))

    def set_notes(self, notes: str) -> bool:
        return self.edit(replace(self._state, notes=notes), tr("Edit notes"), "notes")

    # ---- clipboard, layout ---------------------------------------------------------------------------

    def copy(self, uids: Collection[Uid]) -> bool:
        """Put nodes on the clipboard, as JSON that can be pasted into any text too."""
        piece = clipboard.piece_of(self._state, tuple(uids))
        if not piece.nodes:
            return False
        text = clipboard.write(piece)
        mime = QMimeData()
        mime.setText(text)
        mime.setData(clipboard.MIME, text.encode())
        QGuiApplication.clipboard().setMimeData(mime)
        return True

    def cut(self, uids: Collection[Uid]) -> bool:
        return self.copy(uids) and self.remove(uids)

    def paste(self, at: Point | None = None) -> tuple[Uid, ...]:
        """Add what is on the clipboard, its upper left corner at `at`. Raises GraphError for other texts."""
        mime = QGuiApplication.clipboard().mimeData()
        text = (
            bytes(mime.data(clipboard.MIME).data()).decode("utf-8", "replace")
            if mime.hasFormat(clipboard.MIME)
            else mime.text()
        )
        return self.insert(clipboard.read(text), at, tr("Paste"))

    def insert(self, piece: clipboard.Fragment, at: Point | None, text: str) -> tuple[Uid, ...]:
        """Add a piece of a network, its upper left corner at `at`, under fresh names; its uids."""
        shift = (SHIFT, SHIFT)
        if at is not None and piece.positions:
            shift = (
                at[0] - min(p[0] for p in piece.positions.values()),
                at[1] - min(p[1] for p in piece.positions.values()),
            )
        new, made = block_edits.with_piece(self._state, piece, self._used, shift)
        self.edit(new, text)
        return made

    def tidy(self, width: float | None = None) -> bool:
        """Lay the network out: for the room of the canvas, or in rows no wider than `width`."""
        room = (width, 0.0) if width is not None else (self.view_width, self.view_height)
        new = layout.tidied(self._state, room[0], self.inference, room[1])
        return self.edit(new, tr("Tidy layout"))

    def adapt_layout(self) -> bool:
        """Lay out for `view_width` a network that came without places, as long as nothing was edited.

        This is no edit: there is nothing to undo or to save.
        """
        if not self._unplaced or self._stack.count():
            return False
        before = self._state
        self._show(layout.tidied(before, self.view_width, self.inference, self.view_height))
        return self._state != before

    # ---- inside ------------------------------------------------------------------------------------

    def _fresh(self, layer: Layer) -> Uid:
        return edits.fresh_uid(self.graph, self.graph.fresh_name(layer.stem or layer.kind), self._used)

    def _name(self, uid: Uid) -> str:
        try:
            return self.blocks[uid].name if uid in self.blocks else self.node(uid).name
        except GraphError:
            return uid

    def node(self, uid: Uid) -> NodeSpec:
        """Raises GraphError when there is none."""
        return self.graph.node(uid)
