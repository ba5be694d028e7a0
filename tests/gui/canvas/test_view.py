"""Keys, zoom, search, names, clipboard and levels of detail of the canvas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.graph import GraphSpec, LinkSpec
from engine.layers import Add, Conv2D, Dense, Flatten, Input, Output, ReLU, Tanh
from gui import theme
from gui.canvas import menu
from gui.canvas.acting import Acting, Flow, Touch
from gui.canvas.link_item import THICK, THIN, width_of
from gui.canvas.look import detail_at
from gui.canvas.thumb_data import ThumbData
from gui.canvas.view import CanvasView
from gui.document import Document, DocumentState

from .conftest import Hand, chain, points

Make = Callable[..., CanvasView]
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_delete_takes_a_node_with_its_links(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    hand.click(hand.title("conv1"))
    hand.key(Qt.Key.Key_Delete)
    assert not view.document.graph.has("conv1")
    assert view.document.graph.links == (LinkSpec("dense1", "output"),)
    assert view.selection == () and "conv1" not in view.canvas.nodes
    view.document.undo()
    assert LinkSpec("conv1", "dense1") in view.canvas.links


def test_a_link_can_be_selected_and_deleted(make: Make) -> None:
    view = make(chain())
    link = LinkSpec("input", "conv1")
    Hand(view).click(view.canvas.links[link].way.path.pointAtPercent(0.5))
    assert view.canvas.selected_links == (link,)
    Hand(view).key(Qt.Key.Key_Delete)
    assert link not in view.document.graph.links


def test_duplicate_copy_cut_and_paste(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    view.canvas.select(["conv1", "dense1"])
    hand.key(Qt.Key.Key_D, CTRL)
    assert len(view.document.graph.nodes) == 6 and len(view.selection) == 2
    copies = view.selection
    assert LinkSpec(copies[0], copies[1]) in view.document.graph.links
    hand.key(Qt.Key.Key_X, CTRL)
    assert len(view.document.graph.nodes) == 4
    hand.key(Qt.Key.Key_V, CTRL)
    assert len(view.document.graph.nodes) == 6
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.key(Qt.Key.Key_Z, CTRL)
    assert len(view.document.graph.nodes) == 4 and not view.document.modified


def test_a_foreign_clipboard_is_refused_with_a_sentence(make: Make, qtbot: QtBot) -> None:
    from PySide6.QtGui import QGuiApplication

    view = make(chain())
    QGuiApplication.clipboard().setText("Hello")
    with qtbot.waitSignal(view.refused) as seen:
        view.paste()
    assert "clipboard" in str(seen.args[0])


def test_a_node_is_renamed_in_place(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    hand.click(hand.title("dense1"))
    hand.key(Qt.Key.Key_F2)
    field = view._rename
    assert field is not None and field.isVisible() and field.text() == "dense1"
    field.clear()
    QTest.keyClicks(field, "my layer")
    assert field.property("invalid") and "cannot name" in field.toolTip()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.isVisible()
    field.clear()
    QTest.keyClicks(field, "hidden")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert view.document.node("dense1").name == "hidden"
    assert view.canvas.nodes["dense1"].look.name == "hidden"
    assert view.document.undo_stack.count() == 1


def test_escape_gives_a_name_up(make: Make) -> None:
    view = make(chain())
    view.canvas.select(["dense1"])
    view.rename_selected()
    field = view._rename
    assert field is not None
    QTest.keyClicks(field, "other")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert view.document.node("dense1").name == "dense1" and not view.document.modified


def test_arrows_walk_along_the_links(make: Make) -> None:
    view = make(chain())
    hand = Hand(view)
    for expected in ("input", "conv1", "dense1", "output"):
        hand.key(Qt.Key.Key_Right)
        assert view.selection == (expected,)
        assert view.canvas.nodes[expected].focused
    hand.key(Qt.Key.Key_Left)
    assert view.selection == ("dense1",)
    hand.key(Qt.Key.Key_Left, SHIFT)
    assert view.selection == ("dense1", "conv1")
    before = view.document.state.positions["conv1"]
    for _ in range(3):
        hand.key(Qt.Key.Key_Down, CTRL)
    assert view.document.state.positions["conv1"] == (before[0], before[1] + 24)
    assert view.document.undo_stack.count() == 1


def test_return_opens_and_escape_selects_nothing(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    view.canvas.select(["conv1"])
    with qtbot.waitSignal(view.node_opened) as seen:
        Hand(view).key(Qt.Key.Key_Return)
    assert seen.args == ["conv1"]
    with qtbot.waitSignal(view.selection_changed):
        Hand(view).key(Qt.Key.Key_Escape)
    assert view.selection == ()


def test_tab_leaves_the_canvas(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    view, field = CanvasView(Document(chain()), window), QLineEdit(window)
    column = QVBoxLayout(window)
    column.addWidget(view)
    column.addWidget(field)
    window.show()
    qtbot.waitExposed(window)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert window.focusWidget() is field
    # and single keys elsewhere mean nothing to the canvas
    view.canvas.select(["conv1"])
    QTest.keyClick(field, Qt.Key.Key_Delete)
    assert view.document.graph.has("conv1")


def test_the_search_adds_a_layer_where_the_pointer_was(make: Make) -> None:
    view = make(DocumentState())
    Hand(view).move(view.mapToScene(QPoint(420, 200)))
    Hand(view).key(Qt.Key.Key_A, SHIFT)
    search = view._search
    assert search is not None
    QTest.keyClicks(search.field, "convolution")
    assert search.list.count() == 3  # along pictures, along sequences, transposed
    search.field.clear()
    QTest.keyClicks(search.field, "conv2d")
    assert search.list.count() == 1
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    (node,) = view.document.graph.nodes
    assert node.layer == Conv2D()
    place = view.mapFromScene(view.canvas.nodes[node.uid].pos())
    assert (place - QPoint(420, 200)).manhattanLength() < 20
    assert not search.isVisible()


def test_the_search_closes_without_a_choice(make: Make) -> None:
    view = make(chain())
    search = view.open_search(QPoint(100, 100))
    QTest.keyClicks(search.field, "no such thing")
    assert search.list.count() == 0
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert search.isVisible()
    QTest.keyClick(search.field, Qt.Key.Key_Escape)
    assert not search.isVisible() and not view.document.modified


def test_zoom_keeps_the_point_under_the_pointer(make: Make) -> None:
    view = make(chain())
    pixel = QPoint(300, 200)
    before = view.mapToScene(pixel)
    for factor in (1.5, 0.4, 3.0):
        view.zoom_by(factor, pixel)
        away = view.mapFromScene(before) - pixel
        assert away.manhattanLength() <= 3
    view.zoom_to(100.0)
    assert view.zoom == 4.0
    view.fit()
    seen = view.visible_scene_rect()
    assert all(seen.contains(n.rect()) for n in view.canvas.visible_nodes())
    assert view.zoom_bar.value.text() == f"{round(view.zoom * 100)} %"


def test_presentation_mode_enlarges_the_drawing(make: Make) -> None:
    view = make(chain())
    wide = view.mapFromScene(view.canvas.nodes["conv1"].rect()).boundingRect().width()
    theme.set_theme("dark", presentation=True)
    assert view.mapFromScene(view.canvas.nodes["conv1"].rect()).boundingRect().width() == pytest.approx(
        1.5 * wide, abs=3
    )


@pytest.mark.parametrize(
    ("zoom", "detail"),
    [
        (1.0, "all"),
        (0.7, "all"),
        (0.69, "name"),
        (0.4, "name"),
        (0.39, "icon"),
        (0.18, "icon"),
        (0.17, "block"),
    ],
)
def test_levels_of_detail(make: Make, zoom: float, detail: str) -> None:
    assert detail_at(zoom) == detail
    view = make(chain())
    view.zoom_to(zoom)
    assert not view.grab().isNull()  # paint failures are found by the fixture


def test_the_width_of_a_link_is_the_logarithm_of_its_values() -> None:
    assert width_of(0.05) == pytest.approx(THIN)
    assert width_of(3.0) == pytest.approx(THICK)
    assert width_of(1e9) == THICK and width_of(0.0) == THIN
    assert THIN < width_of(0.4) < THICK
    assert width_of(float("nan")) == width_of(None)


def test_a_picture_is_painted_into_its_node(make: Make) -> None:
    view = make(chain())
    tiles = np.full((8, 5, 5), 255, np.uint8)
    view.canvas.set_thumbnail("conv1", ThumbData(tiles, "activations", np.arange(20), "62 % active", "ok"))
    view.canvas.set_thumbnail("long gone", ThumbData(tiles))
    view.canvas.set_link_strengths({"conv1": 3.0})
    assert view.canvas.links[LinkSpec("conv1", "dense1")].width == pytest.approx(THICK, abs=0.2)
    picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    node = view.canvas.nodes["conv1"]
    field = view.mapFromScene(node.picture_rect().translated(node.pos())).boundingRect()
    brightest = theme.lut("activations")[255]
    seen = {
        picture.pixel(x, y) & 0xFFFFFF
        for x in range(field.left(), field.right(), 3)
        for y in range(field.top(), field.bottom(), 3)
    }
    assert int(brightest[0]) << 16 | int(brightest[1]) << 8 | int(brightest[2]) in seen
    view.canvas.forget_pictures()
    assert view.canvas.atlas.data("conv1") is None


def test_all_kinds_of_pictures_can_be_painted(make: Make) -> None:
    view = make(chain())
    rng = np.random.default_rng(0)
    kinds = [
        ThumbData(rng.normal(size=(1, 10, 784)).astype(np.float32), "weights"),
        ThumbData(rng.normal(size=(1, 784, 1)).astype(np.float32), "gradients", np.zeros(12)),
        ThumbData(rng.integers(0, 2**24, (3, 9, 9)).astype(np.uint32)),
        ThumbData(np.zeros((0, 1, 1), np.uint8), histogram=np.ones(5)),
        ThumbData(np.full((4, 3, 3), np.nan, np.float32), "weights", np.array([1.0, np.nan])),
        ThumbData(rng.random((100, 3, 3)).astype(np.float32), dead=frozenset({0, 99, 500}), health="warning"),
        ThumbData.of_bars((("a very long name of a class indeed", 0.5), ("b", float("nan"))), "0.35"),
    ]
    for data in kinds:
        view.canvas.set_thumbnail("conv1", data)
        assert not view.grab().isNull()
    assert view.canvas.nodes["conv1"].warned is False


def test_small_layers_on_points_are_unfolded(make: Make) -> None:
    view = make(points())
    assert set(view.canvas.unfolded) == {"input", "dense1", "dense2", "output"}
    assert not view.canvas.nodes["tanh1"].isVisible()
    wire = view.canvas.wires[LinkSpec("tanh1", "dense2")]
    assert wire.source.uid == "dense1"
    view.canvas.set_weights("dense2", np.ones((1, 3)))
    assert view.legend.isVisible()
    for uid, units in (("input", 2), ("dense1", 3), ("output", 1)):
        view.canvas.set_thumbnail(uid, ThumbData(np.zeros((units, 12, 12), np.uint8), "weights"))
    assert not view.grab().isNull()
    view.document.set_setting("dense1", "units", 17)
    assert "dense1" not in view.canvas.unfolded and view.canvas.nodes["tanh1"].isVisible()
    view.document.undo()
    assert "dense1" in view.canvas.unfolded


def test_a_link_drawn_from_an_unfolded_layer_starts_at_its_activation(make: Make) -> None:
    view = make(points())
    uid = view.document.add_layer("dense", (600.0, 700.0))
    view.fit()
    Hand(view).drag(view.canvas.nodes["dense1"].output_port(), view.canvas.nodes[uid].input_port())
    assert LinkSpec("tanh1", uid) in view.document.graph.links


def test_the_acting_node_wears_the_ring_of_the_calculation(make: Make) -> None:
    view = make(chain())
    into = LinkSpec("input", "conv1")
    around = Acting({into: Flow("reads")}, {"input": Touch("reads", "out")})
    view.canvas.set_acting("conv1", "forward, 5 of 8", 0.6, around)
    assert view.canvas.nodes["conv1"].acting == "forward, 5 of 8"
    assert [link for link, item in view.canvas.links.items() if item.acting.word] == [into]
    assert {uid for uid, node in view.canvas.nodes.items() if node.touch.word} == {"input"}
    assert not view.grab().isNull()
    view.canvas.set_acting(None)
    assert not any(n.acting or n.touch.word for n in view.canvas.nodes.values())
    assert not any(item.acting.word for item in view.canvas.links.values())


def test_tidy_is_one_step_and_fills_the_width(make: Make) -> None:
    view = make(chain(), 700, 640)
    view.document.move({"dense1": (0.0, 900.0)})
    view.tidy()
    assert view.document.undo_stack.count() == 2
    places = view.document.state.positions
    assert max(x for x, _ in places.values()) + 152 <= 700
    seen = view.visible_scene_rect()
    assert all(seen.contains(n.rect()) for n in view.canvas.visible_nodes())


def test_a_shortcut_is_routed_around_what_it_skips(make: Make) -> None:
    graph = (
        GraphSpec()
        .add("input", Input((4,)))
        .add("a", Dense(4), after="input")
        .add("r", ReLU(), after="a")
        .add("b", Dense(4), after="r")
        .add("add1", Add(), after=["b", "input"])
        .add("output", Output(), after="add1")
    )
    view = make(DocumentState(graph), 1600)
    way = view.canvas.links[LinkSpec("input", "add1", 1)].way.path
    middle = [way.pointAtPercent(s / 40) for s in range(8, 33)]
    between = [view.canvas.nodes[u].rect() for u in ("a", "r", "b")]
    assert not any(rect.contains(point) for rect in between for point in middle)


def test_the_menu_fits_what_is_selected(make: Make) -> None:
    view = make(chain())
    names = [a.text().split("\t")[0] for a in menu.build(view).actions()]
    assert "Tidy layout" in names and "Delete" not in names
    view.canvas.select(["conv1"])
    built = menu.build(view)
    names = [a.text().split("\t")[0] for a in built.actions()]
    assert {"Rename", "Duplicate", "Delete", "Delete and close the gap"} <= set(names)
    next(a for a in built.actions() if a.text() == "Delete and close the gap").trigger()
    assert LinkSpec("input", "dense1") in view.document.graph.links


def test_the_empty_canvas_and_both_themes_paint(make: Make) -> None:
    view = make(DocumentState())
    for name in ("light", "dark"):
        theme.set_theme(name)
        assert not view.grab().isNull()
    view.document.load(chain())
    view.canvas.select(["conv1"])
    view.pan_by(QPoint(5000, 5000))  # arrows to what is out of sight
    theme.set_theme("light")
    assert not view.grab().isNull()


def test_another_project_replaces_everything(make: Make) -> None:
    view = make(points())
    view.canvas.set_weights("dense1", np.ones((3, 2)))
    view.document.load(chain())
    assert set(view.canvas.nodes) == {"input", "conv1", "dense1", "output"}
    assert view.canvas.wires == {} and len(view.canvas.links) == 3
    view.document.load(DocumentState())
    assert view.canvas.nodes == {} and view.canvas.links == {} and view.canvas.bubbles == {}
    assert not view.grab().isNull()


def test_adding_behind_the_selection_goes_into_the_chain(make: Make) -> None:
    view = make(chain())
    view.canvas.select(["conv1"])
    view.add_behind_selection("flatten")
    assert view.document.inference.ready
    added = next(n.uid for n in view.document.graph.nodes if isinstance(n.layer, Flatten))
    assert view.selection == (added,)


def test_many_nodes_stay_quick_to_edit(make: Make) -> None:
    """A coarse guard: 200 nodes, one edit; a quadratic slip costs seconds here."""
    import time

    graph = GraphSpec().add("input", Input((16,)))
    last = "input"
    for i in range(100):
        graph = graph.add(f"d{i}", Dense(16), after=last).add(f"t{i}", Tanh(), after=f"d{i}")
        last = f"t{i}"
    view = make(DocumentState(graph))
    start = time.perf_counter()
    view.document.move({"d50": (0.0, 3000.0)})
    assert time.perf_counter() - start < 1.0
    assert view.canvas.nodes["d50"].pos() == QPointF(0.0, 3000.0)


def test_a_network_without_places_is_laid_out_for_the_window(make: Make, qtbot: QtBot) -> None:
    view = make(chain(), 1200)
    rows = {y for _, y in view.document.state.positions.values()}
    assert len(rows) == 1 and not view.document.modified
    view.resize(640, 640)
    qtbot.waitUntil(lambda: len({y for _, y in view.document.state.positions.values()}) == 2, timeout=2000)
    assert view.document.undo_stack.count() == 0
    seen = view.visible_scene_rect()
    assert all(seen.contains(n.rect()) for n in view.canvas.visible_nodes())
    # once something was edited, nothing moves by itself
    view.document.set_setting("dense1", "units", 4)
    before = view.document.state.positions
    view.resize(1200, 640)
    qtbot.wait(120)
    assert view.document.state.positions == before


def test_what_was_zoomed_by_hand_stays(make: Make, qtbot: QtBot) -> None:
    view = make(chain(), 1200)
    view.zoom_by(1.3, QPoint(100, 100))
    zoom = view.zoom
    view.resize(900, 500)
    qtbot.wait(120)
    assert view.zoom == zoom
    view.fit()
    view.resize(1000, 560)
    qtbot.waitUntil(
        lambda: all(view.visible_scene_rect().contains(n.rect()) for n in view.canvas.visible_nodes())
    )
