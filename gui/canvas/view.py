"""The canvas widget: zoom, pan, keys, and who gets the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    Qt,
    QTimer,
    QVariantAnimation,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from engine.errors import MatrizenError
from engine.graph import LinkSpec, Uid
from gui import theme
from gui.canvas import backdrop, keys, menu
from gui.canvas.geometry import HEADER
from gui.canvas.gestures import DrawLink, DropLayer, Gesture, MoveNodes, Pan, PressRepair, RubberBand
from gui.canvas.gestures.drop_layer import MIME
from gui.canvas.layer_search import LayerSearch
from gui.canvas.minimap import MiniMap
from gui.canvas.overlays import Legend, NeuronCard, NodeTools, ZoomBar
from gui.canvas.rename_field import RenameField
from gui.canvas.scene import CanvasScene
from gui.document import Document
from gui.i18n import integer, tr

SMALLEST, LARGEST = 0.08, 4.0
STEP = 1.25
MARGIN = 32
SETTLE_MS = 140


class CanvasView(QGraphicsView):
    """Shows a `Document`. `canvas` is its scene; pictures and weights are handed to that."""

    selection_changed = Signal(tuple)
    """The uids of the selected nodes."""
    node_opened = Signal(str)
    """A node was double clicked, or Enter pressed on it."""
    files_dropped = Signal(list, QPointF)
    """(paths, point of the scene)"""
    refused = Signal(object)
    """A MatrizenError: why an edit could not be done."""
    help_requested = Signal(str)
    """The kind of a layer whose help is wanted."""
    zoom_changed = Signal(float)
    space_tapped = Signal()
    """Space was pressed and released without a drag; only while something listens is Space kept here."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.canvas = CanvasScene(document, self)
        self.setScene(self.canvas)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Smart and Minimal cost 30 times as much once pictures in all nodes change
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(True)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Network"))
        self.zoom = 1.0
        self.gesture: Gesture | None = None
        self.space_down = False
        self._space_used = False
        self._drop: DropLayer | None = None
        self._fitted = False
        self._motion: QVariantAnimation | None = None
        self._search: LayerSearch | None = None
        self._rename: RenameField | None = None
        self._last_pixel = QPoint()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._sharpen)
        self._make_overlays()
        self.canvas.selection_changed.connect(self._selected)
        self.canvas.weights_known.connect(self._overlays)
        document.changed.connect(lambda *_: self._overlays())
        document.loaded.connect(self._loaded)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_overlays(self) -> None:
        self.zoom_bar = ZoomBar(self.viewport())
        self.zoom_bar.zoom_in.connect(lambda: self.zoom_by(STEP))
        self.zoom_bar.zoom_out.connect(lambda: self.zoom_by(1 / STEP))
        self.zoom_bar.actual.connect(lambda: self.zoom_to(1.0))
        self.zoom_bar.fit.connect(self.fit)
        self.legend = Legend(self.viewport())
        self.minimap = MiniMap(self)
        self.card = NeuronCard(self.viewport())
        self.tools = NodeTools(self.viewport())
        self.tools.duplicate.connect(lambda: self._tool(self.duplicate_selection))
        self.tools.delete.connect(lambda: self._tool(self.delete_selection))
        self.tools.more.connect(lambda at: self._tool(lambda: menu.popup(self, at)))

    # ---- zoom and pan --------------------------------------------------------------------------------

    @property
    def scale_factor(self) -> float:
        """Pixels of the viewport per scene unit: zoom, 1.5 times as much in presentation mode."""
        return self.zoom * theme.scale()

    def zoom_to(self, zoom: float, pixel: QPoint | None = None) -> None:
        """Zoom so that the scene point under `pixel` (the middle) stays where it is."""
        zoom = min(max(zoom, SMALLEST), LARGEST)
        at = pixel if pixel is not None else self.viewport().rect().center()
        before = self.mapToScene(at)
        self.zoom = zoom
        self.setTransform(QTransform.fromScale(self.scale_factor, self.scale_factor))
        self.pan_by(at - self.mapFromScene(before))
        self.canvas.set_zoom(zoom, self.canvas.atlas.ratio)
        self._settle.start()
        self.zoom_bar.show_zoom(zoom)
        self._seen()
        self.zoom_changed.emit(zoom)

    def zoom_by(self, factor: float, pixel: QPoint | None = None) -> None:
        self.zoom_to(self.zoom * factor, pixel)

    def pan_by(self, pixels: QPoint) -> None:
        """Move the paper by so many pixels."""
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - pixels.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - pixels.y())
        self._seen()

    def center_on(self, point: QPointF) -> None:
        """Bring a point of the scene into the middle."""
        self.pan_by(self.viewport().rect().center() - self.mapFromScene(point))

    def visible_scene_rect(self) -> QRectF:
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def fit(self) -> None:
        """Show the whole network, not larger than 100 %, gliding there."""
        self._show_rect(self.canvas.content_rect())

    def show_node(self, uid: Uid) -> None:
        """Select a node and bring it into sight."""
        self.canvas.select([uid])
        node = self.canvas.nodes.get(self.canvas.shown(uid))
        if node is not None and not self.visible_scene_rect().contains(node.rect()):
            self.center_on(node.rect().center())

    def show_in_sight(self, uid: Uid) -> None:
        """Pan just so far that a node can be seen."""
        place = self.mapFromScene(self.canvas.nodes[uid].rect()).boundingRect()
        room = self.viewport().rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        dx = max(0, room.left() - place.left()) - max(0, place.right() - room.right())
        dy = max(0, room.top() - place.top()) - max(0, place.bottom() - room.bottom())
        if dx or dy:
            self.pan_by(QPoint(dx, dy))

    def _show_rect(self, rect: QRectF, animate: bool = True) -> None:
        room = self.viewport().rect().adjusted(MARGIN, MARGIN - 8, -MARGIN, -MARGIN - 24)
        if rect.isEmpty() or room.width() < 20 or room.height() < 20:
            self.zoom_to(1.0)
            self.center_on(rect.center())
            return
        goal = min(room.width() / rect.width(), room.height() / rect.height()) / theme.scale()
        goal = min(max(goal, SMALLEST), 1.0)
        # a network that fits begins at the upper left, as it is read
        factor = goal * theme.scale()
        tall = rect.height() * factor
        middle = QPointF(rect.center().x(), rect.center().y())
        if tall < room.height() * 0.98:
            slack = (room.height() - tall) / 2
            middle.setY(middle.y() + max(0.0, slack - 16) * 0.25 / factor)
        shift = room.center() - self.viewport().rect().center()
        middle -= QPointF(shift) / factor
        self._glide(goal, middle, animate)

    def _glide(self, zoom: float, middle: QPointF, animate: bool) -> None:
        duration = theme.duration("fit") if animate and self.isVisible() else 0
        if self._motion is not None:
            self._motion.stop()
            self._motion = None
        if not duration:
            self.zoom_to(zoom)
            self.center_on(middle)
            return
        start_zoom, start = self.zoom, self.visible_scene_rect().center()
        motion = QVariantAnimation(self)
        motion.setStartValue(0.0)
        motion.setEndValue(1.0)
        motion.setDuration(duration)
        motion.setEasingCurve(QEasingCurve.Type.OutCubic)

        def step(share: float) -> None:
            self.zoom_to(start_zoom + (zoom - start_zoom) * share)
            self.center_on(start + (middle - start) * share)

        motion.valueChanged.connect(step)
        self._motion = motion
        motion.start()

    def _sharpen(self) -> None:
        self.canvas.set_zoom(self.zoom, self.scale_factor * self.devicePixelRatioF())
        self.viewport().update()

    def _seen(self) -> None:
        """What is in sight changed."""
        self.minimap.update()
        self.tools.hide()
        if self._rename is not None:
            self._rename = None

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
        inside = self.viewport().rect().contains(self._last_pixel)
        at = self.mapToScene(self._last_pixel if inside else self.viewport().rect().center())
        made = self.attempt(lambda: self.document.paste((at.x(), at.y())))
        if made:
            self.canvas.select(made)

    def select_all(self) -> None:
        self.canvas.select(n.uid for n in self.document.graph.nodes)

    def tidy(self) -> None:
        """Lay the network out for the width at 100 %, then show it all."""
        self._tell_width()
        self.document.tidy()
        rect = QRectF()
        for uid, node in self.canvas.nodes.items():
            if node.isVisible():
                rect = rect.united(QRectF(self.canvas.goal(uid), node.rect().size()))
        self._show_rect(rect)

    def rename_selected(self) -> None:
        """Edit the name of the selected node in place."""
        if len(self.canvas.selected) != 1:
            return
        uid = self.canvas.selected[0]
        node = self.canvas.nodes[self.canvas.shown(uid)]
        head = QRectF(node.rect().topLeft(), node.rect().topLeft() + QPointF(node.look.size.width, HEADER))
        place = self.mapFromScene(head).boundingRect()
        wide, high = max(place.width() - 8, theme.px(120)), theme.px(28)
        box = QRect(place.left() + 4, place.center().y() - high // 2, wide, high)
        self._rename = RenameField(self.viewport(), self.document.graph, uid, box)
        self._rename.renamed.connect(lambda name: self.attempt(lambda: self.document.rename(uid, name)))
        self._rename.finished.connect(self.setFocus)

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
        inside = self.viewport().rect().contains(self._last_pixel)
        at = pixel if pixel is not None else self._last_pixel if inside else self.viewport().rect().center()
        scene = self.mapToScene(at)
        self._search = LayerSearch(self.viewport())
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

    def add_behind_selection(self, kind: str) -> None:
        """Add a layer behind the selected node, or where there is room."""
        after = self.canvas.selected[-1] if self.canvas.selected else None
        uid = self.attempt(lambda: self.document.add_layer(kind, after=after))
        if uid:
            self.show_node(uid)

    # ---- mouse -----------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        pixel, point = event.position().toPoint(), self.mapToScene(event.position().toPoint())
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self.gesture is not None:
            self._cancel()
            return
        self.gesture = self._gesture(event, point, pixel)
        if self.gesture is not None and self.gesture.cursor is not None:
            self.viewport().setCursor(self.gesture.cursor)
        self.tools.hide()
        event.accept()

    def _gesture(self, event: QMouseEvent, point: QPointF, pixel: QPoint) -> Gesture | None:
        add = bool(
            event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        )
        if event.button() == Qt.MouseButton.MiddleButton or self.space_down:
            self._space_used = True
            return Pan(self, point, pixel)
        if event.button() != Qt.MouseButton.LeftButton:
            return None
        bubble = self.canvas.bubble_at(point)
        if bubble is not None:
            return PressRepair(self, point, pixel, bubble) if bubble.on_button(point) else None
        port = self.canvas.port_at(point)
        if port is not None:
            return DrawLink(self, point, pixel, *port)
        uid = self.canvas.node_at(point)
        if uid is not None:
            return MoveNodes(self, point, pixel, uid, add)
        link = self.canvas.link_at(point)
        if link is not None:
            kept = self.canvas.selected_links if add else ()
            self.canvas.select(self.canvas.selected if add else (), (*kept, link))
            return None
        return RubberBand(self, point, pixel, add)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pixel = self._last_pixel = event.position().toPoint()
        point = self.mapToScene(pixel)
        if self.gesture is not None:
            self.gesture.move(point, pixel, event.modifiers())
            return
        self._hover(point)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture, self.gesture = self.gesture, None
        if gesture is None:
            return
        pixel = event.position().toPoint()
        self.viewport().unsetCursor()
        gesture.release(self.mapToScene(pixel), pixel, event.modifiers())
        self._overlays()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        point = self.mapToScene(event.position().toPoint())
        uid = self.canvas.node_at(point)
        if (
            uid is not None
            and event.button() == Qt.MouseButton.LeftButton
            and self.canvas.port_at(point) is None
        ):
            self.node_opened.emit(uid)
        elif (
            uid is None
            and event.button() == Qt.MouseButton.LeftButton
            and self.canvas.bubble_at(point) is None
        ):
            self.open_search(event.position().toPoint(), link=self.canvas.link_at(point))

    def _cancel(self) -> None:
        if self.gesture is not None:
            gesture, self.gesture = self.gesture, None
            gesture.cancel()
            self.viewport().unsetCursor()

    def _hover(self, point: QPointF) -> None:
        bubble = self.canvas.bubble_at(point)
        for other in self.canvas.bubbles.values():
            over = other is bubble and other.on_button(point)
            if other.hovered != over:
                other.hovered = over
                other.update()
        port = None if bubble is not None else self.canvas.port_at(point)
        uid = None if bubble is not None else port[0] if port is not None else self.canvas.node_at(point)
        if bubble is not None:
            uid = self.canvas.shown(bubble.problem.node)
        link = self.canvas.link_at(point) if uid is None else None
        unit = self.canvas.nodes[uid].neuron_at(point) if uid is not None and bubble is None else None
        self.canvas.hover(uid, link, (uid, unit) if uid is not None and unit is not None else None)
        hand = (bubble is not None and bubble.on_button(point)) or link is not None
        shape = (
            Qt.CursorShape.PointingHandCursor
            if hand
            else Qt.CursorShape.CrossCursor
            if port is not None
            else Qt.CursorShape.OpenHandCursor
            if self.space_down
            else Qt.CursorShape.ArrowCursor
        )
        self.viewport().setCursor(shape)
        self._show_tools(uid)
        self._show_card()

    def _show_tools(self, uid: Uid | None) -> None:
        if uid is None or self.zoom < 0.7 or uid in self.canvas.bubbles:
            self.tools.hide()
            return
        place = self.mapFromScene(self.canvas.nodes[uid].rect()).boundingRect()
        self.tools.setProperty("uid", uid)
        self.tools.adjustSize()
        self.tools.move(place.center().x() - self.tools.width() // 2, place.bottom() - theme.px(6))
        self.tools.show()

    def _tool(self, act: Callable[[], Any]) -> None:
        uid = self.tools.property("uid")
        if uid in self.canvas.nodes:
            if uid not in self.canvas.selected:
                self.canvas.select([uid])
            self.tools.hide()
            act()

    def _show_card(self) -> None:
        hovered = self.canvas.hovered_neuron
        known = self.canvas.weights_of(hovered[0]) if hovered is not None else None
        if hovered is None or known is None or hovered[1] >= len(known[0]):
            self.card.hide()
            return
        uid, unit = hovered
        row = known[0][unit]
        inputs = self.document.graph.inputs_of(uid)
        first = inputs and self.document.node(self.canvas.shown(inputs[0].source)).layer.kind == "input"
        names = (
            ("x", "y")
            if first and len(row) == 2
            else tuple(tr("neuron {n}").format(n=integer(j + 1)) for j in range(len(row)))
        )
        self.card.show_neuron(self.document.node(uid).name, unit, row, known[1], names)
        place = self.mapFromScene(self.canvas.nodes[uid].rect()).boundingRect()
        room = self.viewport().rect()
        x = (
            place.right() + 14
            if place.right() + 14 + self.card.width() < room.right()
            else place.left() - 14 - self.card.width()
        )
        y = min(max(8, self._last_pixel.y() - 20), room.bottom() - self.card.height() - 8)
        self.card.move(max(8, x), max(8, y))
        self.card.show()
        self.card.raise_()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Wheel and pinch zoom around the pointer; two fingers and Shift pan."""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            delta = event.angleDelta()
            self.pan_by(QPoint(delta.x() + delta.y(), 0) / 2)
        elif not event.pixelDelta().isNull() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pan_by(event.pixelDelta())
        elif event.angleDelta().y():
            self.zoom_by(1.15 ** (event.angleDelta().y() / 120), event.position().toPoint())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.NativeGesture
            and isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_by(1.0 + event.value(), event.position().toPoint())
            return True
        if event.type() == QEvent.Type.Leave and self.gesture is None:
            below = self.viewport().childAt(self.viewport().mapFromGlobal(self.cursor().pos()))
            if below is None:
                self.canvas.hover(None)
                self.tools.hide()
                self.card.hide()
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._last_pixel = event.pos()
            point = self.mapToScene(event.pos())
            uid, link = self.canvas.node_at(point), self.canvas.link_at(point)
            if uid is not None:
                if uid not in self.canvas.selected:
                    self.canvas.select([uid])
            else:
                self.canvas.select((), (link,) if link is not None else ())
        menu.popup(self, event.globalPos())

    # ---- drag and drop ---------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if mime.hasFormat(MIME):
            self._leave_drop()
            kind = bytes(mime.data(MIME).data()).decode("utf-8", "replace")
            if keys.known_kind(kind):
                self._drop = DropLayer(self, kind)
                self._drop.move(self.mapToScene(event.position().toPoint()))
                event.acceptProposedAction()
                return
        if mime.hasUrls() and any(u.isLocalFile() for u in mime.urls()):
            event.acceptProposedAction()
            return
        event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._drop is not None:
            self._drop.move(self.mapToScene(event.position().toPoint()))
            event.acceptProposedAction()
        elif event.mimeData().hasUrls():
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._leave_drop()

    def _leave_drop(self) -> None:
        if self._drop is not None:
            drop, self._drop = self._drop, None
            drop.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        point = self.mapToScene(event.position().toPoint())
        if self._drop is not None:
            drop, self._drop = self._drop, None
            drop.drop(point)
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            event.acceptProposedAction()
        elif event.mimeData().hasUrls():
            paths = [u.toLocalFile() for u in event.mimeData().urls() if u.isLocalFile()]
            event.acceptProposedAction()
            self.files_dropped.emit(paths, point)

    # ---- keys and focus --------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and keys.claims(self, event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.gesture is not None:
                self._cancel()
            else:
                self.canvas.select(())
            return
        if event.key() == Qt.Key.Key_Space and keys.space_is_ours(self):
            if not event.isAutoRepeat():
                self.space_down, self._space_used = True, False
                self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
            return
        if not keys.press(self, event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.space_down and not event.isAutoRepeat():
            self.space_down = False
            self.viewport().unsetCursor()
            if not self._space_used:
                self.space_tapped.emit()
            return
        event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.space_down = False
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return QWidget.focusNextPrevChild(self, forward)

    # ---- painting --------------------------------------------------------------------------------------

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        try:
            backdrop.paint_grid(self, painter)
        finally:
            painter.restore()

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        try:
            if not self.canvas.nodes:
                backdrop.paint_empty(self, painter)
            backdrop.paint_arrows(self, painter)
            if self.gesture is not None:
                self.gesture.paint(painter)
        finally:
            painter.restore()

    # ---- keeping up ------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_width()
        self._overlays()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._fitted:
            self._fitted = True
            QTimer.singleShot(0, self, self._first_fit)

    def _first_fit(self) -> None:
        self._show_rect(self.canvas.content_rect(), animate=False)
        self._sharpen()

    def _loaded(self) -> None:
        self._show_rect(self.canvas.content_rect(), animate=False)
        self._sharpen()

    def _tell_width(self) -> None:
        self.document.view_width = max(400.0, (self.viewport().width() - 2 * MARGIN) / theme.scale())

    def _selected(self, uids: tuple[Uid, ...]) -> None:
        self.minimap.update()
        self.selection_changed.emit(uids)

    def _overlays(self) -> None:
        """Put the floating widgets into their corners."""
        room = self.viewport().rect().adjusted(12, 12, -12, -12)
        self.zoom_bar.adjustSize()
        self.zoom_bar.move(room.left(), room.bottom() - self.zoom_bar.height() + 1)
        self.legend.adjustSize()
        self.legend.resize(self.legend.width(), self.zoom_bar.height())
        self.legend.setVisible(
            any(w.weights is not None and not w.pairs for w in self.canvas.wires.values())
            and room.width() > theme.px(560)
        )
        self.legend.move(self.zoom_bar.geometry().right() + 10, room.bottom() - self.legend.height() + 1)
        self.minimap.resize(self.minimap.sizeHint())
        self.minimap.move(room.right() - self.minimap.width() + 1, room.bottom() - self.minimap.height() + 1)
        self.minimap.setVisible(bool(self.canvas.nodes) and room.width() > theme.px(760))
        self.minimap.update()

    def _restyle(self) -> None:
        self.setTransform(QTransform.fromScale(self.scale_factor, self.scale_factor))
        self.zoom_bar.show_zoom(self.zoom)
        self.zoom_bar.value.setFont(theme.mono_font(12))
        self._tell_width()
        self._overlays()
        self._sharpen()
