"""One equation with its matrices side by side: symbols and shapes above, signs between, cells linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme, tokens
from gui.formulas import formula_size, paint_formula
from gui.labs.equations import Equation
from gui.labs.lab_matrix import LabMatrix
from gui.labs.sheet import Cell, Sheet
from gui.views.base import View

CELL = (62.0, 34.0)
LEAST = (42.0, 20.0)
"""Cells are made smaller down to this before the equation scrolls."""
MOST_COLUMNS, MOST_ROWS = 24, 16
"""Of a larger matrix this much room is given, and its cells become smaller."""
PICTURE = 250.0
"""Side of a map or a kernel."""
TITLE_ROOM = 30


class EquationView(View):
    """`clicked(value, cell)` of any matrix, `hovered`, `edit_wanted(index, row, column)`, `menu_wanted`."""

    clicked = Signal(str, object)
    edit_wanted = Signal(int, int, int)
    menu_wanted = Signal(int, object)
    part_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.matrices: list[LabMatrix] = []
        self.sheets: list[Sheet] = []
        self.equation: Equation | None = None
        self._places: list[tuple[str, QRectF]] = []
        self._titles: list[QRectF] = []
        self._rows = MOST_ROWS

    # ---- what is shown --------------------------------------------------------------------------------

    def set_equation(self, equation: Equation | None, sheets: Sequence[Sheet],
                     names: Sequence[tuple[Sequence[str] | None, Sequence[str] | None]]) -> None:
        """Another equation; matrices that stay the same value keep their numbers until new ones come."""
        kept = {(s.factor, s.lens.kind): m for s, m in zip(self.sheets, self.matrices, strict=True)}
        used: list[LabMatrix] = []
        for index, sheet in enumerate(sheets):
            matrix = kept.pop((sheet.factor, sheet.lens.kind), None)
            if matrix is None:
                matrix = self._make(sheet)
            matrix.setProperty("index", index)
            matrix.set_names(*names[index])
            used.append(matrix)
        for matrix in kept.values():
            matrix.hide()
            matrix.setParent(None)
            matrix.deleteLater()
        self.matrices, self.sheets, self.equation = used, list(sheets), equation
        for matrix in used:
            matrix.show()
        self.place()

    def _make(self, sheet: Sheet) -> LabMatrix:
        matrix = LabMatrix(sheet.factor.role, self)
        matrix.square = sheet.lens.kind in ("map", "kernel")
        matrix.cell_clicked.connect(lambda row, column, m=matrix: self._click(m, row, column))
        matrix.cell_hovered.connect(lambda row, column, m=matrix: self._hover(m, row, column))
        matrix.edit_wanted.connect(lambda r, c, m=matrix: self.edit_wanted.emit(m.property("index"), r, c))
        matrix.menu_wanted.connect(lambda at, m=matrix: self.menu_wanted.emit(m.property("index"), at))
        matrix.part_wanted.connect(self.part_wanted)
        return matrix

    def replace_sheet(self, index: int, sheet: Sheet) -> None:
        """The same matrix with another number of live examples."""
        if sheet != self.sheets[index]:
            self.sheets[index] = sheet
            self.place()

    def set_rows_shown(self, rows: int) -> None:
        """How many rows of a high matrix are given room; fewer where two equations share a window."""
        if rows != self._rows:
            self._rows = rows
            self.place()

    # ---- links ----------------------------------------------------------------------------------------

    def mark(self, cells: Mapping[str, set[Cell]], opened: tuple[str, Cell] | None) -> None:
        """Ring what takes part: a whole row or column where the cells make one."""
        for matrix, sheet in zip(self.matrices, self.sheets, strict=True):
            found = set()
            for value in {sheet.factor.value, *([sheet.extra.value] if sheet.extra else [])}:
                places = (sheet.place(value, cell) for cell in cells.get(value, set()))
                found |= {place for place in places if place is not None}
            if sheet.factor.ones and found and opened is not None:
                found |= self._ones_beside(sheet, found)
            here = sheet.place(*opened) if opened is not None else None
            rows, columns = {p[0] for p in found}, {p[1] for p in found}
            whole = sheet.shape
            if len(found) > 1 and len(rows) == 1 and len(found) == whole[1]:
                matrix.set_highlight(rows=rows)
            elif len(found) > 1 and len(columns) == 1 and len(found) == whole[0]:
                matrix.set_highlight(columns=columns)
            else:
                matrix.set_highlight(cells=sorted(found)[:400])
            matrix.set_selected(here)

    @staticmethod
    def _ones_beside(sheet: Sheet, found: set[tuple[int, int]]) -> set[tuple[int, int]]:
        """The 1 belongs to the column it stands under."""
        rows, columns = sheet.shape
        if sheet.turned:
            return {(row, columns - 1) for row, _ in found}
        return {(rows - 1, column) for _, column in found}

    def _click(self, matrix: LabMatrix, row: int, column: int) -> None:
        found = self.sheets[matrix.property("index")].cell(row, column)
        if found is not None:
            self.clicked.emit(*found)

    def _hover(self, source: LabMatrix, row: int, column: int) -> None:
        """The same cell of the same value, or of one of the same shape, is ringed in all."""
        at = self.sheets[source.property("index")]
        for matrix, sheet in zip(self.matrices, self.sheets, strict=True):
            if matrix is source:
                continue
            same = sheet.shape == at.shape and sheet.factor.heads == at.factor.heads
            matrix.set_hovered((row, column) if same and row >= 0 else None)

    # ---- placing --------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.place()

    def restyle(self) -> None:
        self.place()

    def _cells_of(self, sheet: Sheet) -> tuple[float, float]:
        rows, columns = sheet.shape
        return min(rows, self._rows), min(columns, MOST_COLUMNS)

    def place(self) -> None:
        """Give every matrix its room; cells shrink until they would lose their digits."""
        if self.equation is None:
            self.setFixedHeight(theme.px(40))
            return
        scale = theme.scale()
        gap = theme.px(10)
        signs = {part: formula_size(part, 20).width() + gap for part in self.equation.parts
                 if isinstance(part, str)}
        pictures = [m.square for m in self.matrices]
        fixed = float(theme.px(16)) + sum(signs[p] for p in self.equation.parts if isinstance(p, str))
        columns = 0.0
        for matrix, sheet, picture in zip(self.matrices, self.sheets, pictures, strict=True):
            fixed += matrix.room()[0]
            columns += 0 if picture else self._cells_of(sheet)[1]
        side = PICTURE * scale
        count = sum(pictures)
        if count:
            side = min(side, max(110.0 * scale, (self.width() - fixed - columns * LEAST[0]) / count))
        room = self.width() - fixed - count * side
        wide = min(CELL[0] * scale, max(LEAST[0] * scale, room / max(columns, 1)))
        high = min(CELL[1] * scale, max(LEAST[1] * scale, wide * 0.62))
        x = float(theme.px(8))
        boxes: list[tuple[float, float, float, float]] = []
        for matrix, sheet, picture in zip(self.matrices, self.sheets, pictures, strict=True):
            left, top = matrix.room()
            rows, across = self._cells_of(sheet)
            if picture:
                cell = min(side / max(sheet.shape), CELL[1] * scale * 1.4)
                boxes.append((left + cell * sheet.shape[1], top + cell * sheet.shape[0], top, left))
            else:
                boxes.append((left + wide * across, top + high * rows, top, left))
        above = max((b[2] + (b[1] - b[2]) / 2 for b in boxes), default=0.0) + theme.px(TITLE_ROOM)
        below = max(((b[1] - b[2]) / 2 for b in boxes), default=0.0) + theme.px(8)
        axis = above
        self._places, self._titles = [], []
        number = 0
        for part in self.equation.parts:
            if isinstance(part, str):
                self._places.append((part, QRectF(x, axis - theme.px(24), signs[part], theme.px(48))))
                x += signs[part]
                continue
            w, h, top, left = boxes[number]
            y = axis - (h - top) / 2 - top
            self.matrices[number].setGeometry(int(x), int(y), int(w) + 1, int(h) + 1)
            middle = left - theme.px(8)
            self._titles.append(QRectF(x + middle, y - theme.px(TITLE_ROOM), w - middle, theme.px(TITLE_ROOM)))
            x += w
            number += 1
        self.setMinimumWidth(int(min(x + theme.px(8), 40_000)))
        self.setFixedHeight(int(axis + below))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), self.height())

    def paint(self, painter: QPainter) -> None:
        if self.equation is None:
            return
        for latex, rect in self._places:
            paint_formula(painter, latex, rect, 20, "text2")
        font = theme.ui_font(tokens.CAPTION)
        for rect, sheet in zip(self._titles, self.sheets, strict=True):
            rows, columns = sheet.shape
            text = f"{rows} × {columns}"
            size = formula_size(sheet.factor.symbol, 17)
            painter.setFont(font)
            shape_width = painter.fontMetrics().horizontalAdvance(text)
            whole = size.width() + theme.px(6) + shape_width
            x = max(0.0, rect.center().x() - whole / 2)
            paint_formula(painter, sheet.factor.symbol,
                          QRectF(x, rect.top(), size.width() + 1, rect.height()), 17)
            painter.setPen(theme.color("text3"))
            painter.drawText(QRectF(x + size.width() + theme.px(6), rect.top(), shape_width + 4, rect.height()),
                             int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)

    def corner_of(self, index: int, row: int, column: int) -> tuple[QPoint, QSize]:
        """Where a cell lies in this widget, for a field over it."""
        rect = self.matrices[index].cell_rect(row, column)
        return (self.matrices[index].mapTo(self, QPointF(rect.topLeft()).toPoint()), rect.size().toSize())
