"""One equation with its matrices side by side: symbols and shapes above, signs between, cells linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from gui import theme, tokens
from gui.formulas import formula_size, paint_formula
from gui.labs.equation import Equation
from gui.labs.lab_matrix import LabMatrix
from gui.labs.sheet import Cell, Sheet
from gui.views.base import View

CELL = (84.0, 44.0)
LEAST = (42.0, 20.0)
"""Cells are made smaller down to this before the equation scrolls."""
MOST_COLUMNS, MOST_ROWS = 24, 16
"""A larger matrix gets room for so many, and its cells become smaller."""
PICTURE, LARGE, HIGH = 290.0, 220.0, 330.0
"""Side of a map or a kernel; least width of a matrix without digits; height of a high one."""
TITLE_ROOM = 30


class SidewaysArea(QScrollArea):
    """As high as what is in it; what is too wide is scrolled sideways, and nothing else moves."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        inside.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._grow()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grow()

    def _grow(self) -> None:
        inside = self.widget()
        if inside is not None:
            bar = self.horizontalScrollBar().sizeHint().height()
            wide = inside.minimumWidth() > self.viewport().width()
            self.setFixedHeight(inside.height() + (bar if wide else 0))


class EquationView(View):
    """`clicked(value, cell)` of any matrix, `hovered`, `edit_wanted(index, row, column)`, `menu_wanted`.

    `matrix_made(matrix)`: another matrix, before it is seen.
    """

    clicked = Signal(str, object)
    edit_wanted = Signal(int, int, int)
    menu_wanted = Signal(int, object)
    part_wanted = Signal()
    matrix_made = Signal(object)
    pointed = Signal(str, object)
    """Value and cell under the pointer; "" and None for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.matrices: list[LabMatrix] = []
        self.sheets: list[Sheet] = []
        self.equation: Equation | None = None
        self._places: list[tuple[str, QRectF]] = []
        self._titles: list[QRectF] = []
        self._rows, self._largest = MOST_ROWS, CELL
        self._picture, self._high = PICTURE, HIGH

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
            matrix.expect(sheet.shape)
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
        self.matrix_made.emit(matrix)
        return matrix

    def replace_sheet(self, index: int, sheet: Sheet) -> None:
        """The same matrix with another number of live examples."""
        if sheet != self.sheets[index]:
            self.sheets[index] = sheet
            self.place()

    def set_heights(self, picture: float = PICTURE, high: float = HIGH) -> None:
        """Room for a map or a kernel, and for a high matrix."""
        if (picture, high) != (self._picture, self._high):
            self._picture, self._high = picture, high
            self.place()

    def make_small(self) -> None:
        """The lesser of two equations in a window."""
        self._rows, self._largest = 8, (64.0, 32.0)

    # ---- links ----------------------------------------------------------------------------------------

    def mark(self, cells: Mapping[str, set[Cell]], opened: tuple[str, Cell] | None) -> None:
        """Ring what takes part: a whole row or column where the cells make one."""
        for matrix, sheet in zip(self.matrices, self.sheets, strict=True):
            found = set()
            for value in {sheet.factor.value, *([sheet.extra.value] if sheet.extra else [])}:
                places = (sheet.place(value, cell) for cell in self._near(sheet, cells.get(value, set())))
                found |= {place for place in places if place is not None}
            if sheet.factor.ones and found and opened is not None:
                found |= self._ones_beside(sheet, found)
            here = sheet.place(*opened) if opened is not None else None
            rows, columns = {p[0] for p in found}, {p[1] for p in found}
            whole = sheet.shape
            if len(found) > 1 and len(rows) == 1 and len(found) == whole[1]:
                matrix.set_highlight(rows=rows, dim_rest=True)
            elif len(found) > 1 and len(columns) == 1 and len(found) == whole[0]:
                matrix.set_highlight(columns=columns, dim_rest=True)
            else:
                matrix.set_highlight(cells=sorted(found)[:400], dim_rest=True)
            matrix.set_selected(here)

    @staticmethod
    def _near(sheet: Sheet, cells: set[Cell]) -> set[Cell]:
        """Of the cells of very many examples those of the one in sight."""
        if sheet.lens.kind != "map" or len(cells) < 1000:
            return cells
        channel, example = sheet.lens.fixed
        return {cell for cell in cells if cell[-1] == example and (sheet.lens.flat or cell[0] == channel)}

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
        found = at.cell(row, column) if row >= 0 else None
        self.pointed.emit(*(found or ("", None)))

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

    def _sizes(self, fixed: float) -> list[tuple[float, float]]:
        """Width and height of the cells of each matrix: digits keep their room as long as they can."""
        scale = theme.scale()
        least_wide, least_high = (v * scale for v in LEAST)
        pictures = sum(m.square for m in self.matrices)
        plain = [s for m, s in zip(self.matrices, self.sheets, strict=True) if not m.square]
        large = [s for s in plain if s.shape[1] > MOST_COLUMNS]
        columns = sum(s.shape[1] for s in plain if s not in large)
        room = self.width() - fixed
        side = 0.0
        if pictures:
            side = min(self._picture * scale, (room - columns * least_wide) / pictures)
            side = max(side, 110.0 * scale)
            room -= pictures * side
        broad = 0.0
        if large:
            narrow = sum(max(s.shape[1] * least_wide * 1.2, self._title_room(s))
                         for s in plain if s not in large)
            broad = max(LARGE * scale, (room - narrow) / len(large))
            room -= broad * len(large)
        wide = min(self._largest[0] * scale, max(least_wide, room / max(columns, 1)))
        high = min(self._largest[1] * scale, max(least_high, wide * 0.62))
        found = []
        for matrix, sheet in zip(self.matrices, self.sheets, strict=True):
            rows, across = sheet.shape
            if matrix.square:
                cell = min(side / max(sheet.shape), 54.0 * scale)
                found.append((cell * across, cell * rows))
                continue
            down = high * rows
            most = side if pictures else self._high * scale * (self._rows / MOST_ROWS)
            if down > most:
                down = max(most, least_high * rows if rows <= 12 else 0.0)
                if down >= 4 * rows:
                    down = rows * float(int(down / rows))  # cells are whole pixels
            across_room = max(wide * across, self._title_room(sheet)) if large else wide * across
            found.append((broad if sheet in large else across_room, down))
        return found

    def _title_room(self, sheet: Sheet) -> float:
        """Symbol and shape above a matrix, as far as they are wider than its heads."""
        rows, columns = sheet.shape
        text = QFontMetricsF(theme.ui_font(tokens.CAPTION)).horizontalAdvance(f"{rows} × {columns}")
        return formula_size(sheet.factor.symbol, 17).width() + text - theme.px(8)

    def place(self) -> None:
        """Give every matrix its room; cells shrink until they would lose their digits."""
        if self.equation is None:
            self.setFixedHeight(theme.px(40))
            return
        gap = theme.px(10)
        signs = {part: formula_size(part, 20).width() + gap for part in self.equation.parts
                 if isinstance(part, str)}
        fixed = float(theme.px(16)) + sum(signs[p] for p in self.equation.parts if isinstance(p, str))
        fixed += sum(matrix.room()[0] for matrix in self.matrices)
        x = float(theme.px(8))
        boxes: list[tuple[float, float, float, float]] = []
        for matrix, (wide, high) in zip(self.matrices, self._sizes(fixed), strict=True):
            left, top = matrix.room()
            boxes.append((left + wide, top + high, top, left))
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
            head = theme.px(TITLE_ROOM)
            self._titles.append(QRectF(x + middle, y - head, w - middle, head))
            x += w
            number += 1
        self._center(x + theme.px(8))
        self.setMinimumWidth(int(min(x - theme.px(4), 40_000)))
        self.setFixedHeight(int(axis + below))
        self.update()

    def _center(self, wide: float) -> None:
        """An equation that needs less room stands in the middle."""
        shift = int(max(0.0, self.width() - wide) / 2)
        if not shift:
            return
        self._places = [(latex, rect.translated(shift, 0)) for latex, rect in self._places]
        self._titles = [rect.translated(shift, 0) for rect in self._titles]
        for matrix in self.matrices:
            matrix.move(matrix.x() + shift, matrix.y())

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
            x = max(0.0, min(rect.center().x() - whole / 2, self.width() - whole - 2))
            paint_formula(painter, sheet.factor.symbol,
                          QRectF(x, rect.top(), size.width() + 1, rect.height()), 17)
            painter.setPen(theme.color("text3"))
            x += size.width() + theme.px(6)
            painter.drawText(QRectF(x, rect.top(), shape_width + 4, rect.height()),
                             int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)

    def corner_of(self, index: int, row: int, column: int) -> tuple[QPoint, QSize]:
        """Where a cell lies in this widget, for a field over it."""
        rect = self.matrices[index].cell_rect(row, column)
        return (self.matrices[index].mapTo(self, QPointF(rect.topLeft()).toPoint()), rect.size().toSize())
