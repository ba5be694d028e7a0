"""Every edit of a document, its undo and its redo; merging, repairs, clipboard, layout."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from engine.data.source import SourceSpec
from engine.errors import GraphError
from engine.graph import GraphSpec, LinkSpec
from engine.layers import Add, BatchNorm, Conv2D, Dense, Flatten, Input, Output, ReLU, Tanh
from engine.settings import DataSpec, TrainingSpec
from gui.document import Document, DocumentState, difference, dock_hosts


def small() -> GraphSpec:
    return (GraphSpec().add("input", Input((2,))).add("dense1", Dense(3), after="input")
            .add("tanh1", Tanh(), after="dense1").add("dense2", Dense(1), after="tanh1")
            .add("output", Output(), after="dense2"))


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    return Document(DocumentState(small(), training=TrainingSpec(loss="mse"), data=DataSpec((2,), classes=2)))


EDITS: dict[str, Callable[[Document], object]] = {
    "add": lambda d: d.add_layer("relu", (0.0, 400.0)),
    "add behind": lambda d: d.add_layer("dense", after="dense1"),
    "insert on link": lambda d: d.add_layer("relu", (300.0, 0.0), link=LinkSpec("input", "dense1")),
    "add docked": lambda d: d.add_docked("sigmoid", "dense2"),
    "remove": lambda d: d.remove(["tanh1", "dense2"]),
    "remove links": lambda d: d.remove([], d.graph.links[:1]),
    "duplicate": lambda d: d.duplicate(["dense1", "tanh1"]),
    "rename": lambda d: d.rename("dense1", "hidden"),
    "setting": lambda d: d.set_setting("dense1", "units", 7),
    "move": lambda d: d.move({"dense1": (64.0, 320.0)}),
    "share": lambda d: (d.add_layer(Dense(3), (0.0, 500.0)), d.share("dense3", "dense1"), d.undo())[2],
    "link": lambda d: d.link("dense1", "dense2", 0),
    "unlink": lambda d: d.unlink("dense2", 0),
    "training": lambda d: d.set_training(learning_rate=0.5),
    "data": lambda d: d.set_data(SourceSpec.sample("digits"), DataSpec((4,), classes=2)),
    "notes": lambda d: d.set_notes("try tanh"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_can_be_undone_and_redone(document: Document, edit: Callable[[Document], object]) -> None:
    before = document.state
    seen: list[tuple[DocumentState, DocumentState]] = []
    document.changed.connect(lambda old, new: seen.append((old, new)))
    edit(document)
    after = document.state
    assert after != before
    assert seen[-1][1] is after
    count = document.undo_stack.index()
    assert document.undo_stack.undoText()
    while document.undo_stack.canUndo():
        document.undo()
    assert document.state == before
    for _ in range(count):
        document.redo()
    assert document.state == after
    assert document.modified


def test_an_edit_that_changes_nothing_is_no_step(document: Document) -> None:
    assert not document.set_training(learning_rate=document.training.learning_rate)
    assert not document.move({"dense1": document.state.positions["dense1"]})
    assert document.undo_stack.count() == 0 and not document.modified


def test_a_refused_edit_changes_nothing(document: Document) -> None:
    before = document.state
    with pytest.raises(GraphError, match="loop"):
        document.link("dense2", "dense1")
    with pytest.raises(GraphError, match="named"):
        document.rename("dense1", "DENSE2")
    with pytest.raises(GraphError, match="cannot name"):
        document.rename("dense1", "my layer")
    with pytest.raises(GraphError, match="units"):
        document.set_setting("dense1", "units", 0)
    with pytest.raises(KeyError):
        document.add_layer("no such layer")
    assert document.state is before and document.undo_stack.count() == 0


def test_drags_and_spins_merge_into_one_step(document: Document) -> None:
    before = document.state
    for x in range(1, 20):
        document.move({"dense1": (8.0 * x, 0.0)}, key="drag 1")
    assert document.undo_stack.count() == 1
    for units in range(4, 9):
        document.set_setting("dense1", "units", units)
    assert document.undo_stack.count() == 2
    document.set_setting("dense2", "units", 4)
    document.move({"dense1": (0.0, 80.0)}, key="drag 2")
    assert document.undo_stack.count() == 4
    for _ in range(4):
        document.undo()
    assert document.state == before


def test_a_merged_edit_that_returns_to_the_start_leaves_no_step(document: Document) -> None:
    document.set_setting("dense1", "units", 4)
    document.set_setting("dense1", "units", 3)
    assert document.undo_stack.count() == 0


def test_adding_behind_a_node_puts_it_into_the_chain(document: Document) -> None:
    uid = document.add_layer("dense", after="dense1")
    # tanh1 is docked on dense1: behind the layer means behind both
    assert [k.source for k in document.graph.inputs_of("dense2")] == [uid]
    assert [k.source for k in document.graph.inputs_of(uid)] == ["tanh1"]
    places = document.state.positions
    assert places["dense1"][0] + 96 < places[uid][0] < places["dense2"][0]


def test_an_activation_added_behind_a_layer_docks_on_it(document: Document) -> None:
    document.remove(["tanh1"], heal=True)
    uid = document.add_layer("relu", after="dense1")
    assert dock_hosts(document.state) == {uid: "dense1"}
    assert document.graph.inputs_of("dense2") == (LinkSpec(uid, "dense2"),)
    behind = document.add_layer("relu", after="dense1")
    assert document.graph.inputs_of(behind) == (LinkSpec(uid, behind),)


def test_nothing_overlaps_after_an_insert(qtbot: QtBot) -> None:
    graph = (GraphSpec().add("input", Input((1, 8, 8))).add("conv1", Conv2D(4), after="input")
             .add("flatten1", Flatten(), after="conv1").add("dense1", Dense(3), after="flatten1"))
    document = Document(DocumentState(graph))
    document.add_layer("relu", after="conv1")
    xs = sorted(p[0] for p in document.state.positions.values())
    assert all(b - a >= 64 for a, b in itertools.pairwise(xs))


def test_a_uid_is_never_used_again(document: Document) -> None:
    first = document.add_layer("relu", (0.0, 0.0))
    document.remove([first])
    second = document.add_layer("relu", (0.0, 0.0))
    assert first != second
    assert document.node(second).name == "relu1"


def test_removing_a_node_takes_its_links_and_healing_closes_the_chain(document: Document) -> None:
    document.remove(["tanh1"])
    assert document.graph.inputs_of("dense2") == ()
    assert "tanh1" not in document.state.positions
    document.undo()
    document.remove(["tanh1"], heal=True)
    assert document.graph.inputs_of("dense2") == (LinkSpec("dense1", "dense2"),)


def test_ports_of_a_sum_stay_without_holes(qtbot: QtBot) -> None:
    graph = (GraphSpec().add("input", Input((2,))).add("a", ReLU(), after="input")
             .add("b", Tanh(), after="input").add("add1", Add(), after=["input", "a", "b"]))
    document = Document(DocumentState(graph))
    document.remove(["a"])
    assert [(k.source, k.port) for k in document.graph.inputs_of("add1")] == [("input", 0), ("b", 1)]


def test_a_repair_of_the_training_is_a_change_of_its_setting(qtbot: QtBot) -> None:
    graph = GraphSpec().add("x", Input((2,))).add("norm", BatchNorm(), after="x")
    graph = graph.add("out", Output(), after="norm")
    data = DataSpec((2,), 2, count=40)
    document = Document(DocumentState(graph, training=TrainingSpec("mse", batch=1), data=data))
    document.apply_repair(document.inference.of("norm")[0].repairs[0])
    assert document.training.batch == 32 and document.inference.of("norm") == ()
    document.undo_stack.undo()
    assert document.training.batch == 1


def test_a_repair_is_one_step_and_has_a_place(qtbot: QtBot) -> None:
    graph = GraphSpec().add("input", Input((1, 8, 8))).add("dense1", Dense(10), after="input")
    document = Document(DocumentState(graph))
    problem = document.inference.of("dense1")[0]
    document.apply_repair(problem.repairs[0])
    added = next(n for n in document.graph.nodes if isinstance(n.layer, Flatten))
    assert document.inference.shapes["dense1"] == (10,)
    assert document.state.positions["input"][0] < document.state.positions[added.uid][0] \
        < document.state.positions["dense1"][0]
    document.undo()
    assert document.graph == graph


def test_other_data_adapts_input_outputs_and_loss_in_one_step(document: Document) -> None:
    before = document.state
    document.set_training(loss="cross_entropy")
    steps = document.undo_stack.count()
    document.set_data(SourceSpec.sample("digits"), DataSpec((1, 8, 8), classes=10))
    assert document.undo_stack.count() == steps + 1
    assert document.inference.ready, document.inference.problems
    assert document.inference.shapes["output"] == (10,)
    document.set_data(None, DataSpec((4,), target_width=2))
    assert document.training.loss == "mse" and document.inference.ready
    for _ in range(steps + 2):
        document.undo()
    assert document.state == before


def test_copy_and_paste_keep_links_settings_and_docking(document: Document) -> None:
    document.set_setting("dense1", "units", 5)
    assert document.copy(["dense1", "tanh1"])
    made = document.paste((400.0, 400.0))
    assert len(made) == 2
    assert document.node(made[0]).layer == Dense(5)
    assert document.graph.inputs_of(made[1]) == (LinkSpec(made[0], made[1]),)
    assert document.state.positions[made[0]] == (400.0, 400.0)
    assert dock_hosts(document.state)[made[1]] == made[0]
    document.cut([made[0], made[1]])
    assert not document.graph.has(made[0])


@pytest.mark.parametrize("text", [
    "", "hello", "[]", "{}", '{"format": "matrizen/layers"}', "[" * 5000,
    '{"format":"matrizen/layers","nodes":[{"uid":"a","name":"a b","kind":"dense","settings":{},"shares":null,'
    '"at":[0,0]}],"links":[],"docked":[]}',
    '{"format":"matrizen/layers","nodes":[{"uid":"a","name":"a","kind":"dense","settings":{"units":-3},'
    '"shares":null,"at":[0,0]}],"links":[],"docked":[]}',
    '{"format":"matrizen/layers","nodes":[{"uid":"a","name":"a","kind":"relu","settings":{},"shares":null,'
    '"at":[0,0]}],"links":[["a","a",0,0]],"docked":[]}',
    '{"format":"matrizen/layers","nodes":[{"uid":"a","name":"a","kind":"relu","settings":{},"shares":null,'
    '"at":[1e999,0]}],"links":[],"docked":[]}',
])
def test_a_strange_clipboard_is_refused(document: Document, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    before = document.state
    with pytest.raises(GraphError):
        document.paste()
    assert document.state is before


def test_difference_names_what_the_engine_must_do() -> None:
    state = DocumentState(small())
    graph = state.graph
    assert difference(state, state) == "none"
    assert difference(state, replace(state, notes="x")) == "cosmetic"
    assert difference(state, state.with_positions({"input": (1.0, 1.0)})) == "cosmetic"
    assert difference(state, replace(state, graph=graph.replace_node("dense1", name="h"))) == "cosmetic"
    assert difference(state, replace(state, training=TrainingSpec(learning_rate=0.5))) == "hot"
    assert difference(state, replace(state, training=TrainingSpec(batch=7))) == "structural"
    larger = graph.replace_node("dense1", layer=Dense(4))
    assert difference(state, replace(state, graph=larger)) == "structural"
    assert difference(state, replace(state, graph=graph.remove(["tanh1"]))) == "structural"
    assert difference(state, replace(state, data=DataSpec((2,)))) == "structural"


def test_inference_is_computed_once_per_state(document: Document) -> None:
    first = document.inference
    assert document.inference is first
    document.move({"dense1": (0.0, 400.0)})
    assert document.inference is first
    document.set_setting("dense1", "units", 5)
    assert document.inference.shapes["dense1"] == (5,)


def test_load_starts_undo_anew(document: Document, qtbot: QtBot) -> None:
    document.set_notes("x")
    with qtbot.waitSignals([document.changed, document.loaded], timeout=1000):
        document.load(DocumentState(GraphSpec().add("in1", Input())))
    assert not document.modified and not document.undo_stack.canUndo()
    assert set(document.state.positions) == {"in1"}


def test_tidy_wraps_rows_and_nothing_overlaps(qtbot: QtBot) -> None:
    graph = GraphSpec().add("input", Input((1, 28, 28)))
    last = "input"
    for i in range(6):
        graph = graph.add(f"conv{i}", Conv2D(4), after=last).add(f"relu{i}", ReLU(), after=f"conv{i}")
        last = f"relu{i}"
    document = Document(DocumentState(graph))
    document.tidy(900.0)
    places = document.state.positions
    assert len({y for _, y in places.values()}) > 1
    assert all(x >= 0 and x + 152 <= 900 for x, _ in places.values())
    boxes = list(places.values())
    for i, (x, y) in enumerate(boxes):
        assert not any(abs(x - a) < 152 and abs(y - b) < 200 for a, b in boxes[i + 1:])
    hosts = dock_hosts(document.state)
    assert hosts == {f"relu{i}": f"conv{i}" for i in range(6)}
    assert all(places[a] == (places[h][0] + 152, places[h][1]) for a, h in hosts.items())


def test_a_document_goes_without_the_garbage_collector(qtbot: QtBot) -> None:
    """Stack, edits and document in one circle crashed the program when it was collected."""
    document = Document(DocumentState(small()))
    document.remove(["tanh1"])
    document.undo()
    gone = weakref.ref(document)
    gc.disable()
    try:
        del document
        assert gone() is None
    finally:
        gc.enable()
