"""Recurrent layers in the window: every position as equations, stepped, opened, seen over time."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from engine.data.source import SourceSpec
from engine.graph import GraphSpec
from engine.layers import GRU, LSTM, Dense, Embedding, Input, Output, SimpleRNN
from engine.layers.recurrent import Recurrent
from engine.ops.over_time import time_of
from engine.program import record
from engine.project import Project
from engine.project_file import save_project
from engine.settings import DataSpec, TrainingSpec
from engine.values import Phase, Program
from engine.walk import time_end
from gui import formulas
from gui.labs.equation import Style
from gui.labs.equations import equations, positions
from gui.labs.matrix_lab import MatrixLab
from gui.panels import targets
from gui.panels.explain_card import describe
from gui.panels.terms_view import symbol
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
        titles |= {e.title for e in page if t == 1 and e.phase is not Phase.UPDATE}
        seen |= {e.op for e in page}
        letters = " ".join(e.title for e in page)
        assert "h_{t}" in letters
        assert "h_{t-1}" in letters
        assert letters.count(r"\cdot h_{t-1} + b_h") == 1
    own = {i for i, op in enumerate(program.ops) if op.node == "it"}
    assert own <= seen, [program.ops[i].kind for i in own - seen]
    for op in program.ops:
        assert name_of(op)
        if op.node == "it" and op.phase is not Phase.UPDATE:
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
    assert place_of(program, first).startswith("time step t = 3 of 4 · forward")


def test_an_lstm_is_seen_over_time_and_opened_at_a_position(desk: Desk, tmp_path: Path) -> None:
    _, graph = program_of(LSTM(3))
    rng = np.random.default_rng(1)
    source = SourceSpec.array(rng.integers(0, 9, (6, LENGTH)).tolist(), rng.random((6, 3)).tolist())
    save_project(tmp_path / "small.matrizen", Project(graph, TrainingSpec("mse", "sgd", 0.1, 6), source))
    desk.bench.open(tmp_path / "small.matrizen")
    desk.qtbot.waitUntil(lambda: desk.bench.name == "small", timeout=10_000)
    desk.settle()
    configured = desk.bench.configured
    assert configured is not None
    program = configured.program
    states, back = (find(program, graph, "it") for find in (targets.output_of, targets.delta_of))
    assert states is not None
    assert states.sequence
    assert states.shape == (3, LENGTH, 6)
    assert back is not None
    assert back.value == program.gradients["it.u"].id
    assert back.sequence

    # the states side by side are copies: opened is what made the one of that position
    desk.window.docks["activations"].opened.emit(states.value, (1, 2, 0))
    desk.settle()
    opened = desk.window.card.explanation
    assert opened is not None and opened.terms is not None
    assert opened.value == "it.h3" and opened.number == opened.terms.engine
    assert describe(opened, "it").endswith("a function of these numbers")
    assert symbol("it.gates12") == "G₁₂" and symbol("it.state_bias@grad") == "∂L/∂bₕ"
    desk.window.card.close_card()

    desk.window.open_lab("matrix_lab", uid="it")
    desk.settle()
    lab = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
    assert int(lab.top.time.value()) == LENGTH
    lab.top.time.set_value(2)
    lab.top.style_changed.emit()
    for at, value, count in ((2, "q2", 4), (3, "gates2", 1), (4, "c2", 2), (5, "h2", 1)):
        lab.choose(at)
        desk.settle()
        assert lab._equations[at].out.value == f"it.{value}"
        lab.pane.matrices[-1].cell_clicked.emit(1, 0)
        desk.settle()
        told = lab.card.explanation
        assert told is not None
        assert told.terms is not None
        assert len(told.terms.terms) == count
        assert abs(told.terms.difference) < 1e-6
    lab._go_to_value("it.h1")  # what another position made brings that one into sight
    assert int(lab.top.time.value()) == 1
    assert lab._equations[lab._at].out.value == "it.h1"

    for _ in range(5):  # two of the data, the table, what all positions share, the first
        desk.bench.step("time")
        desk.settle()
    told_of_op = desk.window.canvas.step_card.told
    assert told_of_op is not None
    assert told_of_op.place.startswith("time step t = 1 of 4"), told_of_op
    assert desk.window.status_bar.hint().startswith(told_of_op.place)
    desk.bench.step("batch")
    desk.settle()
    assert desk.window.status_bar.hint() == ""
