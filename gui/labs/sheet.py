"""A matrix of an equation as it stands on the screen: a lens, and what is put beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.ops.base import REGISTRY, Context
from engine.session.views import Matrix, MatrixData
from engine.values import Op
from gui.labs.equation import Factor
from gui.labs.lens import Lens

Array = np.ndarray[Any, Any]
Cell = tuple[int, ...]
Pair = tuple[int, int] | None


@dataclass(frozen=True)
class Sheet:
    """What a factor shows. `extra` is the vector in its last column, `units` the rows of one-hot labels.

    Places are (row, column) on the screen; cells are those of the value.
    """

    factor: Factor
    lens: Lens
    extra: Lens | None = None
    op: Op | None = None
    units: int = 0

    @property
    def whole(self) -> bool:
        """Whether it is more than one value as it lies there: then it is only shown complete."""
        return self.extra is not None or self.factor.ones or bool(self.factor.derived)

    @property
    def turned(self) -> bool:
        return self.lens.turned

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns on the screen."""
        rows, columns = self.lens.shape
        if self.units:
            rows, columns = (columns, self.units) if self.turned else (self.units, columns)
        more_rows = self._more(self.factor.ones, self.extra is not None)
        return rows + more_rows[0], columns + more_rows[1]

    def _more(self, ones: bool, extra: bool) -> tuple[int, int]:
        down, across = int(ones), int(extra)
        return (across, down) if self.turned else (down, across)

    def with_lanes(self, n: int) -> Sheet:
        """With so many live examples."""
        return replace(self, lens=self.lens.with_lanes(n))

    def requests(self, most: tuple[int, int], seen: tuple[Pair, Pair]) -> dict[str, Matrix]:
        """What is asked of the engine; "" is the matrix itself."""
        asked = {"": self.lens.request(most, seen if not self.whole else (None, None))}
        if self.extra is not None:
            asked["extra"] = self.extra.request(most)
        return asked

    def assemble(self, data: Mapping[str, MatrixData]) -> Array | None:
        """The numbers on the screen; None while something is missing or was sent as means."""
        if "" not in data or (self.extra is not None and "extra" not in data):
            return None
        if self.whole and any(each.step != (1, 1) for each in data.values()):
            return None
        if self.lens.kind == "kernel" and data[""].values.size != self.lens.rows * self.lens.columns:
            return None  # on its way when something else was asked for
        extra = self.extra.array(data["extra"]) if self.extra is not None else None
        return self.join(self.lens.array(data[""]), extra)

    def join(self, main: Array, extra: Array | None) -> Array:
        """The matrix with what stands beside it."""
        main = self._derive(main)
        if extra is not None:
            main = np.concatenate([main, extra], 0 if self.turned else 1)
        if self.factor.ones:
            axis = 1 if self.turned else 0
            shape = (main.shape[0], 1) if self.turned else (1, main.shape[1])
            main = np.concatenate([main, np.ones(shape, main.dtype)], axis)
        return main

    def _derive(self, main: Array) -> Array:
        """What the op's own rule makes of the value."""
        if self.factor.derived == "slope" and self.op is not None:
            rule = REGISTRY[self.op.kind]
            return np.asarray(rule.reference((np.ones_like(main), main), self.op.attrs, Context(10**9))[0])
        if self.factor.derived == "onehot" and self.units:
            labels = main.reshape(-1).astype(np.int64)
            attrs = {"units": self.units, "off": 0.0, "on": 1.0}
            hot = REGISTRY["encode_labels"].reference((labels,), attrs, Context(len(labels)))[0]
            return hot.T if self.turned else hot
        return main

    def cell(self, row: int, column: int) -> tuple[str, Cell] | None:
        """The value and its cell at a place; None for what is no cell of the engine's (the ones)."""
        down, across = (column, row) if self.turned else (row, column)
        if self.units:
            return self.factor.value, self.lens.cell(*((across, 0) if self.turned else (0, across)))
        if self.factor.ones and down >= self.lens.rows:
            return None
        if self.extra is not None and across >= self.lens.columns:
            return self.extra.value, (down,)
        return self.factor.value, self.lens.cell(row, column)

    def place(self, value: str, cell: Cell) -> tuple[int, int] | None:
        """Where a cell of a value stands here."""
        if value == self.factor.value and not self.units:
            return self.lens.place(cell)
        if self.extra is not None and value == self.extra.value:
            found = (cell[0], self.lens.columns)
            return found[::-1] if self.turned else found
        return None
