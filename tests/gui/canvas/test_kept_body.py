"""While the zoom moves bodies are kept pictures; at rest they are sharp again, and the same as ever."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem
from pytestqt.qtbot import QtBot

from gui.canvas.node_item import NodeItem
from gui.canvas.view import CanvasView
from gui.views.base import pixels_of
from tests.gui.canvas.conftest import chain

Make = Callable[..., CanvasView]


def _kept(view: CanvasView) -> list[NodeItem]:
    return [n for n in view.canvas.nodes.values() if n.cacheMode() == QGraphicsItem.CacheMode.NoCache]


def test_a_zoom_keeps_pictures_and_rest_makes_them_sharp(make: Make, qtbot: QtBot) -> None:
    view = make(chain())
    view.zoom_to(0.8)
    assert len(_kept(view)) == len(view.canvas.nodes)
    first = view.grab().toImage()
    qtbot.waitUntil(lambda: not _kept(view))
    sharp = view.grab().toImage()
    assert first.size() == sharp.size()
    # a kept picture painted for this very zoom differs at most by where its pixels fall
    close = np.abs(_grey(first) - _grey(sharp)) < 60
    assert close.mean() > 0.98


def test_only_a_few_bodies_are_painted_anew_in_a_frame(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    view = make(chain())
    painted: list[str] = []
    inner = NodeItem._paint

    def counted(self: NodeItem, painter: QPainter) -> None:
        painted.append(self.uid)
        inner(self, painter)

    monkeypatch.setattr(NodeItem, "_paint", counted)
    view.zoom_to(0.9)
    view.grab()
    assert len(painted) == len(set(painted)) <= len(view.canvas.nodes)
    painted.clear()
    view.zoom_to(0.95)
    view.grab()
    assert painted == []
    node = next(iter(view.canvas.nodes.values()))
    node.set_state(hovered=True)
    view.grab()
    assert painted == [node.uid]


def _grey(image: QImage) -> np.ndarray:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return (pixels_of(plain).copy() & 0xFF).astype(float)
