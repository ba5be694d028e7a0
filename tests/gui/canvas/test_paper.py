"""The still part of the canvas is kept as a picture, and always looks as if painted anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage

from engine.graph import LinkSpec
from gui.canvas.acting import Acting, Flow, Touch
from gui.canvas.atlas import Atlas
from gui.canvas.paper import SLICES, Paper
from gui.canvas.thumb_data import ThumbData
from gui.canvas.view import CanvasView
from gui.views.base import pixels_of
from tests.gui.canvas.conftest import Hand, chain, points

Make = Callable[..., CanvasView]


def pixels(view: CanvasView) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return pixels_of(image).copy() & 0xFFFFFF


def anew(view: CanvasView) -> np.ndarray:
    """The same with everything painted anew."""
    view.paper = Paper(view)
    for node in view.canvas.nodes.values():
        node.forget_pictures()
    return pixels(view)


def rest(view: CanvasView) -> None:
    """What is shown while the zoom moves is tested elsewhere."""
    while view.canvas.settle(view.visible_scene_rect()):
        pass


def tiles(value: int = 200, count: int = 8) -> ThumbData:
    return ThumbData(np.full((count, 5, 5), value, np.uint8), "activations", np.arange(20), "62 %", "ok")


AROUND = Acting(
    {LinkSpec("input", "conv1"): Flow("reads"), LinkSpec("conv1", "dense1"): Flow("writes", back=True)},
    {"input": Touch("reads", "out"), "dense1": Touch("writes", "in")},
)
CHANGES: dict[str, Callable[[CanvasView], object]] = {
    "pan": lambda v: v.pan_by(QPoint(37, -21)),
    "pan far": lambda v: v.pan_by(QPoint(4000, 100)),
    "hover": lambda v: v.canvas.hover("conv1"),
    "hover a link": lambda v: v.canvas.hover(None, LinkSpec("conv1", "dense1")),
    "select": lambda v: v.canvas.select(["dense1"], [LinkSpec("input", "conv1")]),
    "move": lambda v: v.document.move({"dense1": (100.0, 333.0)}),
    "rename": lambda v: v.document.rename("conv1", "eyes"),
    "remove": lambda v: v.document.remove(["conv1"]),
    "undo": lambda v: (v.document.remove(["conv1"]), pixels(v), v.document.undo()),
    "act": lambda v: v.canvas.set_acting("conv1", "forward, 1 of 3", 0.4, AROUND),
    "widths": lambda v: v.canvas.set_link_strengths({"conv1": 3.0}),
    "zoom": lambda v: v.zoom_to(0.6),
    "resize": lambda v: v.resize(777, 444),
    "picture": lambda v: v.canvas.set_thumbnail("conv1", tiles(40)),
    "add": lambda v: v.document.add_layer("relu", (20.0, 400.0)),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_after_every_change_it_looks_as_if_painted_anew(make: Make, change: str) -> None:
    view = make(chain())
    view.canvas.set_thumbnail("conv1", tiles())
    view.canvas.set_thumbnail("dense1", tiles(90))
    rest(view)
    before = pixels(view)
    CHANGES[change](view)
    rest(view)
    now = pixels(view)
    assert before.shape != now.shape or not np.array_equal(before, now), "the change cannot be seen"
    assert np.array_equal(now, anew(view))


def test_new_numbers_paint_no_body_and_no_link(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    view = make(chain())
    view.canvas.set_thumbnail("conv1", tiles())
    rest(view)
    pixels(view)
    painted: list[object] = []
    monkeypatch.setattr(Paper, "_paint", lambda self, spoilt: painted.append(spoilt))
    view.canvas.set_thumbnail("conv1", tiles(10))
    pixels(view)
    assert painted == []
    view.canvas.hover("conv1")
    pixels(view)
    assert len(painted) == 1


def test_a_node_that_lies_over_another_hides_its_picture(make: Make) -> None:
    view = make(chain())
    for uid in view.canvas.nodes:
        view.canvas.set_thumbnail(uid, tiles())
    x, y = view.document.state.positions["conv1"]
    view.document.move({"dense1": (x + 40.0, y + 30.0)})
    view.canvas.set_thumbnail("conv1", tiles(5))
    assert [n.uid for n, _ in view.canvas.stack.nodes() if n.covers] == ["dense1"]
    bodies = pixels(view)
    at = view.mapFromScene(view.canvas.nodes["dense1"].pos() + QPointF(3, 20))
    raised = bodies[at.y(), at.x()]
    view.document.move({"dense1": (x + 40.0, y + 600.0)})
    view.canvas.stack.nodes()
    assert not any(n.covers for n in view.canvas.nodes.values())
    assert pixels(view)[at.y(), at.x()] != raised


def test_a_dragged_node_leaves_no_trace(make: Make) -> None:
    view = make(points())
    view.canvas.set_weights("dense1", np.ones((3, 2)))
    hand = Hand(view)
    start = hand.title("dense1")
    hand.press(start)
    for step in range(1, 9):
        hand.move(start + QPointF(9 * step, 14 * step))
        pixels(view)
    hand.release(start + QPointF(72, 112))
    rest(view)
    assert np.array_equal(pixels(view), anew(view))


def test_while_the_zoom_moves_the_last_picture_serves_and_the_next_comes_in_slices(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(chain())
    view.canvas.set_thumbnail("conv1", tiles())
    rest(view)
    pixels(view)
    painted: list[object] = []
    paint = Paper._paint
    monkeypatch.setattr(Paper, "_paint", lambda self, spoilt: (painted.append(spoilt), paint(self, spoilt)))
    for _ in range(3):
        view.zoom_by(0.9)
        pixels(view)
    assert painted == [], "nothing is painted at once in a zoom"
    stretched = pixels(view)
    view.canvas.hover("dense1")
    view.pan_by(QPoint(11, 7))
    for _ in range(3 * SLICES):
        pixels(view)
    rest(view)
    assert not np.array_equal(stretched, pixels(view))
    assert np.array_equal(pixels(view), anew(view))


@pytest.mark.parametrize("shape", [(8, 5, 5), (1, 24, 32), (1, 2, 90), (64, 9, 9), (1, 120, 200)])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.7])
def test_pictures_painted_together_are_those_painted_alone(
    qapp: object, shape: tuple[int, ...], ratio: float
) -> None:
    rng = np.random.default_rng(0)
    pictures = {
        name: ThumbData(rng.integers(0, 256, shape).astype(np.uint8), "weights", rng.integers(0, 50, 34))
        for name in "abcd"
    }
    images = []
    for together in (True, False):
        atlas = Atlas()
        atlas.set_sizes(dict.fromkeys(pictures, (138, 112, 0)))
        atlas.set_ratio(ratio)
        for name, data in pictures.items():
            atlas.set(name, data)
        if together:
            atlas.refresh(pictures)
            assert not atlas._stale
        for name in pictures:
            assert atlas.slot(name) is not None
        images.append(pixels_of(atlas.image).copy())
    assert np.array_equal(*images)
