"""The one registry of actions: menus, training bar, shortcuts, command palette and shortcut sheet read it.

`catalog()` declares them in the language of the moment; `Actions` makes QActions of them. An action is
on while all the conditions it names hold (`set_conditions`), so nobody enables or disables by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from gui import icons
from gui.i18n import LANGUAGES, tr

MENUS = ("file", "edit", "view", "network", "training", "labs", "help")
SEPARATOR = "-"
REPEATING = ("undo", "redo", "zoom_in", "zoom_out", "step_op", "step_time", "step_phase", "step_sample",
             "step_batch", "step_back")


@dataclass(frozen=True)
class ActionSpec:
    """One thing a person can do.

    menu        the menu it stands in, "" for none; `submenu` groups choices (theme, language, ...)
    needs       conditions that must all hold, see `Conditions` in gui/main_window.py
    group       checkable actions of one group exclude each other
    words       further words the command palette finds it by
    """

    id: str
    text: str
    shortcut: str = ""
    icon: str = ""
    menu: str = ""
    submenu: str = ""
    needs: tuple[str, ...] = ()
    checkable: bool = False
    group: str = ""
    more_shortcuts: tuple[str, ...] = ()
    words: str = ""
    gap: bool = False
    """Whether a line stands above it in its menu."""


def menu_titles() -> dict[str, str]:
    """Menu id -> its title, in the order of the menu bar."""
    titles = (
        tr("File"), tr("Edit"), tr("View"), tr("Network"), tr("Training"), tr("Labs"), tr("Help"),
    )  # fmt: skip
    return dict(zip(MENUS, titles, strict=True))


def submenu_titles() -> dict[str, str]:
    """Submenu id -> its title."""
    return {
        "recent": tr("Open recent"), "samples": tr("Samples"), "theme": tr("Theme"),
        "language": tr("Language"), "docks": tr("Panels"), "pace": tr("Pace"), "device": tr("Device"),
    }  # fmt: skip


def catalog() -> tuple[ActionSpec, ...]:
    """Every action there is, in menu order, in the language of the moment."""
    return (*_file(), *_edit(), *_view(), *_network(), *_training(), *_labs(), *_help())


def _file() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("new", tr("New"), "Ctrl+N", "new", "file"),
        ActionSpec("open", tr("Open …"), "Ctrl+O", "open", "file", words=tr("project load")),
        ActionSpec("open_pictures", tr("Open pictures or data …"), "Ctrl+Shift+O", "picture", "file",
                   words=tr("folder npz idx mnist training set sound audio wav")),
        ActionSpec("open_folder", tr("Open a folder of pictures …"), "", "folder", "file",
                   words=tr("class training set sound audio wav")),
        ActionSpec("samples", tr("Show samples"), "", "grid", "file", gap=True),
        ActionSpec("save", tr("Save"), "Ctrl+S", "save", "file", gap=True),
        ActionSpec("save_as", tr("Save as …"), "Ctrl+Shift+S", "", "file"),
        ActionSpec("save_lesson_state", tr("Save as lesson state …"), "", "", "file", needs=("nodes",),
                   words=tr("teacher notes panels")),
        ActionSpec("export", tr("Export weights …"), "Ctrl+E", "export", "file", needs=("built",),
                   words="npz PyTorch TensorFlow Keras JAX Python state_dict"),
        ActionSpec("quit", tr("Quit"), "Ctrl+Q", "", "file", gap=True),
    )  # fmt: skip


def _edit() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("undo", tr("Undo"), "Ctrl+Z", "undo", "edit", needs=("can_undo",)),
        ActionSpec(
            "redo",
            tr("Redo"),
            "Ctrl+Shift+Z",
            "redo",
            "edit",
            needs=("can_redo",),
            more_shortcuts=("Ctrl+Y",),
        ),
        ActionSpec("cut", tr("Cut"), "Ctrl+X", "", "edit", needs=("selection",), gap=True),
        ActionSpec("copy", tr("Copy"), "Ctrl+C", "", "edit", needs=("selection",)),
        ActionSpec("paste", tr("Paste"), "Ctrl+V", "", "edit"),
        ActionSpec("duplicate", tr("Duplicate"), "Ctrl+D", "duplicate", "edit", needs=("selection",)),
        ActionSpec("delete", tr("Delete"), "Del", "delete", "edit", needs=("selection_or_links",)),
        ActionSpec("rename", tr("Rename"), "F2", "rename", "edit", needs=("one_selected",)),
        ActionSpec("fold", tr("Fold into block"), "Ctrl+G", "block", "edit", needs=("selection",), gap=True,
                   words=tr("group module")),
        ActionSpec("toggle_block", tr("Unfold or fold"), "Ctrl+U", "", "edit", needs=("block_near",)),
        ActionSpec("dissolve", tr("Dissolve block"), "Ctrl+Shift+G", "", "edit", needs=("block_selected",),
                   words=tr("ungroup")),
        ActionSpec("keep_block", tr("Keep in my blocks"), "", "save", "edit", needs=("block_selected",),
                   words=tr("library reuse")),
        ActionSpec("select_all", tr("Select all"), "Ctrl+A", "", "edit", needs=("nodes",), gap=True),
    )


def _view() -> tuple[ActionSpec, ...]:
    languages = tuple(
        ActionSpec(f"language_{code}", name, "", "", "view", "language", checkable=True, group="language")
        for code, name in LANGUAGES.items()
    )
    return (
        ActionSpec("zoom_in", tr("Zoom in"), "Ctrl++", "zoom-in", "view", needs=("nodes",),
                   more_shortcuts=("Ctrl+=",)),
        ActionSpec("zoom_out", tr("Zoom out"), "Ctrl+-", "zoom-out", "view", needs=("nodes",)),
        ActionSpec("zoom_actual", tr("Actual size"), "Ctrl+0", "", "view", needs=("nodes",)),
        ActionSpec("fit", tr("Fit network"), "Ctrl+1", "fit", "view", needs=("nodes",)),
        ActionSpec("theme_dark", tr("Dark"),
                   "", "moon", "view", "theme", checkable=True, group="theme", gap=True,
                   words=tr("theme colors")),
        ActionSpec("theme_light", tr("Light"), "", "sun", "view", "theme", checkable=True, group="theme",
                   words=tr("theme colors")),
        ActionSpec("theme_system", tr("As the system"),
                   "", "", "view", "theme", checkable=True, group="theme",
                   words=tr("theme colors")),
        *languages,
        ActionSpec("presentation", tr("Presentation"), "F11", "", "view", checkable=True,
                   words=tr("projector larger 150 % high contrast full screen")),
        ActionSpec("dock_weights", tr("Weights"),
                   "Ctrl+Alt+1", "matrix", "view", "docks", checkable=True, gap=True),
        ActionSpec("dock_activations", tr("Activations"),
                   "Ctrl+Alt+2", "grid", "view", "docks", checkable=True),
        ActionSpec("dock_gradients", tr("Gradients"),
                   "Ctrl+Alt+3", "matrix", "view", "docks", checkable=True),
        ActionSpec("dock_loss", tr("Loss"), "Ctrl+Alt+4", "curve", "view", "docks", checkable=True),
        ActionSpec("palette", tr("Layer palette"), "", "", "view", "docks", checkable=True, gap=True),
        ActionSpec("inspector", tr("Inspector"), "", "", "view", "docks", checkable=True),
        ActionSpec("fullscreen", tr("Full screen"), "Shift+F11", "fullscreen", "view", checkable=True,
                   gap=True),
    )  # fmt: skip


def _network() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("add_layer", tr("Add a layer …"), "Shift+A", "add", "network", words=tr("search insert")),
        ActionSpec("tidy", tr("Tidy layout"), "Ctrl+L", "tidy", "network", needs=("nodes",)),
        ActionSpec(
            "data",
            tr("Training data …"),
            "",
            "data",
            "network",
            gap=True,
            words=tr("pictures resize split noise"),
        ),
        ActionSpec("problems", tr("Show problems"), "", "problem", "network"),
        ActionSpec("gradient_check", tr("Check gradients …"), "", "check", "network", needs=("built",),
                   gap=True, words=tr("numerical differences backpropagation lab")),
        ActionSpec("optimizer_xray", tr("X-ray of the optimizer …"), "", "curve", "network", needs=("built",),
                   words=tr("moments Adam momentum compare lab")),
        ActionSpec("evaluation", tr("Evaluation …"), "", "confusion", "network", needs=("built",),
                   words=tr("confusion matrix precision recall F1 accuracy test lab")),
        ActionSpec("numpy_proof", tr("Code of this step …"), "", "file", "network", needs=("built",),
                   words=tr("NumPy script proof Python")),
        ActionSpec("write_text", tr("Continue a text …"), "", "self_attention", "network", needs=("built",),
                   words=tr("write generate letters temperature")),
    )


def _training() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("play", tr("Play"), "Space", "play", "training",
                   words=tr("pause start stop train")),
        ActionSpec("step_op", tr("One operation"),
                   "F6", "step-op", "training", needs=("ready", "paused"), gap=True),
        ActionSpec("step_time", tr("One time step"), "Shift+F6", "step-op", "training",
                   needs=("ready", "paused"), words=tr("recurrent LSTM position layer step")),
        ActionSpec("step_phase", tr("One phase"), "F5", "step-phase", "training", needs=("ready", "paused"),
                   words=tr("forward loss backward update step")),
        ActionSpec("step_sample", tr("One example"), "F4", "step-sample", "training",
                   needs=("ready", "paused"), words=tr("sample step")),
        ActionSpec("step_batch", tr("One batch"), "F7", "step-batch", "training", needs=("ready", "paused"),
                   words=tr("step")),
        ActionSpec("step_epoch", tr("One epoch"), "F8", "step-epoch", "training", needs=("ready", "paused")),
        ActionSpec("step_back", tr("One batch back"), "Shift+F7", "undo", "training",
                   needs=("past", "paused"), gap=True, words=tr("rewind history step")),
        ActionSpec("newest", tr("Newest step"), "Ctrl+End", "", "training", needs=("rewound",),
                   words=tr("rewind history end")),
        ActionSpec("best_step", tr("Best step"), "", "", "training", needs=("best",),
                   words=tr("lowest loss early stopping rewind history")),
        ActionSpec("branch", tr("Branch from here"), "Ctrl+B", "branch", "training", needs=("past",),
                   words=tr("rewind history fork second run")),
        ActionSpec("runs", tr("Runs and record …"), "Ctrl+H", "curve", "training", needs=("built",),
                   words=tr("history branches log changes seed compare")),
        ActionSpec("reset", tr("Reset"), "Ctrl+R", "reset", "training", needs=("built",),
                   words=tr("same start again seed")),
        ActionSpec("new_start", tr("New start"), "Ctrl+Shift+R", "reset", "training", needs=("built",),
                   words=tr("start again other seed numbers")),
        ActionSpec("pace_slow", tr("Slow"),
                   "", "", "training", "pace", checkable=True, group="pace", gap=True),
        ActionSpec("pace_visible", tr("One epoch a frame"),
                   "", "", "training", "pace", checkable=True, group="pace"),
        ActionSpec("pace_full", tr("Full speed"),
                   "Ctrl+F", "", "training", "pace", checkable=True, group="pace"),
        ActionSpec("devices", tr("Choose a device …"), "", "device", "training", gap=True,
                   words="OpenCL NumPy GPU CPU"),
    )  # fmt: skip


def _labs() -> tuple[ActionSpec, ...]:
    # each is on once a lab of its name is registered, see gui/labs/frame.py
    return (
        ActionSpec("matrix_lab", tr("Matrix lab"), "Ctrl+M", "matrix", "labs", needs=("lab_matrix_lab",),
                   words=tr("equation product gradient weights numbers")),
        ActionSpec("affine_lab", tr("Affine lab"), "", "affine", "labs", needs=("lab_affine_lab",),
                   words=tr("rotate scale shift matrix picture")),
        ActionSpec("augment_lab", tr("Augmentation lab"), "", "augment", "labs", needs=("lab_augment_lab",),
                   words=tr("with without compare training turned shifted pictures accuracy")),
        ActionSpec("device_lab", tr("Device lab"), "", "device", "labs", needs=("lab_device_lab",),
                   words=tr("speed GFLOP/s serial parallel")),
    )  # fmt: skip


def _help() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("lessons", tr("Lessons"), "Ctrl+Shift+L", "explain", "help", checkable=True,
                   words=tr("learn course tutorial teacher")),
        ActionSpec("glossary", tr("Glossary and notation"), "", "", "help",
                   words=tr("terms words dictionary")),
        ActionSpec("search", tr("Search actions"), "Ctrl+Shift+P", "search", "help"),
        ActionSpec("shortcuts", tr("Shortcuts"), "F1", "keyboard", "help"),
        ActionSpec("about", tr("About Matrizen"), "", "info", "help", gap=True),
    )


class Actions(QObject):
    """The QActions of the catalog, by id.

    Handlers outlive a change of language: `retranslate()` gives the same QActions new words.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._specs = {spec.id: spec for spec in catalog()}
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._conditions: dict[str, bool] = {}
        for spec in self._specs.values():
            self._actions[spec.id] = self._make(spec)
        self.set_conditions({})

    def __getitem__(self, action: str) -> QAction:
        return self._actions[action]

    def __iter__(self) -> Iterator[ActionSpec]:
        return iter(self._specs.values())

    def spec(self, action: str) -> ActionSpec:
        """The declaration of an action. Raises KeyError."""
        return self._specs[action]

    def on(self, action: str, handler: Callable[[], object]) -> None:
        """Call `handler` when the action is triggered. Raises KeyError for an unknown one."""
        self._actions[action].triggered.connect(lambda *_: handler())

    def set_conditions(self, changed: Mapping[str, bool]) -> None:
        """Tell which conditions hold; those not named keep their state, unknown ones do not hold."""
        self._conditions.update(changed)
        for spec in self._specs.values():
            wanted = all(self._conditions.get(need, False) for need in spec.needs)
            if self._actions[spec.id].isEnabled() != wanted:
                self._actions[spec.id].setEnabled(wanted)

    def check(self, action: str, checked: bool = True) -> None:
        """Set the mark of a checkable action without triggering it."""
        self._actions[action].setChecked(checked)

    def set_play(self, running: bool) -> None:
        """Play becomes Pause while training runs."""
        text = tr("Pause") if running else tr("Play")
        if text != self._actions["play"].text():
            self._actions["play"].setText(text)
            self._actions["play"].setIcon(icons.icon("pause" if running else "play", "text2"))

    def retranslate(self) -> None:
        """Give every action its words in the language of the moment."""
        self._specs = {spec.id: spec for spec in catalog()}
        for spec in self._specs.values():
            self._dress(self._actions[spec.id], spec)

    def fill_menu(self, menu: QMenu, which: str) -> dict[str, QMenu]:
        """Put the actions of one menu into `menu`; returns its submenus by id."""
        submenus: dict[str, QMenu] = {}
        titles = submenu_titles()
        for spec in self._specs.values():
            if spec.menu != which:
                continue
            if not spec.submenu:
                if spec.gap and menu.actions():
                    menu.addSeparator()
                menu.addAction(self._actions[spec.id])
                continue
            if spec.submenu not in submenus:
                if spec.gap:
                    menu.addSeparator()
                submenus[spec.submenu] = menu.addMenu(titles[spec.submenu])
            elif spec.gap:
                submenus[spec.submenu].addSeparator()
            submenus[spec.submenu].addAction(self._actions[spec.id])
        return submenus

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(self)
        action.setObjectName(spec.id)
        action.setCheckable(spec.checkable)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        # held down, Space would flicker between play and pause
        action.setAutoRepeat(spec.id in REPEATING)
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(self))
            group.addAction(action)
        self._dress(action, spec)
        return action

    def _dress(self, action: QAction, spec: ActionSpec) -> None:
        action.setText(spec.text)
        if spec.icon:
            action.setIcon(icons.icon(spec.icon, "text2"))
        if spec.shortcut:
            action.setShortcuts([QKeySequence(text) for text in (spec.shortcut, *spec.more_shortcuts)])
        tip = spec.text.rstrip(" …")
        if spec.shortcut:
            tip += f"  {key_text(spec.shortcut)}"
        action.setToolTip(tip)


