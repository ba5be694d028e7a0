"""The window: places panels, bars and docks, and gives way by width. What they do is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.session.protocol import Configured
from gui import project_files, theme
from gui.actions import Actions
from gui.canvas.view import CanvasView
from gui.document import DocumentState
from gui.feed import CanvasFeed
from gui.file_drops import FileDrops
from gui.i18n import tr_message
from gui.labs.frame import LabHost
from gui.live import Live
from gui.panels.block_page import BlockInspector
from gui.panels.boundary_panel import BoundaryPanel
from gui.panels.docks import DockRow, ValueDock
from gui.panels.drop_mark import DropMark
from gui.panels.explain_card import ExplainCard
from gui.panels.loading_bar import LoadingBar
from gui.panels.loss_dock import LossDock
from gui.panels.menu_row import MenuRow
from gui.panels.palette import Palette
from gui.panels.palette_items import Entry
from gui.panels.problems import ProblemsPanel
from gui.panels.samples_strip import SamplesStrip
from gui.panels.status_bar import StatusBar
from gui.panels.time_line import TimeLine
from gui.panels.toast import Level, Toasts
from gui.panels.training_bar import TrainingBar
from gui.workbench import Workbench

if TYPE_CHECKING:
    from gui.commands import Commands

WIDE, FOUR, NARROW = 1440, 1400, 980
"""Window widths: from here on the palette shows names; four docks fit; the inspector stays."""
DOCK_HEIGHTS = ((940, 290), (720, 222), (600, 168))
LOWEST_DOCKS = 140
"""Of the docks, by the height of the window; the drawing keeps the larger part of a low one."""
STRIP_HEIGHT = 620
"""In a lower window the samples are shown only when they are asked for."""
KEEPS_SPACE = (QAbstractButton, QComboBox, QAbstractItemView)


class MainWindow(QMainWindow):
    """One project in one window. Words are built once; `rebuild()` builds them again in another language."""

    def __init__(self, bench: Workbench, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.bench, self.actions_ = bench, actions
        self.commands: Commands | None = None
        self.may_close: Callable[[], bool] = lambda: True
        self.setAcceptDrops(True)
        self.drops = FileDrops(bench, self._mark_drop, self._take)
        self.setMinimumSize(QSize(720, 480))
        for spec in actions:
            self.addAction(actions[spec.id])
        self._selected: tuple[str, ...] = ()
        self._samples_asked = False
        self.away: set[str] = set()  # panels put away for a presentation, whatever the person wants otherwise
        self._aside = 0
        self._build()
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.timeout.connect(self._settle)
        bench.title_changed.connect(self._show_title)
        bench.programmed.connect(self._show_program)
        bench.told.connect(self._tell)
        bench.exchange.told_of_data.connect(self._tell_of_data)
        bench.document.changed.connect(self._forget_told)
        bench.tasks.shown.connect(self._show_waiting)
        bench.tasks.hidden.connect(self._hide_waiting)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._listen_to)
        bench.document.loaded.connect(self._fit_soon)
        self._fit_timer = QTimer(self)
        self._fit_timer.setSingleShot(True)
        self._fit_timer.setInterval(60)
        self._fit_timer.timeout.connect(self._fit)
        self._show_title()
        self.canvas.setFocus()

    # ---- placing ---------------------------------------------------------------------------------------

    def _build(self) -> None:
        bench, actions = self.bench, self.actions_
        document = bench.document
        self.menu_row = MenuRow(actions)
        self.setMenuWidget(self.menu_row)
        self.training_bar = TrainingBar(document, actions)
        self.strip = SamplesStrip()
        self.palette_panel = Palette()
        # its icons must not push the docks out of a low window: there they are scrolled
        self.palette_area = QScrollArea()
        self.palette_area.setWidget(self.palette_panel)
        self.palette_area.setWidgetResizable(True)
        self.palette_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for policy in (
            self.palette_area.setHorizontalScrollBarPolicy,
            self.palette_area.setVerticalScrollBarPolicy,
        ):
            policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.canvas = CanvasView(document)
        self.boundary = BoundaryPanel()
        self.inspector = BlockInspector(document)
        self.time_line = TimeLine()
        self.docks: dict[str, ValueDock] = {
            "weights": ValueDock("weights"), "activations": ValueDock("activations"),
            "gradients": ValueDock("gradients"),
        }  # fmt: skip
        self.loss_dock = LossDock()
        self.dock_row = DockRow({**self.docks, "loss": self.loss_dock})
        self.status_bar = StatusBar()
        stage = QWidget()
        stage_box = QVBoxLayout(stage)
        stage_box.setContentsMargins(0, 0, 0, 0)
        stage_box.addWidget(self.canvas)
        self.stage = stage
        self.across = QSplitter(Qt.Orientation.Horizontal)
        self.across.setChildrenCollapsible(False)
        self.across.setHandleWidth(1)
        for widget in (stage, self.boundary, self.inspector):
            self.across.addWidget(widget)
        self.across.setStretchFactor(0, 1)
        upper = QWidget()
        line = QHBoxLayout(upper)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(1)
        line.addWidget(self.palette_area)
        line.addWidget(self.across, 1)
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.time_line)
        column.addWidget(self.dock_row, 1)
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.setChildrenCollapsible(False)
        self.down.setHandleWidth(1)
        self.down.addWidget(upper)
        self.down.addWidget(lower)
        self.down.setStretchFactor(0, 1)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        working = QWidget()
        works = QVBoxLayout(working)
        works.setContentsMargins(0, 0, 0, 0)
        works.setSpacing(0)
        works.addWidget(self.strip)
        works.addWidget(self.down, 1)
        self.labs = LabHost(working)
        self.labs.opened.connect(self._lab_opened)
        rows.addWidget(self.training_bar)
        rows.addWidget(self.labs, 1)
        rows.addWidget(self.status_bar)
        self.setCentralWidget(whole)
        # a click does its work and Space goes on to play; with Tab every button is still reached
        for button in self.findChildren(QAbstractButton):
            if button.focusPolicy() == Qt.FocusPolicy.StrongFocus and not isinstance(button, Entry):
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.card = ExplainCard(stage)
        canvas = self.canvas
        self.card.clear_of = (canvas.zoom_bar, canvas.legend, canvas.minimap, canvas.step_card)
        self.problems = ProblemsPanel(document, stage)
        self.problems.closed.connect(self.problems.hide)
        self.problems.count_changed.connect(lambda *_: self._place_problems())
        self.problems.hide()
        self.drop_mark = DropMark(stage)
        self.loading = LoadingBar(stage)
        self.loading.canceled.connect(bench.tasks.cancel)
        self.toasts = Toasts(whole, self._toast_corner)
        self.toasts.follow(self.canvas)
        self.toasts.follow(self.card)
        shown, moving = self.canvas.isVisible, lambda: bench.running
        self.feed = CanvasFeed(self.canvas.canvas, document, shown, moving, self)
        self.live = Live(self)
        self.canvas.selection_changed.connect(self._select)
        self.canvas.node_opened.connect(self.open_layer)
        self.canvas.lab_wanted.connect(lambda uid: self.open_lab("matrix_lab", uid=uid))
        for dock in self.docks.values():
            dock.lab_wanted.connect(lambda uid, v: self.open_lab("matrix_lab", uid=uid, value=v))
        self.strip.dismissed.connect(lambda: self.show_samples(False))
        self.dock_row.changed.connect(self._dock_heights)
        self.dock_row.window_opened.connect(self._adopt)
        for name in ("weights", "activations", "gradients", "loss"):
            self.dock_row.set_shown(name, bench.state.flag(f"dock_{name}", True))
        self._wish_palette = bench.state.flag("palette", True)
        self._wish_inspector = bench.state.flag("inspector", True)
        self._heights: tuple[int, bool] | None = None
        self._below: tuple[int, int] | None = None
        """Height of what is split, as it was then, and of the lower part, until all has its place."""
        self._opened: str | None = None
        self._widths: tuple[int, bool, bool] | None = None
        self._fitted_size = QSize()

    def rebuild(self) -> None:
        """Build everything again with the words of the language in use, the same place in sight."""
        zoom, center = self.canvas.zoom, self.canvas.mapToScene(self.canvas.viewport().rect().center())
        selected, running_stage = self._selected, self.live.memory()
        lab, what = self.labs.memory()
        self.labs.leave()
        self.dock_row.close_windows()
        self.live.close()
        self.actions_.retranslate()
        old = self.centralWidget()
        self._build()
        if old is not None:
            old.deleteLater()
        # otherwise it is shown with the next event only, and nothing would be watched until then
        new = self.centralWidget()
        if new is not None and self.isVisible():
            self.menu_row.show()
            new.show()
            for layout in (self.layout(), new.layout()):
                if layout is not None:
                    layout.activate()  # heights are shared out below: they must be known
        if self.commands is not None:
            self.commands.connect_window()
        self._arrange()
        self.canvas.zoom_to(zoom)
        self.canvas.center_on(center)
        self.canvas.canvas.select(selected)
        self.live.restore(running_stage)
        self._show_program(self.bench.configured)
        self._show_title()
        if lab:
            self.labs.open(lab, **what)

    # ---- what others tell it ---------------------------------------------------------------------------

    def set_aside(self, width: int) -> None:
        """A panel of that width stands beside the working area (0: none): the rest gives way."""
        self._aside, self._widths = width, None
        self._settle_timer.start(0)

    def show_samples(self, shown: bool) -> None:
        """Show or send away the strip of samples."""
        self.bench.state.samples_dismissed = not shown
        self._samples_asked = shown
        self.strip.setVisible(shown)

    def show_panel(self, name: str, shown: bool) -> None:
        """Show or hide a dock, the palette or the inspector because the person says so."""
        self.away.discard(name)
        if name == "palette":
            self._wish_palette = shown
            self.bench.state.set_flag("palette", shown)
            self._arrange()
        elif name == "inspector":
            self._wish_inspector = shown
            self.bench.state.set_flag("inspector", shown)
            self._arrange()
        else:
            self.bench.state.set_flag(f"dock_{name}", shown)
            self.dock_row.set_shown(name, shown)

    def toggle_problems(self) -> None:
        """Open or close the list of problems over the lower left of the canvas."""
        shown = self.problems.isHidden()
        if shown:
            self._place_problems()
        self.problems.setVisible(shown)
        if shown:
            self.problems.raise_()
            self.problems.setFocus()

    def _place_problems(self) -> None:
        room = self.stage.rect().adjusted(12, 12, -12, -12)
        size = self.problems.sizeHint().boundedTo(room.size())
        self.problems.setGeometry(room.left(), room.bottom() - size.height() + 1, size.width(), size.height())

    def go_to(self, uid: str) -> None:
        """Select a layer and bring it into sight."""
        self.canvas.canvas.select([uid])
        self.canvas.show_node(uid)
        self.canvas.setFocus()

    def panel_shown(self, name: str) -> bool:
        """Whether the person wants a panel."""
        if name == "palette":
            return self._wish_palette
        if name == "inspector":
            return self._wish_inspector
        return self.dock_row.is_shown(name)

    def selection(self) -> tuple[str, ...]:
        """The uids of the selected layers."""
        return self.bench.document.blocks.expanded(self._selected)

    def submenu(self, name: str) -> QMenu | None:
        """A submenu of the menu bar."""
        return self.menu_row.submenus.get(name)

    def fill_recent(self, open_path: Callable[[Path], None]) -> None:
        """Put the recent projects into the File menu."""
        self.menu_row.add_recent(self.actions_["open_pictures"], self.bench.state.recent, open_path)

    # ---- giving way ------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """First the names of the palette go, then the fourth dock, then the inspector."""
        width = (self.width() - self._aside) / theme.scale()
        plane = self.boundary.applies
        narrow_palette = width < WIDE or (plane and width < 1900)
        self.palette_panel.set_compact(narrow_palette)
        self.palette_area.setFixedWidth(theme.px(52 if narrow_palette else 208))
        self.palette_area.setVisible(self._wish_palette and "palette" not in self.away)
        self.inspector.set_compact(width < WIDE)
        self.dock_row.set_limit(4 if width >= FOUR else 3 if width >= NARROW else 2)
        self.boundary.setVisible(plane)
        wanted = self._wish_inspector and "inspector" not in self.away
        self.inspector.setVisible(wanted and width >= NARROW)
        height = self.height() / theme.scale()
        self.strip.set_low(height < 860)
        room = height >= STRIP_HEIGHT or self._samples_asked
        room = room and "samples" not in self.away
        self.strip.setVisible(room and not self.bench.state.samples_dismissed)
        self._dock_heights()
        side = theme.px(296 if width >= WIDE else 264) if self.inspector.isVisibleTo(self) else 0
        stamp = (self.width() - self._aside, plane, bool(side))
        if stamp != self._widths:
            if self._widths is None or self._widths[1:] != stamp[1:]:
                self._fit_soon()
            self._widths = stamp
            whole = self.across.width() or self.width() - self.palette_area.width()
            square = 0
            if plane:
                square = min(self._upper_height() + theme.px(6), int(whole * 0.42))
                square = max(square, theme.px(240))
            self.across.setSizes([max(200, whole - side - square), square, side])
        self.card.settle()
        self.toasts.settle()

    def _fit_soon(self) -> None:
        """Another network or another room: show all of it, once everything has its place."""
        if hasattr(self, "_fit_timer"):
            self._fit_timer.start()

    def _fit(self) -> None:
        self.canvas.fit()

    def _tell(self, text: str, level: Level, action: str, handler: Callable[[], object] | None) -> None:
        self.toasts.show_message(text, level, action, handler)

    def _tell_of_data(
        self, text: str, level: Level, action: str, handler: Callable[[], object] | None
    ) -> None:
        toast = self.toasts.show_message(text, level, action, handler)
        toast.topic = "undo" if action else "data"

    def _forget_told(self, old: DocumentState, new: DocumentState) -> None:
        """An offered Undo is about the last step only, and remarks are about the data in use."""
        self.toasts.dismiss("undo")
        if old.source != new.source:
            self.toasts.dismiss("data")

    def _show_waiting(self, text: str, done: int, total: int) -> None:
        self.loading.show_progress(text, done, total)

    def _hide_waiting(self) -> None:
        self.loading.hide()

    def _upper_height(self) -> int:
        return max(200, self.down.sizes()[0] or int(self.height() * 0.45))

    def _dock_heights(self) -> None:
        """Docks give way with the height of the window."""
        height = self.height() / theme.scale()
        docks = next((docks for least, docks in DOCK_HEIGHTS if height >= least), LOWEST_DOCKS)
        stamp = (docks, self.dock_row.any_shown())
        if stamp == self._heights or not self.isVisible():
            return
        self._heights, self._opened = stamp, None
        lower = theme.px(46) + 1 + (theme.px(docks) if stamp[1] else 0)
        self._split(lower)
        self._widths = None
        self._settle_timer.start(0)

    def _split(self, lower: int) -> None:
        self._below = (self.down.height(), lower)
        self.down.setSizes([max(100, self.down.height() - lower), lower])

    def _settle(self) -> None:
        """The window has laid itself out: what came or went above the drawing has changed its room."""
        before, self._below = self._below, None
        if before is not None and before[0] != self.down.height():
            self._split(before[1])
        self._arrange()

    def _toast_corner(self) -> QPoint:
        """Above the time line, right of the palette, clear of zoom buttons, legend and an opened cell."""
        whole = self.centralWidget()
        if whole is None:
            return QPoint()
        if self.labs.name:
            return self.labs.mapTo(whole, QPoint(theme.px(264), self.labs.height() - theme.px(8)))
        above = self.canvas.zoom_bar.y() - theme.px(8)
        if self.card.isVisible() and self.card.y() > theme.px(64):
            above = min(above, self.card.y() - theme.px(8))
        return self.canvas.viewport().mapTo(whole, QPoint(theme.px(12), above))

    def open_layer(self, uid: str) -> None:
        """Give the matrices of a layer most of the window; the same layer again gives the room back."""
        if self._opened == uid:
            self._heights = None
            self._dock_heights()
            return
        self.canvas.canvas.select([uid])
        if not self.dock_row.any_shown():
            for name in self.docks:
                self.show_panel(name, True)
                self.actions_.check(f"dock_{name}", True)
        height = self.down.height()
        self.down.setSizes([height * 3 // 10, height - height * 3 // 10])
        self._opened = uid
        self._widths = None
        self._settle_timer.start(0)
        self._fit_soon()

    def open_lab(self, name: str, **what: object) -> None:
        """Bring a lab over the working area; `what` says what it is about. Raises KeyError."""
        self.labs.open(name, **what)

    def _lab_opened(self, name: str) -> None:
        """What a lab covers is not watched; what comes into sight is asked for."""
        self.live.sync()
        self._show_title()
        self.toasts.settle()
        if not name:
            self.canvas.setFocus()

    # ---- what it shows ---------------------------------------------------------------------------------

    def _show_title(self) -> None:
        bench = self.bench
        lab = self.labs.title()
        self.menu_row.set_title(f"{bench.title} · {lab}" if lab else bench.title, bench.modified)
        self.setWindowModified(bench.modified)
        self.setWindowTitle(f"{bench.title}[*] – Matrizen")
        if bench.path is not None:
            self.setWindowFilePath(str(bench.path))
            self.setWindowTitle(f"{bench.title}[*] – Matrizen")
        self.strip.mark(bench.path if project_files.is_sample(bench.path) else None)

    def _select(self, uids: tuple[str, ...]) -> None:
        self._selected = uids
        self.inspector.show_nodes(uids)
        self.live.show_selection()

    def _show_program(self, configured: Configured | None) -> None:
        self.boundary.set_program(configured)
        self.feed.set_program(configured)
        self._arrange()
        self.live.show_program(configured)

    # ---- keys, closing -----------------------------------------------------------------------------------

    def _listen_to(self, old: QWidget | None, new: QWidget | None) -> None:
        """Only the focused one is filtered: a filter on everything costs a call in Python for every event."""
        if isinstance(old, KEEPS_SPACE):
            old.removeEventFilter(self)
        if isinstance(new, KEEPS_SPACE):
            new.installEventFilter(self)
        if new is None and self.isActiveWindow():
            self.canvas.setFocus()  # a field that is done gives the keys back

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Space belongs to a focused button or list, although the window plays with it."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.setAccepted(event.isAccepted() or event.key() == Qt.Key.Key_Space)
        return False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere on the window; only layers are the canvas's own affair."""
        self.drops.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.drops.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drops.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drops.drop(event)

    def _mark_drop(self, text: str, what: Message | None, refused: bool) -> None:
        if text:
            self.drop_mark.show_over(text, tr_message(what) if what is not None else "", refused=refused)
        else:
            self.drop_mark.hide()

    def _adopt(self, window: QWidget) -> None:
        """A detached dock takes files and keys as if it still stood here."""
        self.drops.watch(window)
        window.addActions(self.actions())

    def _take(self, paths: list[str]) -> None:
        self.activateWindow()  # what happens now is about this window
        if self.commands is not None:
            self.commands.take(paths)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and hasattr(self, "live"):
            self.live.sync()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close():
            event.ignore()
            return
        state = self.bench.state
        state.set_bytes("geometry", self.saveGeometry())
        state.flush()
        self.labs.leave()
        self.dock_row.close_windows()
        event.accept()

    def panels(self) -> Mapping[str, QWidget]:
        """Every part by name, for tests and pictures."""
        return {
            "menu": self.menu_row, "training": self.training_bar, "samples": self.strip,
            "palette": self.palette_panel, "canvas": self.canvas, "boundary": self.boundary,
            "inspector": self.inspector, "time": self.time_line, "docks": self.dock_row,
            "status": self.status_bar,
        }  # fmt: skip
