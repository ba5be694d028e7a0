"""What an op reads and writes, as the drawing shows it: forward, backward, in the update."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine import Add, Dense, GraphSpec, Input, Output, ReLU, TrainingSpec
from engine.graph import LinkSpec
from engine.ops.base import REGISTRY
from engine.ops.functions import FUNCTIONS
from engine.program import record
from engine.settings import DataSpec
from engine.values import Op, Phase, Program
from gui.canvas.acting import Acting, acting_of
from gui.canvas.step_card import StepCard, Told
from gui.stepping import formula_of, name_of, told_of


@pytest.fixture(scope="module")
def graph() -> GraphSpec:
    """With a shortcut around fc2."""
    return (
        GraphSpec()
        .add("x", Input((2,)))
        .add("fc1", Dense(3), after="x")
        .add("relu1", ReLU(), after="fc1")
        .add("fc2", Dense(3), after="relu1")
        .add("sum", Add(), after=["fc2", "relu1"])
        .add("fc3", Dense(2), after="sum")
        .add("out", Output(), after="fc3")
    )


@pytest.fixture(scope="module")
def program(graph: GraphSpec) -> Program:
    return record(graph, TrainingSpec(loss="mse", optimizer="adam"), DataSpec((2,), 0, 2, 8), "train", 4)


def around(program: Program, graph: GraphSpec, kind: str, node: str, phase: Phase) -> tuple[Op, Acting]:
    op = next(o for o in program.ops if (o.kind, o.node, o.phase) == (kind, node, phase))
    return op, acting_of(program, graph, op)


def flows(acting: Acting) -> dict[tuple[str, str], tuple[str, bool]]:
    return {(link.source, link.target): (flow.word, flow.back) for link, flow in acting.links.items()}


def test_forward_the_links_in_are_read_and_those_out_are_written(program: Program, graph: GraphSpec) -> None:
    _, acting = around(program, graph, "relu", "relu1", Phase.FORWARD)
    assert flows(acting) == {
        ("fc1", "relu1"): ("reads", False),
        ("relu1", "fc2"): ("writes", False),
        ("relu1", "sum"): ("writes", False),
    }
    assert acting.nodes["fc1"].side == "out" and acting.nodes["sum"].side == "in"


def test_backward_the_same_links_run_the_other_way(program: Program, graph: GraphSpec) -> None:
    _, acting = around(program, graph, "dense_dx", "fc2", Phase.BACKWARD)
    assert flows(acting) == {("fc2", "sum"): ("reads", True), ("relu1", "fc2"): ("writes", True)}
    _, acting = around(program, graph, "dense_dw", "fc1", Phase.BACKWARD)
    assert flows(acting) == {("fc1", "relu1"): ("reads", True), ("x", "fc1"): ("reads", False)}
    _, acting = around(program, graph, "mse_grad", "out", Phase.BACKWARD)
    assert flows(acting) == {("fc3", "out"): ("both", True)}


def test_an_update_stays_in_its_node_and_labels_come_through_no_link(
    program: Program, graph: GraphSpec
) -> None:
    assert not around(program, graph, "adam", "fc1", Phase.UPDATE)[1].links
    labels = next(o for o in program.ops if o.node == "out" and o.phase is Phase.AUGMENT)
    assert not acting_of(program, graph, labels).links


def test_a_layer_that_does_nothing_lets_the_light_through(program: Program) -> None:
    """A muted layer: its neighbors' numbers are those of the layer before it."""
    drawn = (
        GraphSpec()
        .add("x", Input((2,)))
        .add("fc1", Dense(3), after="x")
        .add("gone", ReLU(), after="fc1")
        .add("fc3", Dense(2), after="gone")
    )
    op = Op("dense", (program.values["fc1.z"],), (), node="fc3")
    assert set(acting_of(program, drawn, op).links) == {LinkSpec("gone", "fc3")}


def test_the_card_names_the_op_and_writes_it_in_letters(program: Program, graph: GraphSpec) -> None:
    op, acting = around(program, graph, "dense_dx", "fc3", Phase.BACKWARD)
    told = told_of(program, graph, program.ops.index(op), acting)
    assert (told.layer, told.name) == ("fc3", "gradient of the inputs")
    assert told.formula == r"\partial L/\partial X = W^T \cdot \partial L/\partial Z"
    assert told.ways() == "reads out  ·  result to sum"
    bias, acting = around(program, graph, "sum_samples", "fc1", Phase.BACKWARD)
    told = told_of(program, graph, program.ops.index(bias), acting)
    assert told.ways() == "reads relu1  ·  result to ∂L/∂b"
    update, acting = around(program, graph, "adam", "fc1", Phase.UPDATE)
    told = told_of(program, graph, program.ops.index(update), acting)
    assert told.ways() == "reads W, ∂L/∂W, M_W, V_W  ·  result to W⁺, M_W⁺, V_W⁺"
    assert formula_of(program, graph, update).startswith("W^{+} = W")


def test_every_op_has_a_name_of_its_own() -> None:
    unnamed = {kind for kind in REGISTRY if name_of(Op(kind, (), ())) == "activation function"}
    assert unnamed == {*FUNCTIONS, "prelu"}


def test_the_card_lies_where_it_hides_least_and_typesets_beside_the_window(qtbot: QtBot) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    room.resize(900, 400)
    node = QRect(100, 250, 400, 150)
    card = StepCard(room, lambda: [node])
    room.show()
    card.tell(Told("forward, 1 of 9", "fc1", "matrix product", r"Z = W \cdot X + b + 0", ("x",), ("relu1",)))
    assert card.isVisible() and not card.geometry().intersects(node)
    qtbot.waitUntil(lambda: not card._formula.isHidden())
    assert room.rect().contains(card.geometry()) and "matrix product" in card.accessibleName()
    node.moveLeft(400)
    card.tell(Told("update, 1 of 9", "fc1", "update by Adam"))
    assert card._formula.isHidden() and not card.geometry().intersects(node)
    card.tell(None)
    assert card.isHidden()
