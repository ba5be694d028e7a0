"""What the actions do: each connected once to the workbench or to the window that is in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from engine.data.drop import recognize
from engine.errors import MatrizenError, Message
from gui import i18n, project_files, theme
from gui.actions import Actions
from gui.canvas.view import CanvasView
from gui.device_choice import DeviceChoice
from gui.dialogs.about import AboutDialog
from gui.dialogs.ask_save import ask_save
from gui.dialogs.command_palette import CommandPalette
from gui.dialogs.layer_help import LayerHelp
from gui.dialogs.run_record import RunRecord
from gui.dialogs.shortcut_sheet import ShortcutSheet
from gui.i18n import tr, tr_message
from gui.labs import affine_lab, augment_lab, device_lab, matrix_lab
from gui.labs.device_results import Kept
from gui.labs.opening import NumberLabs
from gui.labs.stroke import lock_whole
from gui.lessons.course import Course
from gui.live import long_device
from gui.main_window import MainWindow
from gui.own_blocks import OwnBlocks
from gui.panels.data_panel import DataDialog
from gui.pictures import Pictures
from gui.runs import Runs
from gui.workbench import Workbench

PUT_AWAY = ("palette", "inspector", "samples")
"""What gives its room to the network and its numbers in a presentation."""
LABS = ("matrix_lab", "affine_lab", "augment_lab", "device_lab")
PICTURE_FILES = "*.png *.jpg *.jpeg *.bmp *.gif *.webp *.tif *.tiff"


class Commands(QObject):
    """Handlers of all actions for one window."""

    def __init__(self, window: MainWindow, bench: Workbench, actions: Actions) -> None:
        super().__init__(window)
        self.window, self.bench, self.actions = window, bench, actions
        self.pictures = Pictures(window, bench)
        self.devices = DeviceChoice(bench, self)
        self.runs = Runs(window, bench)
        self.devices.changed.connect(window.training_bar.refresh_devices)
        window.commands = self
        window.may_close = self.confirm
        self.course = Course(self)
        self.labs = NumberLabs(window, bench, actions)
        self.measured = Kept()
        self.blocks = OwnBlocks(window, bench)
        self._connect()
        self.connect_window()
        bench.pace_proposed.connect(self._propose_pace)

    # ---- wiring ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        on = self.actions.on
        on("new", self.new)
        on("open", self.open)
        on("open_pictures", self.open_pictures)
        on("open_folder", self.open_folder)
        on("samples", lambda: self.window.show_samples(True))
        on("save", self.save)
        on("save_as", self.save_as)
        on("export", self.export)
        # the canvas is another one after a change of language: it is looked up when it is needed
        for name, act in (
            ("cut", CanvasView.cut_selection), ("copy", CanvasView.copy_selection),
            ("paste", CanvasView.paste),
            ("duplicate", CanvasView.duplicate_selection), ("delete", CanvasView.delete_selection),
            ("rename", CanvasView.rename_selected), ("select_all", CanvasView.select_all),
            ("fit", CanvasView.fit), ("tidy", CanvasView.tidy), ("fold", CanvasView.fold_selection),
            ("toggle_block", CanvasView.toggle_blocks), ("dissolve", CanvasView.dissolve_selection),
        ):  # fmt: skip
            on(name, partial(self._on_canvas, act))
        on("keep_block", self.blocks.keep_selected)
        on("quit", self.window.close)
        on("undo", self.bench.document.undo)
        on("redo", self.bench.document.redo)
        on("zoom_in", lambda: self.window.canvas.zoom_by(1.25))
        on("zoom_out", lambda: self.window.canvas.zoom_by(0.8))
        on("zoom_actual", lambda: self.window.canvas.zoom_to(1.0))
        on("fullscreen", self.toggle_fullscreen)
        on("presentation", self.toggle_presentation)
        on("add_layer", self.add_layer)
        on("data", self.show_data)
        on("problems", self.show_problems)
        on("play", self.bench.toggle_play)
        on("step_back", self.runs.back)
        on("newest", self.runs.newest)
        on("best_step", self.runs.best)
        on("branch", self.runs.branch)
        on("runs", self.show_runs)
        for kind in ("op", "time", "phase", "sample", "batch", "epoch"):
            on(f"step_{kind}", partial(self.bench.step, kind))
        on("reset", self.bench.reset)
        on("new_start", self.bench.new_start)
        for name in ("slow", "visible", "full"):
            on(f"pace_{name}", partial(self.set_pace, name))
        on("devices", self.open_devices)
        on("search", self.search)
        on("shortcuts", lambda: ShortcutSheet(self.actions, self.window).exec())
        on("glossary", self.course.open_glossary)
        on("about", lambda: AboutDialog(long_device(self.bench.status), self.window).exec())
        for name in LABS:
            on(name, partial(self._open_lab, name))
        for name in ("dark", "light", "system"):
            on(f"theme_{name}", partial(self.set_theme, name))
        for code in i18n.LANGUAGES:
            on(f"language_{code}", partial(self.set_language, code))
        for name in ("weights", "activations", "gradients", "loss"):
            on(f"dock_{name}", partial(self._toggle, f"dock_{name}", name))
        on("palette", lambda: self._toggle("palette", "palette"))
        on("inspector", lambda: self._toggle("inspector", "inspector"))
        self.actions.check(f"theme_{self.bench.state.theme}")
        self.actions.check(f"language_{i18n.language()}")
        document = self.bench.document
        document.undo_stack.canUndoChanged.connect(lambda can: self.actions.set_conditions({"can_undo": can}))
        document.undo_stack.canRedoChanged.connect(lambda can: self.actions.set_conditions({"can_redo": can}))
        document.undo_stack.undoTextChanged.connect(lambda _text: self._name_undo())
        document.undo_stack.redoTextChanged.connect(lambda _text: self._name_undo())

    def connect_window(self) -> None:
        """The widgets of the window, after they were built (again)."""
        window = self.window
        self.course.install()
        self.blocks.install()
        window.menu_row.search_clicked.connect(self.search)
        window.training_bar.refused.connect(lambda text: window.toasts.show_message(text, "warning"))
        window.training_bar.device_menu = self.devices.fill
        window.strip.chosen.connect(self.open_path)
        window.status_bar.problems_clicked.connect(self.show_problems)
        window.status_bar.device_clicked.connect(self.open_devices)
        window.canvas.refused.connect(self._refused)
        window.canvas.selection_changed.connect(self._selected)
        window.canvas.space_tapped.connect(self.actions["play"].trigger)
        window.palette_panel.layer_chosen.connect(window.canvas.add_behind_selection)
        window.inspector.refused.connect(self._refused)
        window.inspector.help_requested.connect(self.show_help)
        window.inspector.locks.unlock_wanted.connect(self._unlock)
        window.canvas.help_requested.connect(self.show_help)
        window.problems.refused.connect(self._refused)
        window.problems.node_chosen.connect(window.go_to)
        window.fill_recent(self.open_path)
        for lab in (matrix_lab, affine_lab, augment_lab):
            lab.register(window, self.bench, self.actions)
        device_lab.register(window, self.bench, self.measured)
        self.labs.register()
        self.actions.set_conditions({f"lab_{name}": name in window.labs.names() for name in LABS})
        window.time_line.wanted.connect(self.runs.go_to)
        window.time_line.menu_wanted.connect(self._past_menu)
        window.time_line.set_actions([self.actions["branch"], self.actions["runs"]])
        self.bench.watcher.add(self.runs)
        self.runs.show()
        for name in ("weights", "activations", "gradients", "loss"):
            self.actions.check(f"dock_{name}", window.panel_shown(name))
        for name in ("palette", "inspector"):
            self.actions.check(name, window.panel_shown(name) and name not in window.away)
        self._selected(window.canvas.selection)
        self._name_undo()

    def _open_lab(self, name: str) -> None:
        self.window.open_lab(name)

    def _on_canvas(self, act: Callable[[CanvasView], object]) -> None:
        act(self.window.canvas)

    def open_devices(self) -> None:
        """The menu of devices under its button."""
        self.window.training_bar.open_devices()

    def _name_undo(self) -> None:
        stack = self.bench.document.undo_stack
        for name, text in (("undo", stack.undoText()), ("redo", stack.redoText())):
            plain = self.actions.spec(name).text
            self.actions[name].setText(f"{plain}: {text}" if text else plain)

    def _selected(self, uids: tuple[str, ...]) -> None:
        links = bool(self.window.canvas.canvas.selected_links)
        blocks = self.bench.document.blocks
        self.actions.set_conditions(
            {
                "selection": bool(uids),
                "one_selected": len(uids) == 1,
                "selection_or_links": bool(uids) or links,
                "block_selected": any(u in blocks for u in uids),
                "block_near": any(u in blocks or u in blocks.parents for u in uids),
            }
        )

    def _toggle(self, action: str, panel: str) -> None:
        self.window.show_panel(panel, self.actions[action].isChecked())

    def _unlock(self, keys: Sequence[str]) -> None:
        def told(error: Message | None) -> None:
            if error is not None:
                self.window.toasts.show_message(tr_message(error), "warning")

        lock_whole(self.bench.document.undo_stack, self.bench.runner, keys, False, told)

    def _refused(self, error: MatrizenError) -> None:
        self.window.toasts.show_message(tr_message(error), "warning")

    # ---- files -----------------------------------------------------------------------------------------

    def confirm(self) -> bool:
        """Ask about changes that are not in the file; False: stay here."""
        if not self.bench.modified or not self._worth_asking():
            return True
        answer = ask_save(self.window, self.bench.title)
        if answer == "save":
            return self._save_and_wait()
        return answer == "discard"

    def _worth_asking(self) -> bool:
        """A sample that was only played is not work that could be lost."""
        return self.bench.document.modified or not project_files.is_sample(self.bench.path)

    def _save_and_wait(self) -> bool:
        path = self._target()
        if path is None:
            return False
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        saved: list[bool] = []

        def done() -> None:
            saved.append(True)
            loop.quit()

        self.bench.save(path, done)
        if not saved:
            QTimer.singleShot(15_000, loop.quit)
            loop.exec()
        return bool(saved)

    def new(self) -> None:
        """An empty canvas, after asking about changes."""
        if self.confirm():
            self.bench.new()

    def open(self) -> None:
        """Choose a project and open it."""
        name, _ = QFileDialog.getOpenFileName(
            self.window,
            tr("Open project"),
            self.bench.state.folder,
            tr("Matrizen projects") + " (*.matrizen)",
        )
        if name:
            self.open_path(Path(name))

    def open_path(self, path: Path) -> None:
        """Open a project, after asking about changes."""
        if self.confirm():
            if not project_files.is_sample(path):
                self.bench.state.folder = str(path.parent)
            self.bench.open(path)

    def _target(self) -> Path | None:
        """Where to save: the file opened, or one that is chosen now."""
        path = self.bench.path
        if path is not None and not project_files.is_sample(path):
            return path
        return self._choose_target()

    def _choose_target(self) -> Path | None:
        start = str(Path(self.bench.state.folder) / f"{self.bench.title}{project_files.SUFFIX}")
        name, _ = QFileDialog.getSaveFileName(
            self.window, tr("Save project"), start, tr("Matrizen projects") + " (*.matrizen)"
        )
        if not name:
            return None
        path = project_files.with_suffix(name)
        self.bench.state.folder = str(path.parent)
        return path

    def save(self) -> None:
        """Save to the project's file."""
        path = self._target()
        if path is not None:
            self.bench.save(path)

    def save_as(self) -> None:
        """Save to another file."""
        path = self._choose_target()
        if path is not None:
            self.bench.save(path)

    def export(self) -> None:
        """Export the weights as .npz, or a script that goes on with them in another framework."""
        from engine.export.scripts import FRAMEWORKS  # the window comes without it

        start = str(Path(self.bench.state.folder) / f"{self.bench.title}.npz")
        kinds = {tr("NumPy arrays") + " (*.npz)": ""}
        for word, framework in FRAMEWORKS.items():
            kinds[tr("Script for {framework}").format(framework=framework.name) + " (*.py)"] = word
        name, kind = QFileDialog.getSaveFileName(self.window, tr("Export weights"), start, ";;".join(kinds))
        if name:
            path, word = Path(name), kinds.get(kind, "")
            suffix = ".py" if word else ".npz"
            if path.suffix.lower() != suffix:
                path = path.with_suffix(suffix) if path.suffix.lower() == ".npz" else Path(name + suffix)
            self.bench.state.folder = str(path.parent)
            self.bench.exchange.export_weights(path, word)

    def open_pictures(self) -> None:
        """Choose pictures or data files."""
        readable, every = tr("Pictures, sounds and data"), tr("All files")
        kinds = f"{readable} ({PICTURE_FILES} *.wav *.npz *.gz *ubyte);;{every} (*)"
        names, _ = QFileDialog.getOpenFileNames(
            self.window, tr("Open pictures or data"), self.bench.state.folder, kinds
        )
        if names:
            self.bench.state.folder = str(Path(names[0]).parent)
            self.take(names)

    def open_folder(self) -> None:
        """Choose a folder of class folders."""
        name = QFileDialog.getExistingDirectory(
            self.window, tr("Open a folder of pictures or sounds"), self.bench.state.folder
        )
        if name:
            self.bench.state.folder = str(Path(name).parent)
            self.take([name])

    def take(self, paths: list[str]) -> None:
        """Do with files what their content says: open, load as training set, classify."""
        self.bench.tasks.run(
            "recognize",
            tr("Looking at {n} files").format(n=len(paths)),
            lambda _progress, _canceled: recognize([Path(path) for path in paths]),
            self.pictures.take,
            self.bench.cannot,
        )

    # ---- view ------------------------------------------------------------------------------------------

    def set_theme(self, name: str) -> None:
        """Switch colors at once and remember."""
        self.bench.state.theme = name
        theme.set_theme(name)
        self.actions.check(f"theme_{name}")

    def set_language(self, code: str) -> None:
        """Switch words at once and remember."""
        if code == i18n.language():
            return
        self.bench.state.language = code
        i18n.install(code)
        self.window.rebuild()
        self.actions.check(f"language_{code}")

    def toggle_fullscreen(self) -> None:
        """Full screen and back."""
        full = self.actions["fullscreen"].isChecked()
        self.window.setWindowState(
            self.window.windowState() | Qt.WindowState.WindowFullScreen
            if full
            else self.window.windowState() & ~Qt.WindowState.WindowFullScreen
        )

    def toggle_presentation(self) -> None:
        """For a projector: larger, more contrast, the whole screen, panels away; and back."""
        on = self.actions["presentation"].isChecked()
        theme.set_theme(self.bench.state.theme, presentation=on)
        self.window.away = set(PUT_AWAY) if on else set()
        self.window.rebuild()
        if self.actions["fullscreen"].isChecked() != on:
            self.actions["fullscreen"].setChecked(on)
            self.toggle_fullscreen()

    def add_layer(self) -> None:
        """The search for layers at the pointer."""
        self.window.canvas.setFocus()
        self.window.canvas.open_search()

    def search(self) -> None:
        """The command palette."""
        CommandPalette(self.actions, self.window).popup()

    def show_help(self, kind: str) -> None:
        """What a kind of layer does, with its formula."""
        LayerHelp(kind, self.window).show()

    def show_problems(self) -> None:
        """The list of problems above the status bar."""
        self.window.toggle_problems()

    def show_data(self) -> None:
        """Source, size, split of the training data."""
        DataDialog(self.bench, self.window).show()

    def show_runs(self) -> None:
        """The lines of the run, its record, and the room of its history."""
        open_one = next((d for d in self.window.findChildren(RunRecord) if d.isVisible()), None)
        dialog = open_one or RunRecord(self.runs, self.bench, self.window)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _past_menu(self, at: QPoint) -> None:
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in ("step_back", "newest", "branch", "runs"):
            menu.addAction(self.actions[name])
        menu.popup(at)

    # ---- training --------------------------------------------------------------------------------------

    def set_pace(self, name: str) -> None:
        """Remember and tell the engine."""
        self.bench.set_pace(name)
        self.actions.check(f"pace_{name}")

    def _propose_pace(self, name: str) -> None:
        """Points bend before the eyes, everything else runs as fast as it can; nobody has to choose."""
        self.actions.check(f"pace_{name}")
        self.bench.set_auto_pace()


def application() -> QApplication:
    """The running application. Raises RuntimeError when there is none."""
    found = QGuiApplication.instance()
    if not isinstance(found, QApplication):
        raise RuntimeError("no application")
    return found
