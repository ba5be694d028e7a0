"""Blocks on the canvas, with keys and mouse: fold, unfold, nest, move, copy, link, lose, find again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from engine.errors import GraphError
from engine.graph import GraphSpec, LinkSpec
from engine.layers import Add, Conv2D, Flatten
from gui.canvas import menu
from gui.canvas.acting import Acting, Flow
from gui.canvas.block_item import BlockItem
from gui.canvas.blocks import KEY, Blocks, read
from gui.canvas.view import CanvasView
from gui.document import Document, DocumentState, difference

from .conftest import Hand, chain, points
from .demo import cnn, residual
from .test_paper import anew, pixels, rest

Make = Callable[..., CanvasView]
STEM = ("conv1", "relu1", "maxpool1")
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def block(view: CanvasView, uid: str = "#1") -> BlockItem:
    item = view.canvas.nodes[uid]
    assert isinstance(item, BlockItem)
    return item


def fold(view: CanvasView, *uids: str, name: str = "stem") -> str:
    """Select, Ctrl+G, type a name, Return."""
    view.canvas.select(uids)
    Hand(view).key(Qt.Key.Key_G, CTRL)
    (field,) = (f for f in view.findChildren(QLineEdit) if f.isVisible())
    QTest.keyClicks(field, name)
    QTest.keyClick(field, Qt.Key.Key_Return)
    (uid,) = view.selection
    return uid


def clear(view: CanvasView) -> bool:
    """Whether nothing lies on anything else: cards, layers, frames beside each other."""
    blocks, canvas = view.document.blocks, view.canvas
    places: dict[str, QRectF] = {}
    for node in canvas.visible_nodes():
        open_ = isinstance(node, BlockItem) and not node.look.folded
        places[node.uid] = node.frame() if open_ and isinstance(node, BlockItem) else node.rect()
    for a, place in places.items():
        for b, other in places.items():
            inside = a in blocks.around(b) or b in blocks.around(a)
            if a != b and not inside and place.adjusted(1, 1, -1, -1).intersects(other):
                return False
            if b in blocks.around(a) and not other.contains(place):
                return False
    return True


def test_what_a_frame_is_drawn_around_folds_into_a_card_and_opens_again(make: Make) -> None:
    view = make(cnn())
    hand, nodes = Hand(view), view.canvas.nodes
    before = view.document.state
    around = nodes["conv1"].rect().united(nodes["maxpool1"].rect())
    hand.drag(around.topLeft() - QPointF(8, 8), around.bottomRight() + QPointF(8, 8))
    uid = fold(view, *view.selection)
    card = block(view, uid)
    assert not any(nodes[u].isVisible() for u in STEM) and card.isVisible()
    look = card.look
    assert (look.name, look.summary, look.weights) == ("stem", "3 layers", "208 weights")
    assert look.count == "1×28×28 → 8×14×14"
    assert [(e.uid, e.port) for e in look.entries] == [("conv1", 0)]
    assert [e.uid for e in look.exits] == ["maxpool1"]
    assert len(look.pieces) == 3 and len(look.ways) == 2
    entering, leaving = LinkSpec("augment1", "conv1"), LinkSpec("maxpool1", "conv2")
    way = view.canvas.links[entering].way.path
    assert (way.pointAtPercent(1.0) - card.input_port()).manhattanLength() < 1
    assert not view.canvas.links[LinkSpec("relu1", "maxpool1")].isVisible()
    assert view.document.graph == before.graph and difference(before, view.document.state) == "cosmetic"
    assert clear(view)
    middle = hand.at(card.rect().center())
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    assert all(nodes[u].isVisible() for u in STEM) and not card.look.folded and clear(view)
    assert all(card.frame().contains(nodes[u].rect()) for u in STEM)
    assert view.canvas.links[leaving].isVisible()
    hand.key(Qt.Key.Key_U, CTRL)
    assert card.look.folded and clear(view)
    for _ in range(4):
        view.document.undo()
    assert view.document.state == before and uid not in view.canvas.nodes


def test_blocks_nest_and_dissolve(make: Make) -> None:
    view = make(cnn())
    first, second = fold(view, *STEM), fold(view, "conv2", "relu2", "maxpool2", name="body")
    outer = fold(view, first, second, name="features")
    blocks = view.document.blocks
    assert blocks[outer].members == (first, second) and blocks.around("relu2") == (second, outer)
    assert [n.uid for n in view.canvas.visible_nodes() if n.uid in blocks] == [outer]
    assert block(view, outer).look.summary == "6 layers" and clear(view)
    view.toggle_blocks([outer])
    assert clear(view) and block(view, first).isVisible() and block(view, first).look.folded
    view.toggle_blocks([first])
    assert clear(view)
    view.canvas.select([outer])
    Hand(view).key(Qt.Key.Key_G, CTRL | SHIFT)
    assert set(view.selection) == {first, second} and outer not in view.document.blocks
    assert view.document.blocks.around("relu2") == (second,)


def test_whatever_is_folded_and_opened_nothing_lies_on_anything(make: Make) -> None:
    view = make(cnn())
    dice = random.Random(4)
    before = view.document.graph
    for number in range(24):
        blocks = list(view.document.blocks)
        if not blocks or (dice.random() < 0.4 and len(blocks) < 5):
            shown = [n.uid for n in view.canvas.visible_nodes()]
            start = dice.randrange(len(shown) - 1)
            view.document.fold(shown[start : start + dice.randint(1, 3)])
        elif number == 20:
            view.tidy()
        else:
            view.toggle_blocks([dice.choice([s.uid for s in blocks if view.canvas.nodes[s.uid].isVisible()])])
        assert clear(view), number
    view.tidy()
    assert clear(view) and view.document.graph == before


def test_a_card_takes_its_layers_along(make: Make) -> None:
    view = make(cnn())
    uid = fold(view, *STEM)
    places = view.document.state.positions
    hand = Hand(view)
    hand.drag(hand.title(uid), hand.title(uid) + QPointF(40, 240))
    assert {u: view.document.state.positions[u] for u in STEM} == {
        u: (places[u][0] + 40, places[u][1] + 240) for u in STEM
    }
    assert block(view).pos() == QPointF(*places["conv1"]) + QPointF(40, 240)
    view.document.undo()
    hand.key(Qt.Key.Key_Right, CTRL)
    assert view.document.state.positions["relu1"][0] == places["relu1"][0] + 8


def test_a_title_takes_its_layers_along_and_the_frame_follows_one_of_them(make: Make) -> None:
    view = make(cnn())
    uid = fold(view, *STEM)
    view.toggle_blocks([uid])
    hand, frame = Hand(view), block(view).frame()
    hand.drag(frame.topLeft() + QPointF(150, 12), frame.topLeft() + QPointF(174, -28))
    assert block(view).frame() == frame.translated(24, -40)
    hand.drag(hand.title("maxpool1"), hand.title("maxpool1") + QPointF(64, 32))
    assert block(view).frame().width() == frame.width() + 64
    # what a frame grows onto gives way
    view.document.move({"input": (frame.right() + 120, frame.top() + 60)})
    hand.drag(hand.title("maxpool1"), hand.title("maxpool1") + QPointF(160, 0))
    assert not block(view).frame().intersects(view.canvas.nodes["input"].rect())


def test_a_block_goes_and_comes_back_with_its_links(make: Make) -> None:
    view = make(cnn())
    before = view.document.graph
    uid = fold(view, *STEM)
    folded = view.document.state
    Hand(view).key(Qt.Key.Key_Delete)
    assert not any(view.document.graph.has(u) for u in STEM) and uid not in view.canvas.nodes
    assert not any(set(STEM) & {k.source, k.target} for k in view.document.graph.links)
    assert KEY not in view.document.state.hints
    view.document.undo()
    assert view.document.state == folded and view.document.graph == before
    assert block(view, uid).isVisible() and view.canvas.links[LinkSpec("augment1", "conv1")].isVisible()


def test_copies_are_blocks_of_their_own(make: Make) -> None:
    view = make(cnn())
    inner = fold(view, "conv1", "relu1", name="act")
    uid = fold(view, inner, "maxpool1")
    hand = Hand(view)
    view.canvas.select([uid])
    hand.key(Qt.Key.Key_D, CTRL)
    (copy,) = view.selection
    blocks = view.document.blocks
    assert blocks[copy].name == "stem 2" and len(blocks.layers(copy)) == 3
    assert not set(blocks.layers(copy)) & set(blocks.layers(uid))
    assert [blocks[b].name for b in blocks.within(copy)] == ["stem 2", "act 2"]
    # nothing leads in or out of it yet: both ends are offered
    assert len(block(view, copy).look.entries) == 1 and len(block(view, copy).look.exits) == 1
    hand.key(Qt.Key.Key_X, CTRL)
    assert copy not in view.document.blocks
    hand.key(Qt.Key.Key_V, CTRL)
    (pasted,) = view.selection
    assert view.document.blocks[pasted].name == "stem 2"


def test_links_are_drawn_to_the_ports_of_a_card(make: Make) -> None:
    view = make(residual())
    uid = fold(view, "conv2", "add1", name="join")
    card, hand = block(view, uid), Hand(view)
    assert [(e.uid, e.port) for e in card.look.entries] == [("conv2", 0), ("add1", 1)]
    assert card.look.entries[1].name.startswith("add1, input 2")
    link = LinkSpec("input", "add1", 1)
    # pulled off its port and dropped on nothing the link is gone, and the port stays to take another
    at = next(at for u, n, at in card.entries() if u == "add1")
    hand.drag(at, at + QPointF(-30, 190))
    assert link not in view.document.graph.links
    at = next(at for u, n, at in card.entries() if u == "add1")
    hand.drag(view.canvas.nodes["input"].output_port(), at)
    assert link in view.document.graph.links
    view.document.undo()
    hand.drag(view.canvas.nodes["input"].output_port(), card.rect().center())  # the free one is meant
    assert link in view.document.graph.links
    hand.move(at)
    assert view.canvas.hovered == uid


def test_a_loose_block_dropped_on_a_link_goes_into_it(make: Make) -> None:
    view = make(cnn())
    uid = fold(view, *STEM)
    view.canvas.select([uid])
    Hand(view).key(Qt.Key.Key_D, CTRL)
    (copy,) = view.selection
    view.document.move({u: (x, y + 560) for u in view.document.blocks.layers(copy)
                        for x, y in [view.document.state.positions[u]]})  # fmt: skip
    card, hand = block(view, copy), Hand(view)
    view.fit()
    middle = view.canvas.links[LinkSpec("maxpool2", "flatten1")].way.path.pointAtPercent(0.5)
    hand.drag(card.rect().center(), middle)
    inside = view.document.blocks.layers(copy)
    assert [k.target in inside for k in view.document.graph.outputs_of("maxpool2")] == [True]
    assert view.document.inference.shapes["output"] == (10,) and clear(view)


def test_a_problem_inside_is_on_the_card_and_a_jump_opens_it(make: Make) -> None:
    view = make(chain())
    uid = fold(view, "dense1", name="head")
    assert block(view, uid).look.problem.startswith("dense1: ") and uid in view.canvas.bubbles
    repaired = Document(view.document.state)
    (problem,) = (p for p in repaired.inference.problems if p.node == "dense1")
    repaired.fold(["conv1"], "body")
    repaired.apply_repair(problem.repairs[0])
    (added,) = (n.uid for n in repaired.graph.nodes if n.layer.kind == "flatten")
    assert added not in repaired.blocks.parents and clear(make(repaired.state))
    view.show_node("dense1")
    assert view.selection == ("dense1",) and "dense1" in view.canvas.bubbles
    assert not view.document.blocks[uid].folded


def test_a_step_inside_lights_the_card_and_the_links_around_it(make: Make) -> None:
    view = make(cnn())
    uid = fold(view, *STEM)
    link = LinkSpec("augment1", "conv1")
    view.canvas.set_acting("conv1", "forward", 0.5, Acting({link: Flow("reads")}))
    assert block(view, uid).acting == "forward" and view.canvas.links[link].acting.word == "reads"
    view.grab()
    view.toggle_blocks([uid])
    assert view.canvas.nodes["conv1"].acting == "forward"
    view.toggle_blocks([uid])
    assert block(view, uid).acting == "forward" and not view.canvas.nodes["conv1"].acting
    view.canvas.set_acting(None)
    assert not block(view, uid).acting


def test_layers_find_their_block(make: Make) -> None:
    document = Document(cnn())
    uid = document.fold(["conv1", "relu1", "maxpool1"], "stem")
    assert uid is not None
    document.set_folded(uid, False)
    between = document.add_layer("flatten", link=LinkSpec("relu1", "maxpool1"))
    docked = document.add_docked("relu", "dense1")
    assert document.blocks.parents == {**dict.fromkeys((*STEM, between), uid)} and docked
    document.remove([between], heal=True)
    behind = document.add_layer("dropout", after="maxpool1")
    assert document.blocks.parents[behind] == uid
    document.take_out([behind])
    assert behind not in document.blocks.parents
    document.move({behind: document.state.positions["conv1"]})  # dropped into the frame
    assert document.blocks.parents[behind] == uid
    document.freeze(uid, True)
    assert document.node("conv1").frozen and not document.node("relu1").frozen


def test_names_of_blocks_are_checked(make: Make) -> None:
    document = Document(cnn())
    uid, other = document.fold(["conv1"], "stem"), document.fold(["conv2"], "Stem")
    assert uid is not None and other is not None
    assert document.blocks[uid].members == ("conv1", "relu1"), "what is docked comes along"
    assert document.blocks[other].name == "Stem 2"
    for name in ("", "  ", "STEM", "x" * 41, "a\nb"):
        with pytest.raises(GraphError):
            document.rename(other, name)


def test_hints_that_cannot_be_are_left_out() -> None:
    plain = [
        {"uid": "#1", "name": "a\x00b", "members": ["conv1", "gone", "#2", 3, "conv1"]},
        {"uid": "#2", "name": "", "members": ["#1", "relu1", "conv1"], "folded": False},
        {"uid": "#3", "name": "empty", "members": ["#4"]},
        {"uid": "conv2", "name": "no", "members": ["dense1"]}, {"uid": "#5", "members": "conv2"}, 7, None,
    ]  # fmt: skip
    state = replace(cnn(), hints={KEY: plain})
    blocks = Document(state).blocks
    assert [(s.uid, s.name, s.members, s.folded) for s in blocks] == [
        ("#1", "ab", ("conv1", "#2"), True), ("#2", "#2", ("relu1",), False),
    ]  # fmt: skip
    assert read("nothing") == [] and Blocks().holder("x") is None


def test_unfolded_neurons_fold_too_and_the_menu_offers_what_can_be_done(make: Make) -> None:
    view = make(points())
    uid = fold(view, "dense1", name="hidden")
    assert view.document.blocks.layers(uid) == ("dense1", "tanh1")
    assert not any(k.target == "dense1" for k in view.canvas.wires)
    words = [action.text().split("\t")[0] for action in menu.build(view).actions()]
    assert {"Unfold", "Rename", "Keep in my blocks", "Dissolve block"} <= set(words)
    assert "Matrix lab" not in words
    view.toggle_blocks([uid])
    assert clear(view) and any(k.target == "dense1" for k in view.canvas.wires)
    view.tidy()
    assert clear(view)
    view.canvas.select(["dense1"])
    words = [action.text().split("\t")[0] for action in menu.build(view).actions()]
    assert {"Fold into block", "Take out of the block"} <= set(words)


def test_members_that_lie_apart_are_gathered(make: Make) -> None:
    graph = GraphSpec().add("a", Conv2D(4)).add("b", Flatten()).add("c", Add()).add("d", Conv2D(2))
    places = {"a": (0.0, 0.0), "b": (216.0, 0.0), "c": (0.0, 256.0), "d": (216.0, 256.0)}
    view = make(DocumentState(graph, positions=places))
    view.document.fold(["a", "d"], "far")
    assert clear(view)
    view.toggle_blocks(["#1"])
    assert clear(view)


CHANGES: dict[str, Callable[[CanvasView], object]] = {
    "hover a member": lambda v: v.canvas.hover("conv1"),
    "hover the title": lambda v: v.canvas.hover("#2"),
    "select": lambda v: v.canvas.select(["#1", "#2"]),
    "fold": lambda v: v.toggle_blocks(["#2"]),
    "fold inside": lambda v: v.toggle_blocks(["#1"]),
    "unfold": lambda v: v.toggle_blocks(["#3"]),
    "move a member": lambda v: v.document.move({"conv1": (431.0, 77.0)}),
    "rename": lambda v: v.document.rename("#2", "eyes"),
    "dissolve": lambda v: v.document.dissolve(["#2"]),
    "act": lambda v: v.canvas.set_acting("dense1", "forward, 1 of 3", 0.4),
    "link": lambda v: v.document.unlink("dense1", 0),
    "zoom": lambda v: v.zoom_to(0.6),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_after_every_change_blocks_look_as_if_painted_anew(make: Make, change: str) -> None:
    document = Document(cnn())
    document.fold(["conv1"], "act")
    document.fold(["#1", "maxpool1"], "stem")
    document.fold(["flatten1", "dense1"], "head")
    for uid in ("#2", "#1"):
        document.set_folded(uid, False)
    view = make(document.state)
    view.following = False
    rest(view)
    before = pixels(view)
    CHANGES[change](view)
    rest(view)
    now = pixels(view)
    assert apart(before, now) > 8, "the change cannot be seen"
    # Qt rounds the edge of a stroke another way where its clip is a rectangle
    assert apart(now, anew(view)) <= 2


def apart(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference of one color of one pixel."""
    bytes_ = [x.astype("<u4").view(np.uint8).astype(int) for x in (a, b)]
    return int(np.abs(bytes_[0] - bytes_[1]).max())
