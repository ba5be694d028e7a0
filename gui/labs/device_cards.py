"""The devices of the computer as cards: what they are, whether they passed their test and take part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.backends.devices import DeviceInfo
from gui import i18n, icons, theme
from gui.i18n import tr, tr_message, trn
from gui.labs.device_words import device_token, short_name
from gui.views.panel import ElidedLabel

WIDTH, HEIGHT = 296, 122
NARROW, LOW = 236, 86
"""A card where there is little room: its facts are in its tool tip."""


class DeviceCard(QFrame):
    """One device. `toggled(bool)`: it takes part in the measurement or not."""

    toggled = Signal(bool)

    def __init__(
        self, device: DeviceInfo, token: str, chosen: bool, peak: float | None, compact: bool = False
    ) -> None:
        super().__init__()
        self.device = device
        self.setProperty("surface", "card")
        self.setFixedSize(theme.px(NARROW if compact else WIDTH), theme.px(LOW if compact else HEIGHT))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        column.setSpacing(theme.px(2))
        usable = device.verdict == "ok"
        head = QHBoxLayout()
        head.setSpacing(theme.px(8))
        dot = QLabel()
        dot.setFixedSize(theme.px(10), theme.px(10))
        shown = theme.color(token).name() if usable else theme.color("border").name()
        dot.setStyleSheet(f"background: {shown}; border-radius: {theme.px(2)}px;")
        head.addWidget(dot)
        self.box = QCheckBox(short_name(device))
        self.box.setChecked(usable and chosen)
        self.box.setEnabled(usable)
        self.box.setFont(theme.ui_font(13, theme.SEMIBOLD))
        self.box.setToolTip(tr("Measure this device"))
        self.box.toggled.connect(self.toggled)
        head.addWidget(self.box, 1)
        self.peak = QLabel()
        self.peak.setFont(theme.mono_font(12))
        self.peak.setToolTip(tr("The most it computed here, reading and writing nothing"))
        head.addWidget(self.peak)
        self.set_peak(peak)
        column.addLayout(head)
        name = ElidedLabel(device.name)
        name.setProperty("role", "status")
        name.setToolTip(f"{device.name}\n{device.vendor}\n{device.driver}\n{device.id}")
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column.addWidget(name)
        self.setToolTip("\n".join(facts(device)))
        for text in () if compact else facts(device):
            label = ElidedLabel(text)
            label.setProperty("role", "caption")
            label.setToolTip(text)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            column.addWidget(label)
        column.addStretch(1)
        verdict = QHBoxLayout()
        verdict.setSpacing(theme.px(6))
        icon, tint = {"ok": ("check", "ok"), "refused": ("problem", "danger")}.get(
            device.verdict, ("clock", "text3")
        )
        mark = QLabel()
        mark.setPixmap(icons.pixmap(icon, tint, theme.px(13)))
        verdict.addWidget(mark)
        reason = tr_message(device.reason)
        self.verdict = ElidedLabel(reason.partition("\n")[0])
        self.verdict.setProperty("role", "status")
        self.verdict.setToolTip(reason)
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        verdict.addWidget(self.verdict, 1)
        column.addLayout(verdict)

    def set_peak(self, peak: float | None) -> None:
        """GFLOP/s, once they are measured."""
        self.peak.setText(tr("peak {n} GFLOP/s").format(n=i18n.short(peak, 3)) if peak else "")


def facts(device: DeviceInfo) -> tuple[str, ...]:
    """What a card says of a device in two lines."""
    kind = {"cpu": tr("processor"), "gpu": tr("graphics card")}.get(device.kind, tr("other device"))
    units = (
        trn("{n} core", "{n} cores", device.units)
        if device.kind == "cpu"
        else trn("{n} unit", "{n} units", device.units)
    )
    first = [kind, units.format(n=i18n.integer(device.units))]
    if device.memory:
        first.append(f"{i18n.number(device.memory / 2**30, 1)} GB")
    if device.clock:
        first.append(f"{i18n.number(device.clock / 1000, 2)} GHz")
    second = [device.platform or tr("always there"), device.driver]
    second.append(tr("64-bit floats") if device.fp64 else tr("no 64-bit floats"))
    return " · ".join(first), " · ".join(p for p in second if p)


class DeviceCards(QScrollArea):
    """All cards in a row. `changed()` when another set of devices takes part."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(theme.px(HEIGHT + 10))
        self._devices: list[DeviceInfo] = []
        self.left_out: set[str] = set()
        self.compact = False
        self.cards: list[DeviceCard] = []

    def set_devices(
        self, devices: Sequence[DeviceInfo], note: str, peak: Callable[[str], float | None]
    ) -> None:
        """Show these; `note` stands behind them: devices are still being tested, or none was found."""
        self._devices = list(devices)
        self.setFixedHeight(theme.px((LOW if self.compact else HEIGHT) + 10))
        row_widget = QWidget()
        row = QHBoxLayout(row_widget)
        row.setContentsMargins(0, 0, 0, theme.px(8))
        row.setSpacing(theme.px(12))
        self.cards = []
        for device in devices:
            token = device_token(device.id, self._devices)
            chosen = device.id not in self.left_out
            card = DeviceCard(device, token, chosen, peak(device.id), self.compact)
            card.toggled.connect(lambda on, id=device.id: self._toggle(id, on))
            self.cards.append(card)
            row.addWidget(card)
        if note:
            text = QLabel(note)
            text.setProperty("role", "muted")
            text.setWordWrap(True)
            text.setMinimumWidth(theme.px(120))
            row.addWidget(text, 1)
        else:
            row.addStretch(1)
        self.setWidget(row_widget)
        for part in (row_widget, self.viewport()):  # else a shade off the page's
            part.setAutoFillBackground(False)

    def chosen(self) -> list[DeviceInfo]:
        """The devices that take part."""
        return [c.device for c in self.cards if c.box.isChecked()]

    def sizeHint(self) -> QSize:
        return QSize(theme.px(WIDTH) * 3, theme.px(HEIGHT + 10))

    def _toggle(self, id: str, on: bool) -> None:
        (self.left_out.discard if on else self.left_out.add)(id)
        self.changed.emit()
