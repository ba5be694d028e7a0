"""At most one cell of the lab is open: its story from the engine on the card, its factors ringed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.as_matrix import is_named
from engine.explain import Explanation
from engine.ops.base import REGISTRY, Context
from engine.values import Program, Role, Value
from gui.i18n import tr_message
from gui.labs.curve_point import Point
from gui.labs.equation import POINTWISE
from gui.labs.equations import chain
from gui.labs.form_cells import add_partners, words_for
from gui.labs.pane import Pane
from gui.labs.sheet import Array, Cell
from gui.labs.story_card import StoryCard
from gui.opening import cells_of
from gui.panels import targets
from gui.workbench import Workbench


def _read(arrays: Mapping[str, Array], value: Value) -> Array:
    return arrays[value.id]


class CellStory(QObject):
    """`moved(value, cell)`: a cell is about to be opened and should be in sight."""

    moved = Signal(str, object)

    def __init__(self, bench: Workbench, card: StoryCard, panes: Sequence[Pane],
                 name_of: Callable[[str], str]) -> None:
        super().__init__(card)
        self._bench, self._card, self._panes, self._name_of = bench, card, panes, name_of
        self.opened: tuple[str, Cell] | None = None
        self._cells: dict[str, set[Cell]] = {}
        self._asked = False

    # ---- opening --------------------------------------------------------------------------------------

    def open(self, value: str, cell: Cell) -> None:
        """Ask how a cell came about, and show it."""
        if self._bench.configured is None:
            return
        if self._bench.running:
            self._bench.runner.pause()
        self.opened = (value, cell)
        self.moved.emit(value, cell)
        self._ask(value, cell)

    def follow(self) -> None:
        """New numbers: while the run rests, an opened cell shows its own."""
        if self.opened is not None and not self._bench.running and not self._asked:
            self._ask(*self.opened)

    def close(self) -> None:
        """Nothing is open any more."""
        self.opened = None
        self._cells = {}
        self._card.show_hint()
        self.mark()

    def mark(self) -> None:
        """Ring the factors in all matrices."""
        for pane in self._panes:
            pane.mark(self._cells, self.opened)

    def _ask(self, value: str, cell: Cell) -> None:
        configured = self._bench.configured
        if configured is None:
            return
        program = configured.program
        if value not in program.values and not is_named(value):
            self._tell_ghost(value, cell)
            return
        wanted, known = value, program.values.get(value)
        if value not in program.producers and known is not None and known.role is Role.PARAM:
            wanted = targets.story_of(program, self._bench.document.graph, value)[0]
        self._asked = True

        def told(explanation: Explanation | None, error: Any) -> None:
            self._asked = False
            if self.opened != (value, cell):
                if self.opened is not None:
                    self.follow()
                return  # another cell was opened meanwhile
            if explanation is None:
                self.opened = None
                if error is not None:
                    self._bench.told.emit(tr_message(error), "warning", "", None)
                return
            self._tell(explanation, program)

        self._bench.runner.explain(wanted, cell, told)

    def _tell_ghost(self, value: str, cell: Cell) -> None:
        """A cell of what training leaves out: told by the op's rule from the numbers in sight."""
        for pane in self._panes:
            equation, arrays = pane.equation, pane.ghost_arrays()
            if equation is None or equation.ghost is None or arrays is None or value not in arrays:
                continue
            op, array = equation.ghost, arrays[value]
            context = Context(array.shape[-1])
            terms = REGISTRY[op.kind].explain(op, 0, cell, partial(_read, arrays), context)
            number = float(array[cell])
            ins = tuple(v.id for v in op.ins)
            step = self._bench.status.step
            self._show(Explanation(value, cell, number, step, op.node, op.kind, ins, terms), None, [])
            return

    # ---- telling --------------------------------------------------------------------------------------

    def _tell(self, explanation: Explanation, program: Program) -> None:
        way = []
        told = explanation.kind not in ("parameter", "input") and not is_named(explanation.value)
        if told and "@grad" in explanation.value:
            found = chain(program, explanation.value)
            way = [(v, self._called(program, v)) for v, _ in found]
            way.append(("", "L"))
        self._show(explanation, self._point(explanation, program), way)

    def _called(self, program: Program, value: str) -> str:
        """A value's name with its layer."""
        graph = self._bench.document.graph
        owner = program.values[value].owner
        node = graph.node(owner).name if graph.has(owner) else owner
        source = next((v for v, grad in program.gradients.items() if grad.id == value), value)
        letter = self._name_of(value) or "∂L/∂" + source.split(".", 1)[-1].split("@")[0]
        return f"{letter} ({node})"

    def _show(self, explanation: Explanation, point: Point | None, way: list[tuple[str, str]]) -> None:
        graph = self._bench.document.graph
        node = graph.node(explanation.node).name if graph.has(explanation.node) else explanation.node
        symbol = self._name_of(explanation.value) or explanation.value.split(".", 1)[-1]
        cells = cells_of(explanation.terms)
        cells.setdefault(explanation.value, set()).add(explanation.cell)
        if self.opened is not None:
            cells.setdefault(self.opened[0], set()).add(self.opened[1])
        form = next((p.equation.form for p in self._panes if p.equation and p.equation.form), None)
        words = ""
        if form is not None:
            add_partners(form, explanation, cells)
            words = words_for(form, explanation, node)
        self._cells = cells
        read = [f[0] for t in explanation.terms.terms for f in t.factors] if explanation.terms else []
        called = {v: self._name_of(v) for v in {*explanation.ins, *read} if self._name_of(v)}
        self._card.show_story(symbol, explanation, node, point, way, called, words)
        self.mark()

    def _point(self, explanation: Explanation, program: Program) -> Point | None:
        """The place on the curve of the activation function that a cell goes through."""
        terms = explanation.terms
        if terms is None:
            return None
        if explanation.kind in POINTWISE:
            op = program.ops[program.producers[explanation.value]]
            return Point(op.kind, op.attrs, terms.terms[0].factors[0][2])
        if explanation.kind.removesuffix("_grad") in POINTWISE:
            op = program.ops[program.producers[explanation.value]]
            kind = explanation.kind.removesuffix("_grad")
            found = (o for o in program.ops if o.kind == kind and op.ins[1] in (*o.ins, *o.outs))
            forward = next(found, None)
            z = self._known(forward.ins[0].id, explanation.cell) if forward is not None else None
            return Point(forward.kind, forward.attrs, z) if forward is not None and z is not None else None
        reader = next((o for o in program.ops if o.kind in POINTWISE and o.ins[0].id == explanation.value),
                      None)
        return Point(reader.kind, reader.attrs, explanation.number) if reader is not None else None

    def _known(self, value: str, cell: Cell) -> float | None:
        """A number that is on the screen, or came with a frame."""
        for pane in self._panes:
            for sheet, matrix in zip(pane.sheets, pane.matrices, strict=True):
                place = sheet.place(value, cell) if sheet.factor.value == value else None
                if place is not None and not sheet.factor.derived:
                    return matrix.value_at(*place)
        return None
