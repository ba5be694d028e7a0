"""A graphics view that zooms around a point, pans without scroll bars and glides to what it shows."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPoint, QPointF, QRect, QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from gui import theme

SMALLEST, LARGEST = 0.08, 4.0
STEP = 1.25
MARGIN = 32


class ZoomView(QGraphicsView):
    """`zoom` is 1.0 at 100 %; in presentation mode that is drawn half again as large."""

    zoom_changed = Signal(float)
    moved = Signal()
    """Another part of the scene is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zoom = 1.0
        self.following = True
        """Whether all of it stays in sight when the window changes its size: until a hand moves it."""
        self._motion: QVariantAnimation | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

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
        self.zoom_changed.emit(zoom)

    def zoom_by(self, factor: float, pixel: QPoint | None = None) -> None:
        """Zoom by hand."""
        self.following = False
        self.zoom_to(self.zoom * factor, pixel)

    def pan_by_hand(self, pixels: QPoint) -> None:
        """Move the paper; from now on it stays where it was put."""
        self.following = False
        self.pan_by(pixels)

    def pan_by(self, pixels: QPoint) -> None:
        """Move the paper by so many pixels."""
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() - pixels.x())
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() - pixels.y())
        self.moved.emit()

    def center_on(self, point: QPointF) -> None:
        """Bring a point of the scene into the middle."""
        self.pan_by(self.viewport().rect().center() - self.mapFromScene(point))

    def visible_scene_rect(self) -> QRectF:
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def room(self) -> QRect:
        """The part of the viewport that `show_rect` fills: the floating bars keep theirs."""
        return self.viewport().rect().adjusted(MARGIN, MARGIN - 8, -MARGIN, -MARGIN - 24)

    def show_rect(self, rect: QRectF, animate: bool = True) -> None:
        room = self.room()
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
