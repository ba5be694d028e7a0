"""What the mouse does on the canvas, one gesture after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.graph import GraphSpec, LinkSpec
from engine.layers import Add, Dense, Flatten, Input
from gui.canvas.gestures import DrawLink, MoveNodes
from gui.canvas.gestures.drop_layer import MIME
from gui.canvas.view import CanvasView
from gui.document import DocumentState, dock_hosts

from .conftest import Hand, chain, points

Make = Callable[..., CanvasView]


def drop(view: CanvasView, mime: QMimeData, pixel: QPoint) -> None:
    """Enter, move and drop, as the platform would send them."""
    buttons, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    view.dragEnterEvent(QDragEnterEvent(pixel, copy, mime, buttons, none))
    view.dragMoveEvent(QDragMoveEvent(pixel, copy, mime, buttons, none))
    view.dropEvent(QDropEvent(QPointF(pixel), copy, mime, buttons, none))


def layer(kind: str) -> QMimeData:
    mime = QMimeData()
    mime.setData(MIME, kind.encode())
    return mime


def test_a_layer_dropped_on_the_empty_canvas_lies_under_the_pointer(make: Make) -> None:
    view = make(DocumentState())
    drop(view, layer("dense"), QPoint(500, 300))
    (node,) = view.document.graph.nodes
    assert node.layer == Dense()
    assert view.selection == (node.uid,)
    rect = view.mapFromScene(view.canvas.nodes[node.uid].rect()).boundingRect()
    assert (rect.center() - QPoint(500, 300)).manhattanLength() <= 16
    view.document.undo()
    assert view.document.graph.nodes == () and view.canvas.nodes == {}


def test_a_layer_dropped_on_a_link_goes_into_it(make: Make) -> None:
    view = make(chain())
    link = LinkSpec("conv1", "dense1")
    middle = view.canvas.links[link].way.path.pointAtPercent(0.5)
    drop(view, layer("flatten"), view.mapFromScene(middle))
    assert view.document.inference.ready
    added = next(n.uid for n in view.document.graph.nodes if isinstance(n.layer, Flatten))
    assert LinkSpec("conv1", added) in view.document.graph.links
    assert LinkSpec(added, "dense1") in view.document.graph.links
    rects = [n.rect() for n in view.canvas.visible_nodes()]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[i + 1 :])


def test_an_activation_dropped_on_a_layer_docks(make: Make) -> None:
    view = make(chain())
    drop(view, layer("relu"), view.mapFromScene(view.canvas.nodes["conv1"].rect().center()))
    (guest,) = dock_hosts(view.document.state)
    host, item = view.canvas.nodes["conv1"], view.canvas.nodes[guest]
    assert item.rect().topLeft() == host.rect().topRight()
    assert LinkSpec(guest, "dense1") in view.document.graph.links
    assert not view.canvas.links[LinkSpec("conv1", guest)].isVisible()
    # what is docked moves with its layer
    before = item.pos()
    Hand(view).drag(Hand(view).title("conv1"), Hand(view).title("conv1") + QPointF(0, 160))
    assert item.pos().y() >= before.y() + 150
    assert dock_hosts(view.document.state) == {guest: "conv1"}


def test_a_docked_activation_can_be_pulled_off(make: Make) -> None:
    view, hand = make(chain()), None
    drop(view, layer("relu"), view.mapFromScene(view.canvas.nodes["conv1"].rect().center()))
    (guest,) = dock_hosts(view.document.state)
    hand = Hand(view)
    hand.drag(hand.title(guest), hand.title(guest) + QPointF(40, 260))
    assert dock_hosts(view.document.state) == {}
    assert view.canvas.links[LinkSpec("conv1", guest)].isVisible()


def test_strange_drops_are_refused(make: Make) -> None:
    view = make(chain())
    for mime in (QMimeData(), layer("no such layer")):
        event = QDragEnterEvent(
            QPoint(9, 9),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        view.dragEnterEvent(event)
        assert not event.isAccepted()


def test_a_drag_that_leaves_takes_its_ghost_along(make: Make) -> None:
    view = make(chain())
    count = len(view.canvas.items())
    mime = layer("relu")  # the event does not own it
    event = QDragEnterEvent(
        QPoint(200, 300),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    view.dragEnterEvent(event)
    assert len(view.canvas.items()) == count + 1
    view.dragLeaveEvent(QEvent(QEvent.Type.DragLeave))  # type: ignore[arg-type]
    assert len(view.canvas.items()) == count


def test_a_link_is_drawn_from_port_to_port(make: Make) -> None:
    graph = GraphSpec().add("input", Input((4,))).add("dense1", Dense(3))
    view = make(DocumentState(graph, {"input": (0.0, 0.0), "dense1": (300.0, 80.0)}))
    hand, a, b = Hand(view), view.canvas.nodes["input"], view.canvas.nodes["dense1"]
    hand.press(a.output_port())
    assert isinstance(view.gesture, DrawLink)
    hand.move(a.output_port() + QPointF(60, 20))
    # 20 px beside the port: the magnet holds it
    hand.move(b.input_port() + QPointF(-14, 6))
    assert view.canvas.draft.isVisible() and view.canvas.draft.snapped
    assert view.canvas.draft.text == "would give 3"
    hand.release(b.input_port() + QPointF(-14, 6))
    assert view.document.graph.links == (LinkSpec("input", "dense1"),)
    assert not view.canvas.draft.isVisible()
    view.document.undo()
    assert view.document.graph.links == () and view.canvas.links == {}


def test_a_link_can_be_drawn_backward(make: Make) -> None:
    graph = GraphSpec().add("input", Input((4,))).add("dense1", Dense(3))
    view = make(DocumentState(graph, {"input": (0.0, 0.0), "dense1": (300.0, 80.0)}))
    Hand(view).drag(view.canvas.nodes["dense1"].input_port(), view.canvas.nodes["input"].output_port())
    assert view.document.graph.links == (LinkSpec("input", "dense1"),)


def test_a_loop_is_refused_with_its_path(make: Make) -> None:
    view = make(chain())
    hand, before = Hand(view), view.document.state
    start, end = view.canvas.nodes["dense1"].output_port(), view.canvas.nodes["conv1"].input_port()
    hand.press(start)
    hand.move(start + QPointF(30, 30))
    hand.move(end)
    assert view.canvas.draft.text == "would close a loop: dense1 → conv1 → dense1"
    assert not view.canvas.draft.legal
    assert view.canvas.nodes["conv1"].illegal and view.canvas.nodes["input"].illegal
    assert not view.canvas.nodes["output"].illegal
    hand.release(end)
    assert view.document.state is before
    assert not view.canvas.nodes["conv1"].illegal


def test_what_takes_no_input_says_so(make: Make) -> None:
    graph = GraphSpec().add("input", Input((4,))).add("dense1", Dense(3))
    view = make(DocumentState(graph, {"input": (0.0, 0.0), "dense1": (300.0, 80.0)}))
    hand = Hand(view)
    start = view.canvas.nodes["dense1"].output_port()
    hand.press(start)
    hand.move(start + QPointF(0, 60))
    hand.move(hand.title("input"))
    assert view.canvas.draft.text == "input takes no input"
    hand.release(hand.title("input"))
    assert view.document.graph.links == ()


def test_a_link_pulled_off_its_input_is_gone(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    port = view.canvas.nodes["dense1"].input_port()
    hand.drag(port, port + QPointF(-20, 280))
    assert view.document.graph.inputs_of("dense1") == ()
    view.document.undo()
    assert view.document.graph.inputs_of("dense1") == (LinkSpec("conv1", "dense1"),)


def test_a_link_pulled_to_another_node_moves(make: Make) -> None:
    view = make(chain())
    end = view.canvas.nodes["output"].input_port()
    Hand(view).drag(view.canvas.nodes["dense1"].input_port(), end)
    assert view.document.graph.links == (LinkSpec("input", "conv1"), LinkSpec("conv1", "output"))
    assert view.document.undo_stack.count() == 1


def test_a_sum_offers_a_free_port(make: Make) -> None:
    graph = (
        GraphSpec()
        .add("input", Input((4,)))
        .add("a", Dense(4), after="input")
        .add("b", Dense(4), after="a")
        .add("add1", Add(), after="b")
    )
    view = make(DocumentState(graph))
    Hand(view).drag(view.canvas.nodes["input"].output_port(), view.canvas.nodes["add1"].input_port(1))
    assert [k.source for k in view.document.graph.inputs_of("add1")] == ["b", "input"]
    assert view.canvas.nodes["add1"].look.inputs == 3


def test_a_link_dropped_on_nothing_asks_for_a_layer(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    start = view.canvas.nodes["conv1"].output_port()
    Hand(view).drag(start, start + QPointF(40, 250))
    search = view._search
    assert search is not None and search.isVisible()
    assert "input" not in [
        search.list.item(i).data(Qt.ItemDataRole.UserRole) for i in range(search.list.count())
    ]
    QTest.keyClicks(search.field, "flat")
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    added = next(n for n in view.document.graph.nodes if isinstance(n.layer, Flatten))
    assert LinkSpec("conv1", added.uid) in view.document.graph.links
    assert LinkSpec("conv1", "dense1") in view.document.graph.links
    assert view.document.undo_stack.count() == 1


def test_escape_ends_a_gesture_and_changes_nothing(make: Make) -> None:
    view = make(chain())
    hand, before = Hand(view), view.document.state
    start = view.canvas.nodes["conv1"].output_port()
    hand.press(start)
    hand.move(start + QPointF(50, 90))
    hand.key(Qt.Key.Key_Escape)
    assert view.gesture is None and not view.canvas.draft.isVisible()
    place = view.canvas.nodes["conv1"].pos()
    hand.press(hand.title("conv1"))
    hand.move(hand.title("conv1") + QPointF(80, 80))
    assert isinstance(view.gesture, MoveNodes)
    hand.key(Qt.Key.Key_Escape)
    assert view.canvas.nodes["conv1"].pos() == place
    assert view.document.state is before


def test_dragging_a_node_is_one_step_on_the_grid(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    before = view.document.state.positions["dense1"]
    start = hand.title("dense1")
    hand.press(start)
    for i in range(1, 30):
        hand.move(start + QPointF(2 * i, 5 * i))
    hand.release(start + QPointF(58, 145))
    after = view.document.state.positions["dense1"]
    assert view.document.undo_stack.count() == 1
    assert after != before and after[0] % 8 == 0 and after[1] % 8 == 0
    view.document.undo()
    assert view.document.state.positions["dense1"] == before
    assert view.canvas.nodes["dense1"].pos() == QPointF(*before)


def test_several_nodes_move_together(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    hand.click(hand.title("conv1"))
    hand.click(hand.title("dense1"), Qt.KeyboardModifier.ShiftModifier)
    assert set(view.selection) == {"conv1", "dense1"}
    places = dict(view.document.state.positions)
    hand.drag(hand.title("dense1"), hand.title("dense1") + QPointF(0, 80))
    now = view.document.state.positions
    assert now["conv1"][1] - places["conv1"][1] == now["dense1"][1] - places["dense1"][1] >= 72
    assert now["input"] == places["input"]


def test_a_free_node_moved_onto_a_link_goes_into_it(make: Make) -> None:
    state = chain()
    graph = state.graph.add("flatten1", Flatten())
    places = {
        "input": (0.0, 0.0),
        "conv1": (240.0, 0.0),
        "dense1": (600.0, 0.0),
        "output": (840.0, 0.0),
        "flatten1": (464.0, 320.0),
    }
    view = make(DocumentState(graph, places))
    hand = Hand(view)
    start = view.canvas.nodes["flatten1"].pos() + QPointF(30, 20)
    middle = view.canvas.links[LinkSpec("conv1", "dense1")].way.path.pointAtPercent(0.5)
    hand.drag(start, start + middle - view.canvas.nodes["flatten1"].rect().center())
    assert LinkSpec("conv1", "flatten1") in view.document.graph.links
    assert view.document.inference.ready
    assert view.document.undo_stack.count() == 1


def test_the_rubber_band_selects_what_it_touches(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    a = view.canvas.nodes["input"].rect().topLeft() - QPointF(15, 15)
    b = view.canvas.nodes["conv1"].rect().bottomRight() + QPointF(-20, 40)
    hand.drag(a, b)
    assert set(view.selection) == {"input", "conv1"}
    hand.click(b + QPointF(0, 60))
    assert view.selection == ()


@pytest.mark.parametrize("button", [Qt.MouseButton.MiddleButton])
def test_the_middle_button_pans(make: Make, button: Qt.MouseButton) -> None:
    view = make(chain())
    before, state = view.visible_scene_rect().center(), view.document.state
    start = view.canvas.nodes["conv1"].rect().center()
    pixel = view.mapFromScene(start)
    QTest.mousePress(view.viewport(), button, pos=pixel)
    QTest.mouseMove(view.viewport(), pixel + QPoint(50, 30))
    QTest.mouseRelease(view.viewport(), button, pos=pixel + QPoint(50, 30))
    moved = view.visible_scene_rect().center() - before
    assert moved.x() * view.scale_factor == pytest.approx(-50, abs=2)
    assert moved.y() * view.scale_factor == pytest.approx(-30, abs=2)
    assert view.document.state is state


def test_space_pans_only_while_someone_hears_of_its_taps(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert not view.space_down
    taps: list[int] = []
    view.space_tapped.connect(lambda: taps.append(1))
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert taps == [1]
    QTest.keyPress(view, Qt.Key.Key_Space)
    before = view.visible_scene_rect().center()
    Hand(view).drag(view.canvas.nodes["conv1"].rect().center(), view.canvas.nodes["dense1"].rect().center())
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert taps == [1] and view.visible_scene_rect().center() != before


def test_the_repair_button_in_the_bubble_repairs(make: Make) -> None:
    view = make(chain())
    bubble = view.canvas.bubbles["dense1"]
    assert bubble.text.startswith("Needs a vector") and bubble.button_text == "Insert Flatten"
    Hand(view).click(bubble.mapToScene(bubble.button.center()))
    assert view.document.inference.ready
    assert view.canvas.bubbles == {}
    view.document.undo()
    assert "dense1" in view.canvas.bubbles


def test_a_double_click_opens_a_node_and_searches_on_paper(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    hand = Hand(view)
    with qtbot.waitSignal(view.node_opened) as seen:
        picture = view.canvas.nodes["conv1"].rect().center()
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=hand.at(picture))
    assert seen.args == ["conv1"]
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=hand.at(picture))
    with qtbot.waitSignal(view.lab_wanted) as seen:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=hand.at(hand.title("conv1")))
    assert seen.args == ["conv1"]
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=hand.at(hand.title("conv1")))
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(600, 560))
    assert view._search is not None and view._search.isVisible()


def test_hover_lights_one_neuron_and_its_lines(make: Make) -> None:
    import numpy as np

    view = make(points())
    view.canvas.set_weights("dense1", np.array([[1.0, -2.0], [0.5, 0.1], [3.0, 0.0]]), np.zeros(3))
    node = view.canvas.nodes["dense1"]
    Hand(view).move(node.pos() + node.neuron_rect(1).center())
    assert view.canvas.hovered_neuron == ("dense1", 1)
    assert view.hover.card.isVisible()
    wire = view.canvas.wires[LinkSpec("input", "dense1")]
    assert wire._lit(1, 0) is True and wire._lit(0, 0) is False
    Hand(view).move(node.pos() + QPointF(40, 10))
    assert view.canvas.hovered_neuron is None and not view.hover.card.isVisible()


def test_a_refused_edit_is_told(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    with qtbot.waitSignal(view.refused) as seen:
        view.attempt(lambda: view.document.link("dense1", "conv1"))
    assert "loop" in str(seen.args[0])


def test_a_layer_dropped_among_the_lines_of_weights_goes_in_between(make: Make) -> None:
    view = make(points())
    a, b = view.canvas.nodes["dense1"].rect(), view.canvas.nodes["dense2"].rect()
    middle = QPointF((a.right() + b.left()) / 2, b.center().y())
    drop(view, layer("dense"), view.mapFromScene(middle))
    added = next(n.uid for n in view.document.graph.nodes if n.name == "dense3")
    assert LinkSpec("tanh1", added) in view.document.graph.links
    assert LinkSpec(added, "dense2") in view.document.graph.links
    rects = [n.rect() for n in view.canvas.visible_nodes()]
    assert not any(r.intersects(s) for i, r in enumerate(rects) for s in rects[i + 1 :])


def test_a_layer_found_near_an_edge_is_brought_into_sight(make: Make) -> None:
    view = make(DocumentState())
    search = view.open_search(QPoint(2, 2))
    search.chosen.emit("dense")
    uid = view.canvas.selected[0]
    place = view.mapFromScene(view.canvas.nodes[uid].rect()).boundingRect()
    assert view.viewport().rect().contains(place)
