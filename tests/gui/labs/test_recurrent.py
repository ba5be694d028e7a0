"""Recurrent layers in the window: every position as equations, stepped, opened, seen over time."""

from __future__ import annotations

from typing import cast

import pytest

from engine.graph import GraphSpec
from engine.layers import GRU, LSTM, Dense, Embedding, Input, Output, SimpleRNN
from engine.layers.recurrent import Recurrent
from engine.ops.over_time import time_of
from engine.program import record
from engine.settings import DataSpec, TrainingSpec
from engine.values import Program
from engine.walk import time_end
from gui import formulas
from gui.labs.equations import equations, positions
from gui.labs.equation import Style
from gui.labs.matrix_lab import MatrixLab
from gui.panels import targets
from gui.stepping import formula_of, name_of, place_of
from tests.gui.desk import Desk

LENGTH = 4
TYPESET: set[str] = set()


def program_of(layer: Recurrent) -> tuple[Program, GraphSpec]:
    g = GraphSpec().add("x", Input((LENGTH,))).add("embed", Embedding(9, 5), after="x")
    g = g.add("it", layer, after="embed").add("fc", Dense(3), after="it").add("out", Output(), after="fc")
    return record(g, TrainingSpec("cross_entropy"), DataSpec((LENGTH,), 3, tokens=9), "train", 4), g


@pytest.mark.parametrize("layer", [SimpleRNN(3), GRU(3), LSTM(3)], ids=lambda layer: layer.kind)
def test_every_position_has_equations_that_can_be_typeset(layer: Recurrent) -> None:
    program, graph = program_of(layer)
    assert positions(program, graph, "it") == LENGTH
    assert positions(program, graph, "fc") == 0
    titles, seen = set[str](), set[int]()
    for t in range(LENGTH):
        page = equations(program, graph, "it", Style(time=t))
        titles |= {e.title for e in page if t == 1}
        seen |= {e.op for e in page}
        letters = " ".join(e.title for e in page)
        assert "h_{t}" in letters
        assert "h_{t-1}" in letters
        assert letters.count(r"\cdot h_{t-1} + b_h") == 1
    own = {i for i, op in enumerate(program.ops) if op.node == "it"}
    assert own <= seen, [program.ops[i].kind for i in own - seen]
    for op in program.ops:
        assert name_of(op)
        if op.node == "it":
            titles.add(formula_of(program, graph, op))
    for title in titles - TYPESET - {""}:
        assert formulas._typeset(title, 16.0, "#000000").startswith("<svg"), title
        TYPESET.add(title)


def test_a_walk_by_time_steps_stops_behind_every_position() -> None:
    program, _ = program_of(LSTM(3))
    at, places = 0, []
    while at < len(program.ops):
        op = program.ops[at]
        end = time_end(program, at)
        assert all((o.node, o.phase, time_of(o)) == (op.node, op.phase, time_of(op))
                   for o in program.ops[at:end])  # fmt: skip
        if time_of(op) is not None:
            places.append(time_of(op))
        at = end
    forth = [(t, LENGTH) for t in range(LENGTH)]
    assert places == forth + forth[::-1]
    first = next(i for i, o in enumerate(program.ops) if time_of(o) == (2, LENGTH))
    assert place_of(program, first).endswith("time step t = 3 of 4")
