"""The row of tools above the affine lab: where pictures come from, examples, how pixels are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from gui import icons, theme
from gui.forms import Choice
from gui.i18n import tr
from gui.labs import affine_sources
from gui.labs.affine_state import AffineState

if TYPE_CHECKING:
    from gui.workbench import Workbench


class AffineBar(QFrame):
    """`set(field, value)` for a choice; the other signals are what the buttons say."""

    chosen = Signal(str, object)
    augment = Signal()
    identity = Signal()
    file_wanted = Signal()
    sample = Signal(str)
    layer = Signal(str)
    example = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.setProperty("surface", "panel")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(7), theme.px(12), theme.px(7))
        row.setSpacing(theme.px(8))
        use = QPushButton(tr("Use as augmentation"))
        use.setProperty("kind", "primary")
        use.setIcon(icons.icon("augment", "onaccent"))
        use.clicked.connect(self.augment)
        row.addWidget(use)
        row.addWidget(self._flat("reset", tr("Identity"), lambda *_: self.identity.emit()))
        pictures = self._flat("picture", tr("Picture"), None)
        menu = QMenu(pictures)
        menu.aboutToShow.connect(lambda: self.fill(menu))
        pictures.setMenu(menu)
        row.addWidget(pictures)
        worked = self._flat("help", tr("Examples"), None)
        examples = QMenu(worked)
        for name, text in (
            ("quarter", tr("(1, 0) turned by 90°")), ("larger", tr("10 % larger, 5 px to the right")),
        ):  # fmt: skip
            examples.addAction(text).triggered.connect(self._says(self.example, name))
        worked.setMenu(examples)
        row.addWidget(worked)
        row.addSpacing(theme.px(8))
        self.choices: dict[str, Choice] = {}
        for field, label, choices in (
            ("interpolation", tr("Sampling"), (("nearest", tr("Nearest")), ("bilinear", tr("Bilinear")),
                                               ("bicubic", tr("Bicubic")))),
            ("border", tr("Border"), (("zero", tr("black")), ("edge", tr("edge")),
                                      ("reflect", tr("mirror")))),
            ("origin", tr("Origin"), (("center", tr("Center")), ("corner", tr("First pixel")))),
        ):  # fmt: skip
            words = QLabel(label)
            words.setProperty("role", "status")
            choice = Choice(choices)
            choice.setAccessibleName(label)
            choice.chosen.connect(self._chooser(field))
            row.addWidget(words)
            row.addWidget(choice)
            self.choices[field] = choice
        row.addStretch(1)
        self.device = QLabel()
        self.device.setProperty("role", "status")
        row.addWidget(self.device)

    def _flat(self, icon: str, text: str, act: Callable[..., None] | None) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("kind", "flat")
        button.setIcon(icons.icon(icon, "text1"))
        if act is not None:
            button.clicked.connect(act)
        return button

    def _chooser(self, field: str) -> Callable[[object], None]:
        return lambda value: self.chosen.emit(field, value)

    @staticmethod
    def _says(signal: object, value: str) -> Callable[[], None]:
        return lambda: signal.emit(value)  # type: ignore[attr-defined]

    def show_state(self, state: AffineState) -> None:
        for field, choice in self.choices.items():
            choice.set_value(getattr(state, field))

    def fill(self, menu: QMenu) -> None:
        """What pictures there are at this moment."""
        menu.clear()
        file = menu.addAction(icons.icon("folder", "text2"), tr("Open picture …"))
        file.triggered.connect(lambda *_: self.file_wanted.emit())
        menu.addSeparator()
        for name in affine_sources.samples():
            menu.addAction(name).triggered.connect(self._says(self.sample, name))
        menu.addSeparator()
        layers = affine_sources.layers_with_maps(self._bench)
        if not layers:
            menu.addAction(tr("No network with pictures runs")).setEnabled(False)
        for number, (uid, name, maps) in enumerate(layers):
            text = tr("Training pictures ({name})") if number == 0 else tr("Feature maps of {name} ({n})")
            action = menu.addAction(text.format(name=name, n=maps))
            action.triggered.connect(self._says(self.layer, uid))
