""" "Show me": a blue ring around the place where something is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.lessons.lesson import Task

if TYPE_CHECKING:
    from gui.main_window import MainWindow

MILLISECONDS = 3200
LABS = ("matrix_lab", "affine_lab", "augment_lab", "device_lab")


class Ring(QWidget):
    """Lies over the window, takes no clicks, and goes away by itself."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_around(self, place: QRect) -> None:
        """Ring a place of the window."""
        self.setGeometry(place.adjusted(-6, -6, 6, 6))
        self.show()
        self.raise_()
        self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 8, 8)
        painter.end()


def can_show(window: MainWindow, task: Task) -> bool:
    """Whether there is a place to point at in this version of the program."""
    return bool(task.show) and (task.show not in LABS or has_action(window, task.show))


def can_do(window: MainWindow, task: Task) -> bool:
    """Whether the program has what a task is about: a lab may be missing."""
    wanted = [task.conditions.get("lab"), task.conditions.get("action")]
    return all(name is None or has_action(window, name) for name in wanted)


def has_action(window: MainWindow, name: str) -> bool:
    """Whether there is such an action."""
    return any(spec.id == name for spec in window.actions_)


def show_me(window: MainWindow, ring: Ring, show: str) -> bool:
    """Point at the place; a lab is opened. False where there is nothing to see."""
    if show in LABS and has_action(window, show):
        window.actions_[show].trigger()
        return True
    place = place_of(window, show)
    if place is None or place.isEmpty():
        return False
    ring.show_around(place.intersected(window.rect()))
    return True


def place_of(window: MainWindow, show: str) -> QRect | None:
    """In the window: "node:layer1", "cell:weights:1,2", "panel:loss", or a widget by its name."""
    kind, _, rest = show.partition(":")
    if kind == "node":
        return _node(window, rest)
    if kind == "cell":
        return _cell(window, rest)
    if kind == "panel":
        _bring(window, rest)
        found: QWidget | None = window.docks.get(rest) or window.panels().get(rest)
        found = window.loss_dock if rest == "loss" else found
    else:
        found = window.findChild(QWidget, show)
    return _rect(window, found) if found is not None and found.isVisible() else None


def _bring(window: MainWindow, name: str) -> None:
    if name in (*window.docks, "loss") and not window.panel_shown(name):
        window.show_panel(name, True)
        window.actions_.check(f"dock_{name}", True)
    if name in (*window.docks, "loss"):
        window.dock_row.bring_front(name)


def _rect(window: MainWindow, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def _node(window: MainWindow, name: str) -> QRect | None:
    canvas, graph = window.canvas, window.bench.document.graph
    uid = next((n.uid for n in graph.nodes if n.name == name), None)
    node = canvas.canvas.nodes.get(canvas.canvas.shown(uid)) if uid is not None else None
    if node is None or not node.isVisible():
        return None
    canvas.show_node(node.uid)
    seen = canvas.mapFromScene(node.rect()).boundingRect()
    return QRect(canvas.viewport().mapTo(window, seen.topLeft()), seen.size())


def _cell(window: MainWindow, rest: str) -> QRect | None:
    panel, _, where = rest.partition(":")
    dock = window.docks.get(panel)
    if dock is None:
        return None
    _bring(window, panel)
    view = dock.numbers.matrix
    try:
        row, column = (int(part) - 1 for part in where.split(","))
    except ValueError:
        return None
    if not dock.isVisible() or dock.numbers.look != "matrix" or not view.values().size:
        return _rect(window, dock) if dock.isVisible() else None
    rows, columns = view.values().shape
    if not (0 <= row < rows and 0 <= column < columns):
        return None
    cell = QRectF(view.cell_rect(row, column)).toRect()
    return QRect(view.mapTo(window, cell.topLeft()), cell.size())
