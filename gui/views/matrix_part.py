"""Which part of a large matrix an array shows, and how many cells each of its entries stands for."""

from __future__ import annotations

from dataclasses import dataclass

from gui.views.matrix_layout import CellBox


@dataclass(frozen=True)
class Part:
    """Entry (i, j) is the mean of `step` cells from (row + i * step[0], column + j * step[1]) of `shape`.

    Everything is counted in cells of the whole; only the entries of the array at hand are `blocks`.
    """

    shape: tuple[int, int]
    row: int = 0
    column: int = 0
    step: tuple[int, int] = (1, 1)

    @property
    def exact(self) -> bool:
        """Whether every entry is one cell."""
        return self.step == (1, 1)

    def block(self, row: int, column: int, blocks: tuple[int, ...]) -> tuple[int, int] | None:
        """The entry of an array of shape `blocks` that holds a cell; None outside the part."""
        i, j = (row - self.row) // self.step[0], (column - self.column) // self.step[1]
        return (i, j) if 0 <= i < blocks[0] and 0 <= j < blocks[1] else None

    def cells(self, row: int, column: int) -> tuple[int, int, int, int]:
        """First and last row, first and last column averaged with a cell."""
        top = self.row + (row - self.row) // self.step[0] * self.step[0]
        left = self.column + (column - self.column) // self.step[1] * self.step[1]
        bottom = min(top + self.step[0], self.shape[0]) - 1
        right = min(left + self.step[1], self.shape[1]) - 1
        return top, bottom, left, right

    def box(self, cells: CellBox) -> CellBox:
        """Where the entries lie, given where the cells lie."""
        return CellBox(
            cells.x + self.column * cells.width,
            cells.y + self.row * cells.height,
            cells.width * self.step[1],
            cells.height * self.step[0],
        )
