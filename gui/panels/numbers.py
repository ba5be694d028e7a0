"""The body of a dock: a matrix with its bias, or maps with the selected one enlarged; value and colors.

It shows what it is given and reports places in the value; it knows nothing of engine or runner.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.session.views import MapsData, MatrixData, ViewData
from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.base import Array
from gui.views.color_bar import ColorBar
from gui.views.matrix_part import Part
from gui.views.matrix_view import MatrixView
from gui.views.mosaic_view import MosaicView
from gui.views.panel import ElidedLabel
from gui.views.scale import Scale, StableScale

LOW = 190
"""Below this height the line with the value gives its room to the picture."""


def part_of(data: MatrixData) -> Part:
    """Where the numbers that the engine sent lie in their matrix."""
    return Part(data.shape, data.rows[0], data.cols[0], data.step)


class ValueLine(QWidget):
    """The place under the pointer at the left, its value in large digits at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = tr("Point at a cell, click opens it")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setSpacing(theme.px(8))
        self._place = ElidedLabel()
        self._place.setProperty("role", "status")
        self._value = QLabel()
        row.addWidget(self._place, 1)
        row.addWidget(self._value)
        theme.changed.connect(self._dress)
        self._dress()
        self.clear()

    def show_value(self, place: str, value: float) -> None:
        """Show a value with its sign; very small and very large ones with a power of ten."""
        self._place.setText(place)
        plain = value == 0 or 1e-4 <= abs(value) < 1e5
        self._value.setText(i18n.number(value, 4, sign=True) if plain else i18n.short(value, 4))

    def clear(self) -> None:
        """Nothing under the pointer."""
        self._place.setText(self.hint)
        self._value.setText("")

    def place(self) -> str:
        """The place shown."""
        return self._place.text()

    def text(self) -> str:
        """The value as it is written."""
        return self._value.text()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), theme.px(22))

    def minimumSizeHint(self) -> QSize:
        """No height: where there is little room it goes, and must not ask for more before that."""
        return QSize(super().minimumSizeHint().width(), 0)

    def _dress(self) -> None:
        self._value.setFont(theme.mono_font(tokens.TITLE + 1, theme.MEDIUM))
        # the row is as high without a value as with one
        self.setMaximumHeight(theme.px(22))
        self.updateGeometry()


