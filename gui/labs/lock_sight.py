"""What is locked of the matrices on the screen, asked of the engine where there is a mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.session.views import Matrix, MatrixData
from engine.values import Program
from gui.labs.lens import Lens
from gui.labs.sheet import Array, Pair, Sheet
from gui.panels.lock_wishes import mask_of

PARTS = ("lock", "lock.extra")
"""Names of the wishes, as those of the numbers are "" and "extra"."""


def requests(sheet: Sheet, program: Program, most: tuple[int, int],
             seen: tuple[Pair, Pair]) -> dict[str, Matrix]:
    """Wishes for the masks of a matrix, over the same rows and columns as its numbers."""
    found = {}
    for name, lens in zip(PARTS, (sheet.lens, sheet.extra), strict=True):
        mask = mask_of(program, lens.value) if lens is not None else ""
        if lens is not None and mask:
            whole = sheet.whole or lens is sheet.extra
            found[name] = replace(lens, value=mask).request(most, (None, None) if whole else seen)
    return found


def assemble(sheet: Sheet, shown: Array | None, data: Mapping[str, MatrixData]) -> NDArray[np.bool_] | None:
    """Which of the numbers shown are locked, or means with a locked cell in them."""
    if shown is None or not any(name in data for name in PARTS):
        return None
    main, extra = _mask(sheet.lens, data.get(PARTS[0])), _mask(sheet.extra, data.get(PARTS[1]))
    if sheet.extra is not None:
        rows = sheet.extra.shape
        extra = np.zeros(rows, np.float32) if extra is None else extra
        main = np.zeros(sheet.lens.shape, np.float32) if main is None else main
    if main is None:
        return None
    joined = sheet.join(main, extra if sheet.extra is not None else None)
    return np.asarray(joined > 0) if joined.shape == shown.shape else None


def _mask(lens: Lens | None, data: MatrixData | None) -> Array | None:
    return lens.array(data) if lens is not None and data is not None else None
