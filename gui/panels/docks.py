"""The docks below the canvas: weights, activations, gradients and loss of the selected layer.

The same place in one is outlined in all. A hidden dock wishes for nothing, so it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from engine.graph import GraphSpec, Uid
from engine.session.protocol import Configured
from engine.session.views import Maps, MapsData, Matrix, MatrixData, ViewData
from gui import theme
from gui.i18n import tr
from gui.panels import targets
from gui.panels.lock_wishes import LOCK, with_locks
from gui.panels.numbers import Numbers
from gui.panels.targets import Target
from gui.views.panel import Panel
from gui.watching import Wish

Name = Literal["weights", "activations", "gradients"]
LONGEST = 4096
"""Numbers of a vector that are asked for at most."""
SMALLEST, LARGEST = 256, 1024
"""Rows or columns of a matrix that are asked for at least, and at most in a high view."""


class Switch(QWidget):
    """Two or three short choices side by side; `chosen(key)`."""

    chosen = Signal(str)

    def __init__(self, choices: Mapping[str, tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._keys = list(choices)
        for index, (text, tip) in enumerate(choices.values()):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._group.addButton(button, index)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._keys[index]))

    def choices(self) -> list[str]:
        """What can be chosen."""
        return list(self._keys)

    def value(self) -> str:
        """The key chosen."""
        return self._keys[self._group.checkedId()]

    def set_value(self, key: str) -> None:
        """Choose silently."""
        self._group.button(self._keys.index(key)).setChecked(True)


class ValueDock(Panel):
    """One of the three docks of numbers.

    `opened(value id, cell)`: a cell was clicked. `wishes_changed`: it wants to see something else.
    """

    opened = Signal(str, object)
    wishes_changed = Signal()
    lab_wanted = Signal(str, str)
    """(layer, value id): its equation is to be opened in the matrix lab."""
    rows_wanted = Signal(bool)
    """Rows and columns, or pictures, for weights whose inputs are pixels."""

    def __init__(self, name: Name, parent: QWidget | None = None) -> None:
        titles = {"weights": tr("Weights"), "activations": tr("Activations"), "gradients": tr("Gradients")}
        super().__init__(titles[name], parent=parent)
        self.name: Name = name
        self.setObjectName(f"dock_{name}")
        self.numbers = Numbers(name, enlarge=name == "weights")
        self.set_content(self.numbers)
        self.target: Target | None = None
        self.rows = False
        self.sample = 0
        self.channel = 0
        self._size = (1, 1)
        self._known = ""
        """The value whose numbers are shown."""
        self._configured: Configured | None = None
        self._graph = GraphSpec()
        self._uid: Uid | None = None
        if name == "activations":
            self.switch = Switch(
                {
                    "a": ("A", tr("After the activation function")),
                    "z": ("Z", tr("Before the activation function")),
                }
            )
        elif name == "gradients":
            self.switch = Switch(
                {
                    "z": ("∂L/∂Z", tr("Gradient of the loss by the outputs")),
                    "w": ("∂L/∂W", tr("Gradient of the loss by the weights")),
                }
            )
        else:
            self.switch = Switch(
                {
                    "maps": (tr("Maps"), tr("The weights of each neuron as a picture")),
                    "matrix": (tr("Matrix"), tr("Rows and columns of W")),
                }
            )
        self.add_header(self.switch)
        self._lab = self._button("explain", tr("Open it in the matrix lab: weights are typed there"))
        self._lab.clicked.connect(self._want_lab)
        self.add_header(self._lab)
        self.switch.chosen.connect(self._switched)
        self.numbers.clicked.connect(self._click)
        self.numbers.matrix.part_wanted.connect(self.wishes_changed)
        self.set_empty(tr("Nothing to show yet."))

    def _want_lab(self) -> None:
        if self.target is not None:
            self.lab_wanted.emit(self.target.node, self.target.value)

    # ---- what is shown -------------------------------------------------------------------------------

    def set_layer(self, configured: Configured | None, graph: GraphSpec, uid: Uid | None) -> None:
        """Show the values of a layer of the running program; None: no program or no layer.

        A pinned dock keeps its layer as long as it exists.
        """
        if self.is_pinned() and self._uid is not None and graph.has(self._uid):
            uid = self._uid
        self._configured, self._graph, self._uid = configured, graph, uid
        self._retarget()

    def _find(self) -> Target | None:
        if self._configured is None or self._uid is None:
            return None
        program, graph, uid = self._configured.program, self._graph, self._uid
        if self.name == "weights":
            found = targets.weights_of(program, graph, uid)
            self.switch.setVisible(found is not None and found.picture is not None)
            return targets.as_matrix(found) if self.rows else found
        after = targets.activation_after(program, graph, uid)
        if self.name == "activations":
            # the switch means something only where Z and A differ
            self.switch.setVisible(after is not None)
            wants_a = self.switch.value() == "a"
            return targets.output_of(program, graph, after if after is not None and wants_a else uid)
        self.switch.setVisible(targets.weighted(program, graph, uid) is not None)
        if self.switch.value() == "w":
            found = targets.weight_gradients_of(program, graph, uid)
            return targets.as_matrix(found) if self.rows else found
        return targets.delta_of(program, graph, uid)

    def show_view(self, key: str) -> None:
        """Choose one of the two views as if its switch were pressed; another dock's changes nothing."""
        if key in self.switch.choices():
            self.switch.set_value(key)
            self._switched(key)

    def _switched(self, key: str) -> None:
        if self.name == "weights":
            self.rows_wanted.emit(key == "matrix")
        else:
            self._retarget()

    def set_rows(self, rows: bool) -> None:
        """Weights of pixels as rows and columns instead of pictures; the same in all docks."""
        self.rows = rows
        self._retarget()

    def _retarget(self) -> None:
        found = self._find()
        if found != self.target:
            before = self.target
            fresh = (
                found is None or before is None or (found.value, found.look) != (before.value, before.look)
            )
            self.target = found
            if fresh:
                self.numbers.reset()
            self.numbers.show_extra(None)
        self._say_what()
        self.wishes_changed.emit()

    def _say_what(self) -> None:
        target = self.target
        if target is None:
            if self._configured is None:
                self.switch.hide()
            self.set_subtitle("")
            self.set_empty(self._why_empty())
            return
        shape = target.size_text.replace(" ", "")
        self.set_subtitle(tr("of {name} · {shape}").format(name=target.name, shape=shape))
        self.set_empty(None)

    def _why_empty(self) -> str:
        if self._configured is None:
            return tr("Numbers appear as soon as the network can run.")
        if self.name == "weights":
            return tr("This layer has no weights.")
        return tr("Nothing is computed here.")

    def set_sample(self, sample: int) -> None:
        """Which example of the batch the maps show, from 0."""
        if sample != self.sample:
            self.sample = sample
            self.wishes_changed.emit()

    # ---- watching ------------------------------------------------------------------------------------

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        target = self.target
        if target is None or not self.isVisible():
            return {}
        if target.look == "maps":
            at = self.sample if target.batched else self.channel
            return with_locks({self.name: Wish(Maps(target.value, at))}, self._configured)
        wishes: dict[str, Wish] = {self.name: Wish(self._part_seen(target))}
        if target.extra:
            wishes[f"{self.name}.extra"] = Wish(Matrix(target.extra, max_rows=LONGEST))
        return with_locks(wishes, self._configured)

    def _part_seen(self, target: Target) -> Matrix:
        """The part in sight with some room around it, in no more numbers than there are pixels."""
        view, value, sample = self.numbers.matrix, target.value, target.seen(self.sample)
        rows, columns = view.shape()
        ratio = view.devicePixelRatioF()
        most = tuple(min(LARGEST, max(SMALLEST, round(n * ratio))) for n in (view.height(), view.width()))
        if value != self._known or (rows <= most[0] and columns <= most[1]):
            return Matrix(value, sample)
        top, bottom, left, right = view.cells_seen()
        return Matrix(
            value, sample, most[0], most[1], targets.with_room(top, bottom, rows),
            targets.with_room(left, right, columns),
        )  # fmt: skip

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if key.endswith(LOCK):
            self.numbers.show_locks(data, ".extra." in key)
        elif isinstance(data, MapsData):
            self._size = data.size
            self.numbers.show_maps(data.tiles)
        elif isinstance(data, MatrixData) and key.endswith(".extra"):
            self.numbers.show_extra(data)
        elif isinstance(data, MatrixData):
            self._known = self.target.value if self.target is not None else ""
            self.numbers.show_part(data)

    # ---- places --------------------------------------------------------------------------------------

    def _click(self, place: tuple[int, ...], extra: bool) -> None:
        target = self.target
        if target is None:
            return
        if extra:
            self.opened.emit(target.extra, (place[0],))
            return
        cell: tuple[int, ...]
        if target.look == "maps":
            tile = self.numbers.mosaic.maps().shape[1:3]
            down, across = targets.stride_to(self._size, (tile[0], tile[1]))
            cell = (
                place[0],
                min(place[1] * down, self._size[0] - 1),
                min(place[2] * across, self._size[1] - 1),
            )
        else:
            cell = place
        self.opened.emit(target.value, targets.logical_cell(target, cell, self.sample, self.channel))

    def mark(self, rows: Mapping[str, object]) -> None:
        """Ring what the opened cell is made of; {} takes the rings away."""
        view = self.numbers.matrix
        wanted = {key: value for key, value in rows.items() if key in ("rows", "columns", "cells")}
        view.set_highlight(dim_rest=False, **wanted)  # type: ignore[arg-type]
        bias = rows.get("bias")
        self.numbers.extra.set_highlight(cells=bias if isinstance(bias, list) else ())
        trace = rows.get("trace")
        self.numbers.mosaic.set_trace(trace if isinstance(trace, tuple) else None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wishes_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.wishes_changed.emit()


class DockWindow(QWidget):
    """A dock in a window of its own; closing it puts the dock back."""

    closed = Signal()

    def __init__(self, panel: Panel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.panel = panel
        self.setWindowTitle(f"{panel.title()} – Matrizen")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(panel)
        self.resize(theme.px(640), theme.px(480))
        # otherwise the first button would have the focus, and with it Space
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()

    def move_near(self, place: QPoint) -> None:
        """Open where the dock was, a little higher, and wholly on the screen: bars stay free."""
        room = self.screen().availableGeometry()
        top = place.y() - self.height() // 2
        left = min(place.x(), room.right() - self.width() - theme.px(12))
        bottom = room.bottom() - self.height() - theme.px(40)
        self.move(max(left, room.left()), max(min(top, bottom), room.top()))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        super().closeEvent(event)


class DockRow(QFrame):
    """Panels side by side with a line between them, all of the same width.

    `visible_limit` is how many there is room for; those beyond it wait as tabs of the last one.
    """

    changed = Signal()
    window_opened = Signal(QWidget)

    def __init__(self, panels: Mapping[str, Panel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self._panels = dict(panels)
        self._shown = dict.fromkeys(self._panels, True)
        self._windows: dict[str, DockWindow] = {}
        self._limit = len(self._panels)
        self._instead: str | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(1)
        self._tabs: dict[str, QToolButton] = {}
        for name, panel in self._panels.items():
            self._row.addWidget(panel, 1)
            panel.detach_requested.connect(lambda name=name: self._detach_or_dock(name))
            tab = QToolButton()
            tab.setProperty("kind", "segment")
            tab.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            tab.clicked.connect(lambda _checked=False, name=name: self._swap(name))
            self._tabs[name] = tab
        self._place()

    def set_limit(self, limit: int) -> None:
        """How many panels there is room for."""
        if limit != self._limit:
            self._limit = limit
            self._place()

    def set_shown(self, name: str, shown: bool) -> None:
        """Show or hide a panel because the person says so."""
        if self._shown[name] != shown:
            self._shown[name] = shown
            if not shown and name in self._windows:
                self._windows[name].close()
            self._place()

    def is_shown(self, name: str) -> bool:
        """Whether the person wants to see it."""
        return self._shown[name]

    def bring_front(self, name: str) -> None:
        """Make sure a panel is on the screen."""
        self.set_shown(name, True)
        if self._panels[name].isHidden():
            self._swap(name)

    def any_shown(self) -> bool:
        """Whether at least one panel stands in the row."""
        return any(shown and name not in self._windows for name, shown in self._shown.items())

    def _swap(self, name: str) -> None:
        self._instead = name
        self._place()

    def _place(self) -> None:
        docked = [name for name, shown in self._shown.items() if shown and name not in self._windows]
        front = docked[: self._limit]
        waiting = docked[self._limit :]
        if waiting and self._instead in waiting and front:
            # the one asked for takes the last place, and the one that stood there waits
            waiting = [*[name for name in waiting if name != self._instead], front[-1]]
            front = [*front[:-1], str(self._instead)]
        for name, panel in self._panels.items():
            if name not in self._windows:
                panel.setVisible(name in front)
        for name, tab in self._tabs.items():
            tab.setParent(None)
            if name in waiting and front:
                tab.setText(self._panels[name].title())
                self._panels[front[-1]].add_header(tab)
                tab.show()
        if self.parent() is not None or not docked:
            self.setVisible(bool(docked))
        self.changed.emit()

    def _detach_or_dock(self, name: str) -> None:
        if name in self._windows:
            self._windows[name].close()
            return
        panel = self._panels[name]
        place = panel.mapToGlobal(QPoint(0, 0))
        window = DockWindow(panel, self.window())
        window.move_near(place)
        self._windows[name] = window
        self.window_opened.emit(window)
        panel.set_detached(True)
        panel.show()
        window.closed.connect(lambda: self._dock(name))
        window.show()
        self._place()

    def _dock(self, name: str) -> None:
        window = self._windows.pop(name, None)
        if window is None:
            return
        panel = self._panels[name]
        panel.set_detached(False)
        self._row.insertWidget(list(self._panels).index(name), panel, 1)
        window.deleteLater()
        self._place()

    def close_windows(self) -> None:
        """Bring every detached panel back."""
        for window in list(self._windows.values()):
            window.close()