class Numbers(QWidget):
    """`hovered(place)` and `clicked(place, is_extra)`: places are (row, column) or (map, row, column).

    `hovered` gives None when the pointer leaves. `map_selected(index)` is -1 for none.
    """

    hovered = Signal(object)
    clicked = Signal(object, bool)
    map_selected = Signal(int)

    def __init__(self, role: str, *, enlarge: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role, self._look = role, ""
        self._always_enlarged = enlarge
        self._locked: Array | None = None
        """What is locked of the maps."""
        self._stable = StableScale(role)
        self.matrix = MatrixView(role)
        self.extra = MatrixView(role)
        self.extra.set_names(columns=("b",))
        self.mosaic = MosaicView(role)
        self.enlarged = MatrixView(role)
        self.enlarged.square = True
        self.bar = ColorBar(role)
        self.readout = ValueLine()
        self._picture = QHBoxLayout()
        self._picture.setSpacing(theme.px(8))
        # what is narrower than its room stands in the middle, the bias right beside its matrix
        self._picture.addStretch(1)
        self._picture.addWidget(self.matrix, 100)
        self._picture.addWidget(self.extra, 30)
        self._picture.addWidget(self.enlarged, 100)
        self._picture.addWidget(self.mosaic, 120)
        self._picture.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        column.setSpacing(theme.px(4))
        column.addLayout(self._picture, 1)
        column.addWidget(self.readout)
        column.addWidget(self.bar)
        self.matrix.cell_hovered.connect(lambda r, c: self._hover_matrix(self.matrix, r, c))
        self.extra.cell_hovered.connect(lambda r, c: self._hover_matrix(self.extra, r, c))
        self.mosaic.cell_hovered.connect(self._hover_map)
        self.enlarged.cell_hovered.connect(self._hover_enlarged)
        self.matrix.cell_clicked.connect(lambda r, c: self.clicked.emit((r, c), False))
        self.extra.cell_clicked.connect(lambda r, c: self.clicked.emit((r, c), True))
        self.mosaic.cell_clicked.connect(self._click_map)
        self.enlarged.cell_clicked.connect(
            lambda r, c: self.clicked.emit((self.mosaic.selected(), r, c), False)
        )
        self._arrange("matrix", False)

    # ---- what is shown -------------------------------------------------------------------------------

    def reset(self) -> None:
        """Another value: scales and selection start afresh."""
        self._stable.reset()
        for view in (self.matrix, self.extra, self.enlarged):
            view.set_highlight()
            view.set_selected(None)
            view.reset_scale()
            view.set_locked(None)
        self._locked = None
        self.mosaic.set_locked(())
        self.mosaic.set_trace(None)
        self.mosaic.reset_scale()

    def show_matrix(self, values: Array) -> None:
        """A whole matrix (r, c) on one scale with its extra vector."""
        self._arrange("matrix", not self.extra.isHidden())
        self._choose_role(float(np.min(values, initial=0.0, where=np.isfinite(values))))
        self._show(values, self._stable.update(values), None)

    def show_part(self, data: MatrixData) -> None:
        """What the engine sent of a matrix: all of it, means, or the part in sight."""
        if data.values.shape == data.shape:
            self.show_matrix(data.values)
            return
        self._arrange("matrix", not self.extra.isHidden())
        self._choose_role(data.low)
        scale = self._stable.update_from(data.low, data.high, data.span)
        self._show(data.values, scale, part_of(data))

    def _show(self, values: Array, scale: Scale, part: Part | None) -> None:
        self.matrix.set_values(values, scale, part)
        self._share_room()
        self.bar.set_values(values, scale)
        if self.extra.values().size:
            self.extra.set_values(self.extra.values(), scale, self.extra.part())
        self._refresh_value()

    def show_extra(self, data: MatrixData | None) -> None:
        """The vector beside the matrix, (m, 1); None for none."""
        self.extra.setVisible(data is not None and self._look != "maps")
        if data is not None:
            scale = self.matrix.scale() if self.matrix.values().size else None
            self.extra.set_values(data.values, scale, part_of(data))

    def show_locks(self, data: ViewData, extra: bool) -> None:
        """Mark what is locked, in the matrix, in the vector beside it, or in the maps."""
        if isinstance(data, MatrixData):
            (self.extra if extra else self.matrix).set_locked(data.values > 0)
        elif isinstance(data, MapsData):
            self._locked = data.tiles > 0
            self.mosaic.set_locked(np.flatnonzero(self._locked.any(axis=(1, 2))))
            self._enlarge()

    def show_maps(self, maps: Array) -> None:
        """Maps (k, h, w) on one scale; the selected one enlarged."""
        self._arrange("maps", False)
        self._choose_role(float(np.min(maps, initial=0.0, where=np.isfinite(maps))))
        scale = self._stable.update(maps)
        self.mosaic.set_maps(maps, scale)
        self.bar.set_values(maps, scale)
        if self._always_enlarged and self.mosaic.selected() < 0 and len(maps):
            self.mosaic.set_selected(0)
        self._enlarge()
        self._refresh_value()

    def clear(self) -> None:
        """No numbers."""
        empty = np.zeros((0, 0), dtype=np.float32)
        self.matrix.set_values(empty)
        self.mosaic.set_maps(np.zeros((0, 1, 1), dtype=np.float32))
        self.bar.set_values(empty, Scale(-1.0, 1.0))
        self.readout.clear()

    def set_base_role(self, role: str) -> None:
        """The ramp for signed values of this dock."""
        self._role = role

    def select_map(self, index: int) -> None:
        """Enlarge a map because another dock did; -1 for none."""
        if index != self.mosaic.selected():
            self.mosaic.set_selected(index)
            self._enlarge()

    def hover(self, place: tuple[int, ...] | None) -> None:
        """Outline the same place as another dock; emits nothing."""
        if self._look == "maps":
            index = place[0] if place is not None and len(place) == 3 else -1
            self.mosaic.set_hovered(index)
            if not self.enlarged.isHidden():
                same = place is not None and len(place) == 3 and place[0] == self.mosaic.selected()
                self.enlarged.set_hovered((place[1], place[2]) if same and place else None)
            self._say(place if place is not None and len(place) == 3 else None)
        else:
            cell = (place[0], place[1]) if place is not None and len(place) == 2 else None
            self.matrix.set_hovered(cell)
            self._say(self.matrix.hovered())

    @property
    def look(self) -> str:
        """ "matrix" or "maps"."""
        return self._look

    # ---- inside ------------------------------------------------------------------------------------

    def _arrange(self, look: str, extra: bool) -> None:
        if look == self._look:
            return
        self._look = look
        self.matrix.setVisible(look == "matrix")
        self.extra.setVisible(look == "matrix" and extra)
        self.mosaic.setVisible(look == "maps")
        self.enlarged.setVisible(False)
        self._stable.reset()

    def _choose_role(self, least: float) -> None:
        """Activations that go below zero need a signed ramp; gradients and weights always have one."""
        role = self._role
        if role == "activations":
            role = "weights" if least < 0 else "activations"
        if role != self.matrix.role:
            self._stable = StableScale(role)
            for view in (self.matrix, self.extra, self.enlarged, self.mosaic):
                view.set_role(role)
            self.bar.set_role(role)

    def _enlarge(self) -> None:
        index = self.mosaic.selected()
        self.enlarged.setVisible(index >= 0)
        if index >= 0:
            self.enlarged.set_values(self.mosaic.maps()[index], self.mosaic.scale())
            locked = self._locked
            self.enlarged.set_locked(locked[index] if locked is not None and index < len(locked) else None)

    def _click_map(self, index: int, row: int, column: int) -> None:
        self._enlarge()
        self.map_selected.emit(index)

    def _hover_matrix(self, view: MatrixView, row: int, column: int) -> None:
        if view is self.extra:
            if row >= 0:
                value = view.value_at(row, column)
                text = tr("bias {row}").format(row=row + 1) if view.part().exact \
                    else view.cell_text(row, column)
                self._tell(text, float("nan") if value is None else value)
            else:
                self._say(None)
            return
        place = (row, column) if row >= 0 else None
        self._say(place)
        self.hovered.emit(place)

    def _hover_map(self, index: int, row: int, column: int) -> None:
        place = (index, row, column) if index >= 0 else None
        self._say(place)
        self.hovered.emit(place)

    def _hover_enlarged(self, row: int, column: int) -> None:
        place = (self.mosaic.selected(), row, column) if row >= 0 else None
        self.mosaic.set_hovered(place[0] if place else -1)
        self._say(place)
        self.hovered.emit(place)

    def _refresh_value(self) -> None:
        """The number under a resting pointer changes with the frames."""
        if self._said is not None:
            self._say(self._said)

    _said: tuple[int, ...] | None = None

    def _say(self, place: tuple[int, ...] | None) -> None:
        self._said = place
        if place is None:
            self.readout.clear()
            self.bar.set_value(None)
            return
        if len(place) == 3:
            maps = self.mosaic.maps()
            if any(not 0 <= p < n for p, n in zip(place, maps.shape, strict=False)):
                return
            text = tr("map {map}, row {row}, column {column}").format(
                map=place[0] + 1, row=place[1] + 1, column=place[2] + 1
            )
            value = float(maps[place])
        else:
            known = self.matrix.value_at(place[0], place[1])
            if known is None:
                return
            text, value = self.matrix.cell_text(*place), known
        self._tell(text, value)

    def _tell(self, text: str, value: float) -> None:
        self.readout.show_value(text, value)
        self.bar.set_value(value)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # in a low dock the picture needs the room; the value stands in the tip at the pointer
        self.readout.setVisible(self.height() >= theme.px(LOW))
        self._share_room()

    def _share_room(self) -> None:
        """Matrix and bias get cells of the same size, side by side."""
        rows, columns = self.matrix.shape()
        if not rows or not columns or self._look != "matrix":
            return
        head = theme.px(40)
        cell = min(theme.px(self.matrix.largest_cell[0]), (self.matrix.height() - theme.px(26)) / rows * 2.2)
        self.matrix.setMaximumWidth(min(16_000_000, int(head + columns * cell)))
        self.extra.setMaximumWidth(int(head + max(cell, theme.px(40))))
        self._picture.setStretch(1, max(3, min(columns, 12)) * 10)
