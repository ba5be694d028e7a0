"""A canvas on an invisible screen, with motion off, and a hand that moves the mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.graph import GraphSpec
from engine.layers import Conv2D, Dense, Input, Output
from engine.settings import DataSpec, TrainingSpec
from gui import theme
from gui.canvas import guard
from gui.canvas.view import CanvasView
from gui.document import Document, DocumentState

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    """No gliding, and no paint method may have failed."""
    theme.set_theme("dark", reduced_motion=True, presentation=False)
    before = guard.failures()
    yield
    theme.set_theme("dark", reduced_motion=False, presentation=False)
    assert guard.failures() == before


def chain() -> DocumentState:
    """input -> conv1 -> dense1 -> output: the dense layer needs a vector."""
    graph = (
        GraphSpec()
        .add("input", Input((1, 28, 28)))
        .add("conv1", Conv2D(8), after="input")
        .add("dense1", Dense(10), after="conv1")
        .add("output", Output(), after="dense1")
    )
    return DocumentState(graph)


def points(hidden: int = 3) -> DocumentState:
    """A small network on points of the plane: it is drawn unfolded."""
    from engine.layers import Tanh

    graph = (
        GraphSpec()
        .add("input", Input((2,)))
        .add("dense1", Dense(hidden), after="input")
        .add("tanh1", Tanh(), after="dense1")
        .add("dense2", Dense(1), after="tanh1")
        .add("output", Output(), after="dense2")
    )
    return DocumentState(graph, training=TrainingSpec(loss="mse"), data=DataSpec((2,), classes=2))


@pytest.fixture
def make(qtbot: QtBot) -> Callable[..., CanvasView]:
    def made(state: DocumentState, width: int = 1200, height: int = 640) -> CanvasView:
        view = CanvasView(Document(state))
        qtbot.addWidget(view)
        view.resize(width, height)
        view.show()
        qtbot.waitExposed(view)
        qtbot.wait(20)  # the first fit comes with the first turn of the event loop
        return view

    return made


class Hand:
    """Moves the mouse over a view in scene coordinates."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view

    def at(self, point: QPointF) -> QPoint:
        return self.view.mapFromScene(point)

    def press(
        self,
        point: QPointF,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        button: Qt.MouseButton = LEFT,
    ) -> None:
        QTest.mousePress(self.view.viewport(), button, keys, self.at(point))

    def move(self, point: QPointF) -> None:
        QTest.mouseMove(self.view.viewport(), self.at(point))

    def release(
        self,
        point: QPointF,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        button: Qt.MouseButton = LEFT,
    ) -> None:
        QTest.mouseRelease(self.view.viewport(), button, keys, self.at(point))

    def drag(self, start: QPointF, end: QPointF, button: Qt.MouseButton = LEFT) -> None:
        """Press, move in three steps, release."""
        self.press(start, button=button)
        for share in (0.3, 0.7, 1.0):
            self.move(start + (end - start) * share)
        self.release(end, button=button)

    def click(self, point: QPointF, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.press(point, keys)
        self.release(point, keys)

    def title(self, uid: str) -> QPointF:
        """A place in the head of a node, away from its ports."""
        return self.view.canvas.nodes[uid].pos() + QPointF(60, 22)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.view, key, keys)
