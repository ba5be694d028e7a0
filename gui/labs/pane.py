"""An equation with its numbers: what it asks of the engine, and what arrives in which matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.ops.base import REGISTRY, Context
from engine.session.views import MatrixData
from engine.values import Program
from gui.labs import lock_sight
from gui.labs.channels import channel_of
from gui.labs.equation import WHOLE, Equation
from gui.labs.equation_view import EquationView
from gui.labs.form_cells import empty_cells, guides, source_of
from gui.labs.lens import lens_for
from gui.labs.sheet import Array, Cell, Pair, Sheet
from gui.panels import targets
from gui.views.matrix_part import Part
from gui.views.scale import Scale, StableScale
from gui.watching import Wish

MOST = 512
Names = Sequence[str] | None


@dataclass(frozen=True)
class Sight:
    """What of values with many examples or channels is in sight. `example` alone, or the whole batch."""

    whole: bool = True
    example: int = 0
    channel: int = 0
    channel_in: int = 0


def sheets_of(equation: Equation, program: Program, lanes: int, sight: Sight) -> list[Sheet]:
    """The matrices of an equation as they are shown."""
    op = equation.ghost or program.ops[equation.op]
    made = []
    result = program.values.get(equation.out.value) or op.out
    # what is added up over the batch cannot be shown with one example of it
    whole = sight.whole or not result.batched
    for factor in equation.factors:
        value = program.values.get(factor.value) or next(v for v in op.outs if v.id == factor.value)
        example = None if whole else sight.example
        if value.axes == ("N",) or value.batched:
            shown = lens_for(value, lanes, example=example, shown=sight.example,
                             channel=channel_of(op, value.id, sight))
        else:
            shown = lens_for(value, lanes, channel=sight.channel, channel_in=sight.channel_in)
        if factor.turned:
            shown = shown.turn()
        extra = None
        if factor.extra:
            extra = lens_for(program.values[factor.extra], lanes)
            extra = extra.turn() if factor.turned else extra
        units = 0
        if factor.derived == "onehot":
            units = next((v.shape[0] for v in op.ins if len(v.shape) == 2), 0)
        rule = op
        made.append(Sheet(factor, shown, extra, rule, units))
    return made


class Pane(EquationView):
    """An equation that fills itself: `wants` for the watcher, `take` for what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[int, dict[str, MatrixData]] = {}
        self._scales: dict[int, StableScale] = {}
        self.arrays: dict[int, Array] = {}
        """The numbers in sight, whole where `complete` says so."""
        self.program: Program | None = None
        self.key = ""
        self._shown: tuple[Equation | None, Sight] | None = None

    def show_equation(self, key: str, equation: Equation | None, program: Program | None, lanes: int,
                      sight: Sight, names: Callable[[Sheet], tuple[Names, Names]]) -> None:
        """Another equation, or the same seen otherwise. `key` begins the names of its wishes."""
        same = (equation, sight) == self._shown and program is self.program
        self._shown = (equation, sight)
        self.key, self.program, self.names_of = key, program, names
        if same:
            return
        sheets = sheets_of(equation, program, lanes, sight) if equation and program else []
        kept = {s.requests((WHOLE, WHOLE), (None, None))[""]: i for i, s in enumerate(self.sheets)}
        data = self.data
        self.data = {}
        for i, sheet in enumerate(sheets):
            before = kept.get(sheet.requests((WHOLE, WHOLE), (None, None))[""])
            if before is not None and before in data:
                self.data[i] = data[before]
        self.set_equation(equation, sheets, [names(sheet) for sheet in sheets])
        for i in range(len(sheets)):
            self._scales[i] = StableScale(sheets[i].factor.role)
            self.fill(i)

    # ---- watching -------------------------------------------------------------------------------------

    def wants(self) -> dict[str, Wish]:
        """See `gui.watching.Client`."""
        wishes: dict[str, Wish] = {}
        for i, sheet in enumerate(self.sheets):
            if self.program is None or sheet.factor.value not in self.program.values:
                continue
            for name, request in sheet.requests(*self._seen(i, sheet)).items():
                wishes[f"{self.key}.{i}.{name}"] = Wish(request, rate=8.0)
            for name, request in lock_sight.requests(sheet, self.program, *self._seen(i, sheet)).items():
                wishes[f"{self.key}.{i}.{name}"] = Wish(request, rate=8.0)
        return wishes

    def _seen(self, index: int, sheet: Sheet) -> tuple[tuple[int, int], tuple[Pair, Pair]]:
        """How many numbers, and of which rows and columns."""
        rows, columns = sheet.shape
        if (rows <= WHOLE and columns <= WHOLE) or sheet.whole or index not in self.arrays:
            return (MOST, MOST), (None, None)
        view = self.matrices[index]
        top, bottom, left, right = view.cells_seen()
        return (MOST, MOST), (targets.with_room(top, bottom, rows), targets.with_room(left, right, columns))

    def take(self, index: int, name: str, data: MatrixData) -> None:
        """Numbers for one of the matrices."""
        if index >= len(self.sheets):
            return
        self.data.setdefault(index, {})[name] = data
        sheet = self.sheets[index]
        if sheet.lens.batched and sheet.lens.kind in ("matrix", "lanes") and not sheet.lens.fixed:
            live = sheet.with_lanes(data.shape[1])
            if live != sheet:
                self.replace_sheet(index, live)
                self.matrices[index].set_names(*self.names_of(live))
        self.fill(index)
        if self.equation is not None and self.equation.ghost is not None:
            self._fill_ghost()

    def fill(self, index: int) -> None:
        """Show what is known of a matrix."""
        sheet, data = self.sheets[index], self.data.get(index, {})
        array = sheet.assemble(data)
        if array is None:
            return
        self.arrays[index] = array
        view, main = self.matrices[index], data[""]
        low = min(float(np.min(array, initial=0.0, where=np.isfinite(array))), main.low)
        role = sheet.factor.role
        view.set_role("weights" if role == "activations" and low < 0 else role)
        part, scale = None, None
        if array.shape != sheet.shape and sheet.lens.kind in ("matrix", "map", "vector", "lanes"):
            part = self._part(sheet, main)
            scale = self._scales[index].update_from(main.low, main.high, main.span)
        elif sheet.lens.kind in ("map", "kernel"):
            scale = self._scale_of_all(index, main)
        view.show_values(array)
        form = self.equation.form if self.equation is not None else None
        if form is not None:
            view.set_empty(empty_cells(form, sheet, array, part))
            view.set_guides(*guides(form, sheet))
            if part is not None and not part.exact:
                scale = None  # means with empty cells are small: a scale of their own shows them
        view.set_values(array, scale, part)
        view.set_locked(lock_sight.assemble(sheet, array, data))

    def _scale_of_all(self, index: int, data: MatrixData) -> Scale:
        """One channel is colored on the scale of all of them."""
        return self._scales[index].update_from(data.low, data.high, data.span)

    @staticmethod
    def _part(sheet: Sheet, data: MatrixData) -> Part:
        first = data.rows[0]
        if sheet.lens.kind == "map":
            first -= sheet.lens.fixed[0] * sheet.lens.rows
        row, column, step = first, data.cols[0], data.step
        if sheet.turned:
            row, column, step = column, row, (step[1], step[0])
        return Part(sheet.shape, row, column, step)

    def source(self, index: int, row: int, column: int) -> tuple[str, Cell] | None:
        """The value and the cell that are written when a place is typed into."""
        found = self.sheets[index].cell(row, column)
        form = self.equation.form if self.equation is not None else None
        return found if form is None or found is None else source_of(form, *found)

    def complete(self, index: int) -> Array | None:
        """All numbers of a matrix as they stand on the screen, None where only a part is at hand."""
        array = self.arrays.get(index)
        return array if array is not None and array.shape == self.sheets[index].shape else None

    # ---- what the program does not compute ------------------------------------------------------------

    def ghost_arrays(self) -> dict[str, Array] | None:
        """The inputs of an op that training leaves out, and what its reference makes of them."""
        equation = self.equation
        if equation is None or equation.ghost is None:
            return None
        found: dict[str, Array] = {}
        for i, sheet in enumerate(self.sheets[:-1]):
            array = self.complete(i)
            if array is None:
                return None
            found[sheet.factor.value] = array.T if sheet.turned else array
        op = equation.ghost
        ins = [found[v.id] for v in op.ins]
        lanes = next(a.shape[-1] for v, a in zip(op.ins, ins, strict=True) if v.batched)
        found[op.out.id] = REGISTRY[op.kind].reference(ins, op.attrs, Context(lanes))[0]
        return found

    def _fill_ghost(self) -> None:
        found = self.ghost_arrays()
        if found is None:
            return
        index = len(self.sheets) - 1
        sheet = self.sheets[index]
        array = found[sheet.factor.value]
        if not sheet.lens.fixed:
            sheet = sheet.with_lanes(array.shape[1])
            self.replace_sheet(index, sheet)
        shown = np.ascontiguousarray(array.T) if sheet.turned else array
        self.arrays[index] = shown
        self.matrices[index].show_values(shown)
        self.matrices[index].set_values(shown)
