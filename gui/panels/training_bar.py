"""The training bar: Play, the sizes of a step, the settings of training, pace and device.

Its fields are made from `TrainingSpec.settings()`. It gives way by itself: when there is no room the
name of the pace goes first, then those of the steps, the loss, the device's name, the optimizer;
Play never.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from engine.errors import MatrizenError
from engine.settings import TrainingSpec
from gui import icons, theme
from gui.actions import Actions, key_text
from gui.document import Document, DocumentState
from gui.forms import Choice
from gui.i18n import short, tr, tr_message
from gui.number_field import NumberField
from gui.panels.training_popup import SettingsPopup

SHOWN = ("learning_rate", "batch", "optimizer", "loss")
STEPS = ("step_op", "step_phase", "step_sample", "step_batch", "step_epoch", "reset")
NAMED = ("step_op", "step_batch", "step_epoch")
"""With their names where there is room."""
NUMBER_WIDTH = {"learning_rate": 76, "batch": 56}
MOST_WIDTH = 236


class TrainingBar(QFrame):
    """`refused(sentence)`: a setting could not be taken. `device_menu` fills the menu of devices."""

    refused = Signal(str)

    def __init__(self, document: Document, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setObjectName("training_bar")
        self.setFixedHeight(theme.px(52))
        self._document, self._actions = document, actions
        self._editors: dict[str, NumberField | Choice] = {}
        self._cells: dict[str, QWidget] = {}
        self._level = -1
        self._device_name = "NumPy"
        self._device_told = ("", "")
        self._obstacle = ""
        self._pace_text = tr("Pace")
        self.device_menu: Callable[[QMenu], None] = lambda menu: None
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), 0, theme.px(12), 0)
        row.setSpacing(theme.px(6))
        self.play = self._play_button()
        row.addWidget(self.play)
        self._key = QLabel(key_text("Space"))
        self._key.setProperty("role", "key")
        row.addWidget(self._key)
        row.addSpacing(theme.px(4))
        self._steps = [self._step_button(name) for name in STEPS]
        for button in self._steps:
            row.addWidget(button)
        line = QFrame()
        line.setFixedSize(1, theme.px(24))
        line.setProperty("surface", "divider")
        row.addSpacing(theme.px(6))
        row.addWidget(line)
        row.addSpacing(theme.px(6))
        facts = TrainingSpec.settings()
        for name in SHOWN:
            row.addWidget(self._field(name, facts[name][0]))
        self._rate_now = QLabel()
        self._rate_now.setObjectName("rate_now")
        self._rate_now.setProperty("role", "muted")
        self._rate_now.setToolTip(tr("The learning rate of the next step, by the schedule"))
        self._rate_now.setMinimumWidth(self._rate_now.fontMetrics().horizontalAdvance("→ 0.000123"))
        self._rate_now.hide()
        beside = self._cells["learning_rate"].layout()
        assert beside is not None
        beside.addWidget(self._rate_now)
        self._more = QToolButton()
        self._more.setIcon(icons.icon("settings", "text2"))
        self._more.setIconSize(QSize(theme.px(18), theme.px(18)))
        self._more.setToolTip(tr("All training settings"))
        self._more.setAccessibleName(tr("All training settings"))
        self._more.clicked.connect(self.open_settings)
        row.addWidget(self._more)
        row.addStretch(1)
        self._pace = self._menu_button("clock", tr("Pace"))
        self._pace_menu = QMenu(self._pace)
        for name in ("pace_slow", "pace_visible", "pace_full"):
            self._pace_menu.addAction(actions[name])
            actions[name].toggled.connect(self._show_pace)
        self._pace.clicked.connect(lambda: self._drop(self._pace, self._pace_menu))
        row.addWidget(self._pace)
        self._device = self._menu_button("chip", tr("Device"))
        self._devices = QMenu(self._device)
        self._device.clicked.connect(self.open_devices)
        row.addWidget(self._device)
        self._popup: SettingsPopup | None = None
        document.changed.connect(self._on_changed)
        actions["play"].changed.connect(self._show_play)
        self._show_play()
        self._show_pace()
        self.set_device("NumPy", "")
        self._show_values()

    # ---- what others tell it -------------------------------------------------------------------------

    def set_device(self, name: str, why: str) -> None:
        """The device that computes, and why it does; said with every status, heard when it changes."""
        if (name, why) == self._device_told:
            return
        self._device_told = (name, why)
        self._device_name = name
        self._device.setToolTip(why or tr("Choose a device"))
        self._device.setAccessibleName(tr("Device: {name}").format(name=name))
        self._apply(max(self._level, 0))
        self._fit()

    def set_rate(self, rate: float | None) -> None:
        """The learning rate of the next step; said where a schedule makes it another than the one set."""
        set_rate = self._document.training.learning_rate
        other = rate is not None and abs(rate - set_rate) > 1e-9 * set_rate
        text = f"→ {short(rate, 3)}" if rate is not None and other else ""
        if text != self._rate_now.text():
            self._rate_now.setText(text)
            self._rate_now.setVisible(bool(text))
            self._fit()

    def set_obstacle(self, why: str) -> None:
        """Why Play would do nothing but say so; "" when the network can run."""
        if why == self._obstacle:
            return
        self._obstacle = why
        self.play.setProperty("asleep", bool(why))
        self.play.style().unpolish(self.play)
        self.play.style().polish(self.play)
        self._show_play()

    def open_settings(self) -> None:
        """Every training setting in a small window under its button."""
        self._popup = SettingsPopup(self._document, self)
        self._popup.refused.connect(self.refused)
        self._popup.adjustSize()
        corner = self._more.mapToGlobal(QPoint(0, self._more.height() + theme.px(8)))
        screen = self.window().frameGeometry()
        corner.setX(min(corner.x(), screen.right() - self._popup.width() - theme.px(12)))
        self._popup.move(corner)
        self._popup.show()

    def editor(self, name: str) -> QWidget:
        """The field of a setting. Raises KeyError for one that is not shown."""
        return self._editors[name]

    # ---- building ------------------------------------------------------------------------------------

    def _play_button(self) -> QPushButton:
        button = QPushButton()
        button.setObjectName("play")
        button.setProperty("kind", "primary")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFixedHeight(theme.px(34))
        button.setIconSize(QSize(theme.px(18), theme.px(18)))
        metrics = button.fontMetrics()
        widest = max(metrics.horizontalAdvance(text) for text in (tr("Play"), tr("Pause")))
        button.setMinimumWidth(widest + theme.px(18 + 6 + 36))  # the same for Play and Pause
        button.clicked.connect(self._actions["play"].trigger)
        return button

    def _step_button(self, name: str) -> QToolButton:
        action = self._actions[name]
        spec = self._actions.spec(name)
        button = QToolButton()
        button.setObjectName(name)
        button.setIcon(icons.icon(spec.icon))
        button.setIconSize(QSize(theme.px(18), theme.px(18)))
        button.setText(
            {
                "step_op": tr("Operation"),
                "step_phase": tr("Phase"),
                "step_sample": tr("Example"),
                "step_batch": tr("Batch"),
                "step_epoch": tr("Epoch"),
                "reset": tr("Reset"),
            }[name]
        )
        button.setToolTip(action.toolTip())
        button.setAccessibleName(spec.text)
        button.setProperty("weight", "medium")
        button.clicked.connect(action.trigger)
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        return button

    def _field(self, name: str, facts: Any) -> QWidget:
        cell = QWidget()
        inside = QHBoxLayout(cell)
        inside.setContentsMargins(0, 0, theme.px(8), 0)
        inside.setSpacing(theme.px(8))
        label = QLabel(tr(facts.label))
        label.setProperty("role", "muted")
        label.setToolTip(tr(facts.help))
        inside.addWidget(label)
        editor: NumberField | Choice
        if facts.kind == "choice":
            editor = Choice(facts.choices)
            # the widest choice may be much wider than the one in use; its list shows all of it
            editor.view().setMinimumWidth(editor.sizeHint().width())
            editor.setFixedWidth(min(editor.sizeHint().width(), theme.px(MOST_WIDTH)))
            editor.chosen.connect(lambda value: self._set(name, value))
        else:
            editor = NumberField(
                0 if facts.kind == "int" else 0.0, minimum=facts.minimum, maximum=facts.maximum,
                integer=facts.kind == "int",
            )  # fmt: skip
            editor.setFixedWidth(theme.px(NUMBER_WIDTH.get(name, 80)))
            editor.value_changed.connect(lambda value: self._set(name, value))
            editor.refused.connect(self.refused)
        editor.setFixedHeight(theme.px(28))
        editor.setObjectName(name)
        editor.setAccessibleName(tr(facts.label))
        editor.setToolTip(tr(facts.help))
        label.setBuddy(editor)
        inside.addWidget(editor)
        self._editors[name], self._cells[name] = editor, cell
        return cell

    def _menu_button(self, icon: str, name: str) -> QPushButton:
        button = QPushButton()
        button.setProperty("kind", "menu")
        button.setIcon(icons.icon(icon, "text1"))
        button.setIconSize(QSize(theme.px(16), theme.px(16)))
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.setFixedHeight(theme.px(30))
        return button

    # ---- values --------------------------------------------------------------------------------------

    def _set(self, name: str, value: Any) -> None:
        try:
            self._document.set_training(**{name: value})
        except MatrizenError as refusal:
            self.refused.emit(tr_message(refusal))
            self._show_values()

    def _on_changed(self, old: DocumentState, new: DocumentState) -> None:
        if old.training != new.training:
            self._show_values()

    def _show_values(self) -> None:
        for name, editor in self._editors.items():
            editor.set_value(getattr(self._document.training, name))
            if isinstance(editor, Choice):  # a long choice is cut off in its field
                editor.setToolTip(editor.currentText())

    def _show_play(self) -> None:
        action = self._actions["play"]
        text = action.text()
        running = text == tr("Pause")
        self.play.setText(" " + text)
        self.play.setIcon(icons.icon("pause" if running else "play", "onaccent"))
        self.play.setAccessibleName(text)
        self.play.setToolTip(self._obstacle or f"{text}  {key_text('Space')}")

    def _show_pace(self) -> None:
        chosen = next((a for a in self._pace_menu.actions() if a.isChecked()), None)
        self._pace_text = chosen.text() if chosen is not None else tr("Pace")
        self._fit()

    def open_devices(self) -> None:
        self._devices.clear()
        self.device_menu(self._devices)
        self._drop(self._device, self._devices)

    def refresh_devices(self) -> None:
        """More is known about the devices: an open menu says it, too."""
        if self._devices.isVisible():
            self._devices.clear()
            self.device_menu(self._devices)

    def _drop(self, button: QPushButton, menu: QMenu) -> None:
        at = button.mapToGlobal(QPoint(0, button.height() + theme.px(4)))
        right = self.window().frameGeometry().right()
        at.setX(min(at.x(), right - menu.sizeHint().width() - theme.px(8)))
        menu.popup(at)

    # ---- giving way ----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            QTimer.singleShot(0, self, self._fit)  # style sheets are polished after this event

    def _fit(self) -> None:
        for level in range(8):
            self._apply(level)
            self._row.invalidate()
            if self._row.sizeHint().width() <= self.width():
                break

    def _apply(self, level: int) -> None:
        self._level = level
        style = Qt.ToolButtonStyle
        for button in self._steps:
            named = level < 2 and button.objectName() in NAMED
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if named else style.ToolButtonIconOnly)
        self._cells["loss"].setVisible(level < 3)
        self._pace.setText("" if level >= 1 else " " + self._pace_text)
        self._device.setText("" if level >= 4 else " " + self._device_name)
        self._cells["optimizer"].setVisible(level < 5)
        self._key.setVisible(level < 6)
        self._cells["batch"].setVisible(level < 7)
        for menu in (self._pace, self._device):
            menu.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(360), theme.px(52))

    def level(self) -> int:
        """How much has given way: 0 nothing, 1 the name of the pace, 2 those of the steps, 3 the loss, ..."""
        return self._level
