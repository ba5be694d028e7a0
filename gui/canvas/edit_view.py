"""A view of a document with all a menu can ask of it: edits of the selection, search, names, layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtWidgets import QWidget

from engine.errors import MatrizenError
from engine.graph import LinkSpec, Uid
from engine.layers import LAYERS
from gui import theme
from gui.canvas import block_sync
from gui.canvas.block_item import BlockItem
from gui.canvas.clipboard import Fragment
from gui.canvas.geometry import HEADER
from gui.canvas.layer_search import LayerSearch
from gui.canvas.rename_field import RenameField
from gui.canvas.scene import CanvasScene
from gui.canvas.state import Point
from gui.canvas.zoom_view import MARGIN, ZoomView
from gui.document import Document


class EditView(ZoomView):
    """`canvas` is the scene of `document`; what an edit refuses is told by `refused`."""

    refused = Signal(object)
    """A MatrizenError: why an edit could not be done."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.canvas = CanvasScene(document, self)
        self.setScene(self.canvas)
        self.last_pixel = QPoint()
        """Where the pointer was last, in the viewport."""
        self._search: LayerSearch | None = None
        self._rename: RenameField | None = None

    # ---- what is seen ----------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole network, not larger than 100 %, gliding there."""
        self.following = True
        self.show_rect(self.goal_rect())

    def show_node(self, uid: Uid) -> None:
        """Select a node and bring it into sight; folded blocks around it open."""
        if self.canvas.blocks.holder(uid) is not None:
            self.document.unfold_to(uid)
        self.canvas.select([uid])
        node = self.canvas.nodes.get(self.canvas.shown(uid))
        if node is not None and not self.visible_scene_rect().contains(node.rect()):
            self.center_on(node.rect().center())

    def show_in_sight(self, uid: Uid) -> None:
        """Pan just so far that a node can be seen."""
        node = self.canvas.nodes[uid]
        whole = node.frame() if isinstance(node, BlockItem) and not node.look.folded else node.rect()
        place = self.mapFromScene(whole).boundingRect()
        room = self.viewport().rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        dx = max(0, room.left() - place.left()) - max(0, place.right() - room.right())
        dy = max(0, room.top() - place.top()) - max(0, place.bottom() - room.bottom())
        if dx or dy:
            self.pan_by_hand(QPoint(dx, dy))

    def goal_rect(self) -> QRectF:
        """Around all nodes where they will be once they have stopped gliding."""
        rect = QRectF()
        for uid, node in self.canvas.nodes.items():
            if node.isVisible():
                rect = rect.united(QRectF(self.canvas.goal(uid), node.rect().size()))
        return rect.united(block_sync.frames_rect(self.canvas))

    def tell_room(self) -> None:
        """Let the document know the room that `tidy` may fill."""
        room = self.room()
        self.document.view_width = max(400.0, room.width() / theme.scale())
        self.document.view_height = max(200.0, room.height() / theme.scale())

    # ---- edits of the selection, also for menus of the window ------------------------------------------

    @property
    def selection(self) -> tuple[Uid, ...]:
        return self.canvas.selected

    def attempt(self, edit: Callable[[], Any]) -> Any:
        """Do an edit; what it refuses is told by `refused`, and the items go back to their places."""
        try:
            return edit()
        except MatrizenError as error:
            for uid, node in self.canvas.nodes.items():
                node.setPos(self.canvas.goal(uid))
            self.canvas.reroute()
            self.refused.emit(error)
            return None

    def delete_selection(self) -> None:
        """Remove the selected nodes with their links, and the selected links."""
        uids, links = self.canvas.selected, self.canvas.selected_links
        if uids or links:
            self.attempt(lambda: self.document.remove(uids, links))

    def duplicate_selection(self) -> None:
        made = self.attempt(lambda: self.document.duplicate(self.canvas.selected))
        if made:
            self.canvas.select(made)

    def copy_selection(self) -> None:
        self.document.copy(self.canvas.selected)

    def cut_selection(self) -> None:
        self.attempt(lambda: self.document.cut(self.canvas.selected))

    def paste(self) -> None:
        """Add the layers on the clipboard where the pointer is."""
        inside = self.viewport().rect().contains(self.last_pixel)
        at = self.mapToScene(self.last_pixel if inside else self.viewport().rect().center())
        made = self.attempt(lambda: self.document.paste((at.x(), at.y())))
        if made:
            self.canvas.select(made)

    def select_all(self) -> None:
        blocks = (spec.uid for spec in self.canvas.blocks)
        self.canvas.select([*(n.uid for n in self.document.graph.nodes), *blocks])

    def tidy(self) -> None:
        """Lay the network out for the width at 100 %, then show it all."""
        self.tell_room()
        self.canvas.gliding = True
        self.document.tidy()
        self.canvas.gliding = False
        self.following = True
        self.show_rect(self.goal_rect())

    # ---- blocks: also for menus of the window ----------------------------------------------------------

    def fold_selection(self) -> None:
        """Fold what is selected into a block, and ask for its name; an open block alone folds again."""
        chosen, blocks = self.canvas.selected, self.canvas.blocks
        if len(chosen) == 1 and chosen[0] in blocks:
            if not blocks[chosen[0]].folded:
                self.toggle_blocks(chosen)
            return
        uid = self._gliding(lambda: self.document.fold(chosen))
        if uid:
            self.canvas.select([uid])
            self._reveal(uid, rest=False)
            self.rename_selected()

    def toggle_blocks(self, uids: Iterable[Uid] = ()) -> None:
        """Unfold the folded ones of these blocks (the selected ones), or fold them if all are open.

        A selected layer means the block it lies in.
        """
        blocks, chosen = self.canvas.blocks, list(uids) or list(self.canvas.selected)
        chosen = [u if u in blocks else blocks.parents.get(u, "") for u in chosen]
        found = [u for u in dict.fromkeys(chosen) if u in blocks]
        fold = not any(blocks[u].folded for u in found)
        for uid in found:
            if blocks[uid].folded != fold:
                self._gliding(partial(self.document.set_folded, uid, fold))
        if found:
            self.canvas.select(found)
            self._reveal(found[-1])

    def _reveal(self, uid: Uid, rest: bool = True) -> None:
        """Bring a block that changed into sight: the whole network, while that is what is shown."""
        if self.following and rest:
            self.show_rect(self.goal_rect())
        elif not self.following:
            self.show_in_sight(self.canvas.shown(uid))

    def dissolve_selection(self) -> None:
        """Take the grouping of the selected blocks away; their members are selected then."""
        blocks = self.canvas.blocks
        found = [u for u in self.canvas.selected if u in blocks]
        inside = [m for u in found for m in blocks[u].members]
        if found and self._gliding(lambda: self.document.dissolve(found)):
            self.canvas.select(inside)

    def insert_block(self, piece: Fragment, at: Point | None = None, link: LinkSpec | None = None) -> None:
        """Add a kept block at `at`, in a `link`, or behind what is selected."""
        after = self.canvas.selected[-1] if self.canvas.selected and at is None else None
        uid = self._gliding(lambda: self.document.insert_block(piece, at, after, link))
        if uid:
            self.show_node(uid)
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_out_selection(self) -> None:
        """Let the selected layers leave the block they lie in."""
        self._gliding(lambda: self.document.take_out(self.canvas.selected))

    def _gliding(self, edit: Callable[[], Any]) -> Any:
        """An edit after which things glide to where they belong."""
        self.canvas.gliding = True
        try:
            return self.attempt(edit)
        finally:
            self.canvas.gliding = False

    # ---- names and search ------------------------------------------------------------------------------

    def rename_selected(self) -> None:
        """Edit the name of the selected node or block in place."""
        if len(self.canvas.selected) != 1:
            return
        uid = self.canvas.selected[0]
        node = self.canvas.nodes[self.canvas.shown(uid)]
        tall = min(HEADER, node.look.size.height)
        head = QRectF(node.rect().topLeft(), node.rect().topLeft() + QPointF(node.look.size.width, tall))
        place = self.mapFromScene(head).boundingRect()
        wide, high = max(place.width() - 8, theme.px(120)), theme.px(28)
        box = QRect(place.left() + 4, place.center().y() - high // 2, wide, high)
        if uid in self.canvas.blocks:
            box.setWidth(min(box.width(), theme.px(280)))
        self._rename = RenameField(self.viewport(), *self._naming(uid), box)
        self._rename.renamed.connect(lambda name: self.attempt(lambda: self.document.rename(uid, name)))
        self._rename.finished.connect(self._renamed)

    def _naming(self, uid: Uid) -> tuple[str, Callable[[str], object]]:
        """The name of a node or block, and what raises for a name it may not have."""
        blocks, graph = self.canvas.blocks, self.document.graph
        if uid in blocks:
            return blocks[uid].name, lambda name: blocks.check_name(name, uid)
        return graph.node(uid).name, lambda name: graph.replace_node(uid, name=name)

    def _renamed(self) -> None:
        self._rename = None
        self.setFocus()

    def open_search(
        self,
        pixel: QPoint | None = None,
        *,
        after: Uid | None = None,
        before: tuple[Uid, int] | None = None,
        link: LinkSpec | None = None,
    ) -> LayerSearch:
        """The layer search at a point of the viewport (the pointer); the layer is linked `after` a node,
        in front of an input port (`before`) or put into a `link`."""
        inside = self.viewport().rect().contains(self.last_pixel)
        at = pixel if pixel is not None else self.last_pixel if inside else self.viewport().rect().center()
        scene = self.mapToScene(at)
        kinds = [
            k
            for k, cls in LAYERS.items()
            if (cls.port_limit() or (after is None and link is None))
            and (cls.has_output or (before is None and link is None))
        ]
        self._search = LayerSearch(self.viewport(), kinds)
        self._search.chosen.connect(lambda kind: self._add(kind, scene, after, before, link))
        self._search.closed.connect(self.setFocus)
        self._search.open_at(at)
        return self._search

    def _add(
        self,
        kind: str,
        scene: QPointF,
        after: Uid | None,
        before: tuple[Uid, int] | None,
        link: LinkSpec | None,
    ) -> None:
        pos = (scene.x(), scene.y() - 100)
        if link is None and after is None and before is None:
            pos = (scene.x(), scene.y())
        uid = self.attempt(lambda: self.document.add_linked(kind, pos, after=after, before=before, link=link))
        if uid:
            self.canvas.select([uid])
            self.show_in_sight(self.canvas.shown(uid))  # searched for near an edge, it would be cut off

    def add_behind_selection(self, kind: str) -> None:
        """Add a layer behind the selected node, or where there is room."""
        after = self.canvas.selected[-1] if self.canvas.selected else None
        uid = self.attempt(lambda: self.document.add_layer(kind, after=after))
        if uid:
            self.show_node(uid)
            self.setFocus(Qt.FocusReason.OtherFocusReason)
