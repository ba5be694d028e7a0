"""While the zoom moves kept pictures serve; at rest nodes are sharp again, and the same as ever."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from gui.canvas.node_item import NodeItem
from gui.canvas.paper import SLICES
from gui.canvas.view import CanvasView
from gui.views.base import pixels_of
from tests.gui.canvas.conftest import chain

Make = Callable[..., CanvasView]


def _zooming(view: CanvasView) -> list[NodeItem]:
    return [n for n in view.canvas.nodes.values() if n.zooming]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The uids of the bodies that were painted anew."""
    found: list[str] = []
    inner = NodeItem._paint

    def counted(self: NodeItem, painter: QPainter) -> None:
        found.append(self.uid)
        inner(self, painter)

    monkeypatch.setattr(NodeItem, "_paint", counted)
    return found


def test_a_zoom_keeps_pictures_and_rest_makes_them_sharp(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    view.zoom_to(0.8)
    assert len(_zooming(view)) == len(view.canvas.nodes)
    first = view.grab().toImage()
    qtbot.waitUntil(lambda: not _zooming(view))
    sharp = view.grab().toImage()
    view.paper.spoil(view.canvas.sceneRect())
    for node in view.canvas.nodes.values():
        node.forget_pictures()
    assert np.array_equal(_grey(sharp), _grey(view.grab().toImage()))
    assert np.abs(_grey(first) - _grey(sharp)).mean() < 3


def test_while_zooming_bodies_are_not_painted_anew_unless_they_changed(
    make: Make, painted: list[str], qtbot: QtBot
) -> None:
    view = make(chain())
    view.grab()
    qtbot.waitUntil(lambda: not _zooming(view))
    view.grab()
    painted.clear()
    for zoom in (0.9, 0.95):
        view.zoom_to(zoom)
        view.grab()
    assert painted == []
    node = next(iter(view.canvas.nodes.values()))
    node.set_state(hovered=True)
    for _ in range(2 * SLICES):
        view.grab()
    assert set(painted) == {node.uid}


def _grey(image: QImage) -> np.ndarray:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return (pixels_of(plain).copy() & 0xFF).astype(float)
