"""The canvas widget: zoom, pan, keys, and who gets the mouse."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    Qt,
    QTimer,
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
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsView, QWidget

from engine.graph import Uid
from gui import theme
from gui.canvas import backdrop, keys, menu
from gui.canvas.drops import Drops
from gui.canvas.edit_view import EditView
from gui.canvas.geometry import HEADER
from gui.canvas.gestures import DrawLink, Gesture, MoveNodes, Pan, PressRepair, RubberBand
from gui.canvas.guard import guarded
from gui.canvas.hover import Hover
from gui.canvas.minimap import MiniMap
from gui.canvas.overlays import Legend, ZoomBar
from gui.canvas.paper import Paper
from gui.canvas.step_card import StepCard
from gui.canvas.zoom_view import STEP
from gui.document import Document
from gui.i18n import tr

SETTLE_MS = 140
CALM_MS = 24
REFIT_MS = 60


class CanvasView(EditView):
    """Shows a `Document`. `canvas` is its scene; pictures and weights are handed to that."""

    selection_changed = Signal(tuple)
    """The uids of the selected nodes."""
    node_opened = Signal(str)
    lab_wanted = Signal(str)
    """A layer is to be taken apart number by number: its title was clicked twice."""
    """A node was double clicked, or Enter pressed on it."""
    keep_wanted = Signal(str)
    """A block is to be kept in the library."""
    help_requested = Signal(str)
    """The kind of a layer whose help is wanted."""
    sharpened = Signal()
    """The zoom came to rest; pictures are painted at its resolution."""
    space_tapped = Signal()
    """Space was pressed and released without a drag; only while something listens is Space kept here."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        # painted by ourselves, in two layers: Qt's way paints everything again for every new number
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.paper = Paper(self)
        # the background covers all of it: Qt need not paint every widget behind it first
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAcceptDrops(True)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Network"))
        self.gesture: Gesture | None = None
        self.space_down = False
        self._space_used = False
        self.drops = Drops(self)
        self._fitted = False
        self._refit = QTimer(self)
        self._refit.setSingleShot(True)
        self._refit.setInterval(REFIT_MS)
        self._refit.timeout.connect(self._first_fit)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._sharpen)
        self._make_overlays()
        self.zoom_changed.connect(self._zoomed)
        self.moved.connect(self._seen)
        self.canvas.selection_changed.connect(self._selected)
        self.canvas.weights_known.connect(self._overlays)
        self.canvas.spoilt.connect(self._still_changed)
        self.canvas.live_changed.connect(self._live_changed)
        self.canvas.rested.connect(self._overlays)
        document.changed.connect(self._document_changed)
        document.loaded.connect(self._loaded)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_overlays(self) -> None:
        self.zoom_bar = ZoomBar(self.viewport())
        self.zoom_bar.zoom_in.connect(lambda: self.zoom_by(STEP))
        self.zoom_bar.zoom_out.connect(lambda: self.zoom_by(1 / STEP))
        self.zoom_bar.actual.connect(lambda: self.zoom_by(1.0 / self.zoom))
        self.zoom_bar.fit.connect(self.fit)
        self.legend = Legend(self.viewport())
        self.minimap = MiniMap(self)
        self.step_card = StepCard(self.viewport(), self._node_places)
        self.hover = Hover(self)

    # ---- zoom and pan --------------------------------------------------------------------------------

    def _sharpen(self) -> None:
        screen = self.devicePixelRatioF()
        self.canvas.set_zoom(self.zoom)
        self.canvas.atlas.set_ratio(self.scale_factor * screen, screen)
        self.viewport().update()
        self.sharpened.emit()
        self._calm()

    def _calm(self) -> None:
        """Sharp again a few nodes at a time: all at once would be felt."""
        if not self._settle.isActive() and self.canvas.settle(self.visible_scene_rect()):
            QTimer.singleShot(CALM_MS, self, self._calm)

    def _zoomed(self, zoom: float) -> None:
        self.canvas.set_zoom(zoom)
        self.canvas.zoom_moves()
        self._settle.start()
        self.zoom_bar.show_zoom(zoom)
        self._seen()

    def _show_minimap(self) -> None:
        """Hidden where there is no room, and where it would cover a network that is all in sight."""
        wide = self.viewport().width() > theme.px(780)
        shown = bool(self.canvas.nodes) and wide
        if shown and self.visible_scene_rect().contains(self.canvas.content_rect()):
            place = self.mapToScene(self.minimap.geometry()).boundingRect()
            shown = not any(n.rect().intersects(place) for n in self.canvas.visible_nodes())
        self.minimap.setVisible(shown)

    def _seen(self) -> None:
        """What is in sight changed."""
        self.viewport().update()
        self._show_minimap()
        self.minimap.refresh()
        self.hover.tools.hide()
        if self._rename is not None:
            self._rename.give_up()

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
        self.hover.tools.hide()
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
        pixel = self.last_pixel = event.position().toPoint()
        point = self.mapToScene(pixel)
        if self.gesture is not None:
            self.gesture.move(point, pixel, event.modifiers())
            return
        self.hover.at(point)

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
            if uid in self.canvas.blocks:
                self.toggle_blocks([uid])
                return
            top = self.canvas.nodes[self.canvas.shown(uid)].rect().top()
            in_title = point.y() < top + HEADER
            (self.lab_wanted if in_title else self.node_opened).emit(uid)
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

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Wheel and pinch zoom around the pointer; two fingers and Shift pan."""
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            delta = event.angleDelta()
            self.pan_by_hand(QPoint(delta.x() + delta.y(), 0) / 2)
        elif not event.pixelDelta().isNull() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pan_by_hand(event.pixelDelta())
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
                self.hover.leave()
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self.last_pixel = event.pos()
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
        self.drops.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.drops.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drops.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drops.drop(event)

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

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        self._paint(painter)
        painter.end()

    @guarded
    def _paint(self, painter: QPainter) -> None:
        canvas = self.canvas
        canvas.budget.start_frame()
        self.paper.draw(painter)
        painter.setTransform(self.viewportTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        canvas.stack.paint(painter, self.visible_scene_rect())
        painter.resetTransform()
        painter.setClipping(False)
        if not canvas.nodes:
            backdrop.paint_empty(self, painter)
        backdrop.paint_arrows(self, painter)
        if self.gesture is not None:
            self.gesture.paint(painter)

    def _still_changed(self, rect: QRectF) -> None:
        self.paper.spoil(rect)
        self.viewport().update()

    def _live_changed(self) -> None:
        """Numbers changed: what floats over the canvas need not be painted again."""
        region = QRegion(self.viewport().rect())
        for floating in (self.zoom_bar, self.legend, self.minimap, self.step_card):
            if floating.isVisible():
                region -= QRegion(floating.geometry())
        self.viewport().update(region)

    # ---- keeping up ------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tell_room()
        self._overlays()
        if self._fitted and self.following:
            self._refit.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._fitted:
            self._fitted = True
            QTimer.singleShot(0, self, self._first_fit)

    def _first_fit(self) -> None:
        """Show a network that was just put in place, or again after the window changed its size."""
        self.tell_room()
        self.document.adapt_layout()
        self.following = True
        self.show_rect(self.goal_rect(), animate=False)
        self._sharpen()

    def refresh_card(self) -> None:
        """The neuron under the pointer has other weights now."""
        self.hover.show_card()

    def _document_changed(self, old: object, new: object) -> None:
        self._overlays()

    def _loaded(self) -> None:
        self._first_fit()

    def _selected(self, uids: tuple[Uid, ...]) -> None:
        self.minimap.refresh()
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
        self._show_minimap()
        self.minimap.refresh()
        if self.step_card.told is not None:
            self.step_card.place()

    def _node_places(self) -> list[QRect]:
        """Where the nodes lie in the viewport."""
        return [self.mapFromScene(rect).boundingRect() for _, rect in self.canvas.stack.nodes()]

    def _restyle(self) -> None:
        self.setTransform(QTransform.fromScale(self.scale_factor, self.scale_factor))
        self.zoom_bar.show_zoom(self.zoom)
        self.zoom_bar.value.setFont(theme.mono_font(12))
        self.tell_room()
        self._overlays()
        self._sharpen()