def key_text(shortcut: str) -> str:
    """A shortcut as short as the keys are printed: "Ctrl ⇧ P", in the person's words."""
    if sys.platform == "darwin":
        return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    words = {
        "Ctrl": tr("Ctrl"),
        "Shift": "⇧",
        "Alt": tr("Alt"),
        "Del": tr("Del"),
        "Space": tr("Space"),
    }
    parts = shortcut.replace("++", "+plus").split("+")
    return " ".join("+" if part == "plus" else words.get(part, part) for part in parts)


def fuzzy(query: str, text: str) -> int | None:
    """How well `text` answers `query`: higher is better, None when a letter is missing.

    Letters must appear in order; starts of words and unbroken runs count more.
    """
    wanted = [letter for letter in query.casefold() if not letter.isspace()]
    where = text.casefold()
    score, at, run = 0, 0, 0
    for letter in wanted:
        found = where.find(letter, at)
        # the start of a later word beats a letter inside this one
        word = next(
            (
                i
                for i in range(at, len(where))
                if where[i] == letter and (i == 0 or not where[i - 1].isalnum())
            ),
            -1,
        )
        if found < 0:
            return None
        if word >= 0 and found != at:
            found = word
        run = run + 1 if found == at and at else 0
        score += 4 + 6 * (found == 0 or not where[found - 1].isalnum()) + 3 * min(run, 4)
        score -= min(found - at, 8)
        at = found + 1
    return score - len(where) // 8


def answers(query: str, name: str, also: str = "") -> int | None:
    """How well an action answers `query`: by its name, or, which counts less, by what it is `also` called.

    As in `fuzzy`; besides, the words of the query may stand in any order, each found whole.
    """
    found = _in_any_order(query, name)
    if found is None and also:
        other = _in_any_order(query, f"{name} {also}")
        found = None if other is None else other - 12
    return found


def _in_any_order(query: str, text: str) -> int | None:
    scores = [fuzzy(query, text)]
    words = query.casefold().split()
    if len(words) > 1 and all(word in text.casefold() for word in words):
        each = [fuzzy(word, text) or 0 for word in words]
        scores.append(sum(each) + len(text) // 8 * (len(words) - 1))
    return max((score for score in scores if score is not None), default=None)
