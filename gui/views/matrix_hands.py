"""What mouse, wheel and keys do with a matrix: point at a cell, click it, zoom about the pointer, pan."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.at_most import AtMost
from gui.views.base import View
from gui.views.matrix_layout import CellBox

ZOOM_LIMIT = 64.0
"""At the most the smallest cells grow so far; large matrices zoom on until a cell is CELL wide."""
CELL = 48.0
PART_MS = 60
Cell = tuple[int, int]


class MatrixHands(View):
    """Knows the pointer, the zoom and the offset; what lies where is told by the view that inherits this.

    `cell_hovered(row, column)` is (-1, -1) when the pointer leaves; `cell_clicked` comes from the mouse and
    from Return. Rows and columns count from 0. `part_wanted` follows zoom, pan and size.
    """

    cell_hovered = Signal(int, int)
    cell_clicked = Signal(int, int)
    part_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._hover: Cell | None = None
        self._selected: Cell | None = None
        self._zoom = 1.0
        self._offset = QPointF(0, 0)
        self._grip: tuple[QPointF, QPointF] | None = None
        self.like_map = False
        """Whether the wheel zooms and a drag pans without a key, as on a map; a click opens nothing then."""
        self._part_soon = AtMost(PART_MS, self.part_wanted.emit, self)

    # -- told by the view -------------------------------------------------------------------------

    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        raise NotImplementedError

    def _area(self) -> QRectF:
        raise NotImplementedError

    def _box(self) -> CellBox:
        raise NotImplementedError

    def _stride(self) -> tuple[int, int]:
        """How many rows and columns the arrow keys go."""
        raise NotImplementedError

    def _tip(self, row: int, column: int) -> str:
        raise NotImplementedError

    def _changed(self) -> None:
        raise NotImplementedError

    # -- what can be asked ------------------------------------------------------------------------

    def hovered(self) -> Cell | None:
        """The cell under the pointer."""
        return self._hover

    def selected(self) -> Cell | None:
        """The opened cell."""
        return self._selected

    def cell_at(self, point: QPointF) -> Cell | None:
        """The cell under a point of the widget."""
        point = QPointF(point)
        if not all(self.shape()) or not self._area().contains(point):
            return None
        row, column = self._box().cell_at(point.x(), point.y())
        return (row, column) if self._inside(row, column) else None

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is drawn, in widget coordinates."""
        return self._box().rect(row, column)

    def cells_seen(self) -> tuple[int, int, int, int]:
        """First row, row after the last, first column, column after the last of what is in sight."""
        box, area = self._box(), self._area()
        rows, columns = self.shape()
        top, left = box.cell_at(area.left(), area.top())
        bottom, right = box.cell_at(area.right(), area.bottom())
        return max(0, top), min(rows, bottom + 1), max(0, left), min(columns, right + 1)

    def _inside(self, row: int, column: int) -> bool:
        rows, columns = self.shape()
        return 0 <= row < rows and 0 <= column < columns

    def fit(self) -> None:
        """The whole matrix again."""
        self._zoom, self._offset = 1.0, QPointF(0, 0)
        self._looked()

    def _looked(self) -> None:
        """Another part is in sight."""
        self._changed()
        self._part_soon.soon()

    # -- the pointer ------------------------------------------------------------------------------

    def _hover_to(self, cell: Cell | None) -> None:
        if cell == self._hover:
            return
        self._hover = cell
        self.cell_hovered.emit(*(cell or (-1, -1)))
        self.setToolTip("" if cell is None else self._tip(*cell))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            start, offset = self._grip
            self._clamp_offset(offset - (event.position() - start))
            self._looked()
            return
        self._hover_to(self.cell_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.like_map and event.button() == Qt.MouseButton.LeftButton:
            self._grip = (event.position(), self._offset)
        elif event.button() == Qt.MouseButton.LeftButton:
            cell = self.cell_at(event.position())
            if cell is not None:
                self.cell_clicked.emit(*cell)
        elif event.button() == Qt.MouseButton.MiddleButton and self._zoom > 1.0:
            self._grip = (event.position(), self._offset)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton or self.like_map:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_to(None)

    # -- zoom and pan -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._part_soon.soon()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; with Shift pan sideways. A fitted matrix leaves plain scrolling alone."""
        delta = event.angleDelta()
        control = self.like_map or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and delta.y():
            self.zoom_about(event.position(), 1.2 ** (delta.y() / 120))
        elif self._zoom > 1.0 and not control:
            self._clamp_offset(QPointF(self._offset.x() - delta.x(), self._offset.y() - delta.y()))
            self._looked()
        else:
            event.ignore()
            return
        event.accept()

    def zoom_about(self, point: QPointF, factor: float) -> None:
        """Zoom by `factor`, keeping the cell under `point` where it is."""
        before = self._box()
        row = (point.y() - before.y) / before.height
        column = (point.x() - before.x) / before.width
        smallest = min(before.width, before.height) / self._zoom
        most = max(ZOOM_LIMIT, CELL / max(smallest, 1e-6))
        self._zoom = min(max(self._zoom * factor, 1.0), most)
        after, area = self._box(), self._area()
        self._clamp_offset(
            QPointF(
                column * after.width - (point.x() - area.left()),
                row * after.height - (point.y() - area.top()),
            )
        )
        self._looked()

    def _clamp_offset(self, offset: QPointF) -> None:
        box, area = self._box(), self._area()
        rows, columns = self.shape()
        self._offset = QPointF(
            min(max(offset.x(), 0.0), max(0.0, columns * box.width - area.width())),
            min(max(offset.y(), 0.0), max(0.0, rows * box.height - area.height())),
        )

    # -- keys -------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps and all(self.shape()):
            at, (down, across) = self._hover or self._selected, self._stride()
            goal = (0, 0) if at is None else (at[0] + steps[key][0] * down, at[1] + steps[key][1] * across)
            if self._inside(*goal):
                self._hover_to(goal)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._hover is not None:
            self.cell_clicked.emit(*self._hover)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self.zoom_about(QPointF(self._area().center()), 1.25 if key == Qt.Key.Key_Plus else 0.8)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)
