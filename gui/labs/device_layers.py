"""A training step by layer: how long the launches of each took, forward, backward and update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from gui import theme, tokens
from gui.i18n import tr
from gui.labs.device_words import duration, percent, phases
from gui.views.base import View, draw_caption, draw_empty

PHASE_TOKENS = {"augment": "histogram", "forward": "train", "loss": "histogram", "backward": "test",
                "clip": "histogram", "update": "ok"}  # fmt: skip
ROW = 34


@dataclass(frozen=True)
class LayerTime:
    """One layer; `phases` as (phase, seconds), `also` names layers whose ops ride along."""

    name: str
    category: str
    phases: tuple[tuple[str, float], ...]
    also: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return sum(s for _, s in self.phases)


@dataclass(frozen=True)
class DeviceLayers:
    """All layers on one device, and what a step of training takes there, in seconds."""

    name: str
    token: str
    step: float
    layers: tuple[LayerTime, ...]


class LayersView(View):
    """Devices below each other, their layers in the order of the network, one scale for each device."""

    def __init__(self) -> None:
        super().__init__()
        self._devices: tuple[DeviceLayers, ...] = ()
        self.empty_text = tr("Measure shows here where a step spends its time.")

    def set_devices(self, devices: Sequence[DeviceLayers]) -> None:
        self._devices = tuple(devices)
        rows = sum(len(d.layers) for d in devices)
        self.setMinimumHeight(theme.px(ROW) * rows + theme.px(58) * len(devices) + theme.px(28))
        said = [f"{d.name} {layer.name} {duration(layer.total)}" for d in devices for layer in d.layers]
        self.setAccessibleName(", ".join(said) or self.empty_text)
        self.update()

    def devices(self) -> tuple[DeviceLayers, ...]:
        return self._devices

    def restyle(self) -> None:
        self.set_devices(self._devices)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(520), max(theme.px(200), self.minimumHeight()))

    def paint(self, painter: QPainter) -> None:
        if not self._devices:
            draw_empty(self, painter, self.empty_text)
            return
        y = float(theme.px(4))
        for device in self._devices:
            y = self._paint_device(painter, device, y)
        self._paint_legend(painter, y + theme.px(4))

    def _paint_device(self, painter: QPainter, device: DeviceLayers, y: float) -> float:
        total = sum(layer.total for layer in device.layers)
        painter.setFont(theme.ui_font(tokens.BASE, theme.SEMIBOLD))
        painter.setPen(theme.color(device.token))
        painter.drawText(QPointF(0, y + theme.px(20)), device.name)
        after = painter.fontMetrics().horizontalAdvance(device.name) + theme.px(12)
        painter.setFont(theme.ui_font(tokens.STATUS))
        painter.setPen(theme.color("text2"))
        text = tr("launches {sum}, a step of training {step}")
        text = text.format(sum=duration(total), step=duration(device.step))
        painter.drawText(QPointF(after, y + theme.px(20)), text)
        y += theme.px(32)
        names = QFontMetricsF(theme.ui_font(tokens.BASE))
        left = min(
            max((names.horizontalAdvance(n.name) for n in device.layers), default=0.0) + theme.px(32),
            self.width() * 0.35,
        )
        room = self.width() - left - theme.px(150)
        longest = max((layer.total for layer in device.layers), default=0.0) or 1.0
        for layer in device.layers:
            self._paint_layer(painter, layer, y, left, room, longest, total)
            y += theme.px(ROW)
        return y + theme.px(18)

    def _paint_layer(
        self,
        painter: QPainter,
        layer: LayerTime,
        y: float,
        left: float,
        room: float,
        longest: float,
        total: float,
    ) -> None:
        side = theme.px(10)
        painter.fillRect(QRectF(0, y + theme.px(7), side, side), theme.kind_color(layer.category))
        painter.setFont(theme.ui_font())
        painter.setPen(theme.color("text1"))
        name = painter.fontMetrics().elidedText(
            layer.name, Qt.TextElideMode.ElideRight, int(left - theme.px(28))
        )
        painter.drawText(QPointF(side + theme.px(8), y + theme.px(16)), name)
        x = left
        for phase, seconds in layer.phases:
            width = seconds / longest * room
            painter.fillRect(
                QRectF(x, y + theme.px(2), width, theme.px(18)), theme.color(PHASE_TOKENS[phase])
            )
            x += width
        painter.setFont(theme.mono_font(tokens.STATUS))
        painter.setPen(theme.color("text1"))
        text = duration(layer.total)
        painter.drawText(QPointF(x + theme.px(8), y + theme.px(15)), text)
        after = x + theme.px(8) + painter.fontMetrics().horizontalAdvance(text) + theme.px(8)
        draw_caption(
            painter, QPointF(after, y + theme.px(15)), percent(layer.total / total if total else 0.0)
        )
        if layer.also:
            with_text = tr("with {layers}").format(layers=", ".join(layer.also))
            draw_caption(painter, QPointF(left, y + theme.px(31)), with_text)

    def _paint_legend(self, painter: QPainter, y: float) -> None:
        seen = {p for d in self._devices for layer in d.layers for p, _ in layer.phases}
        words = phases()
        x = 0.0
        groups: dict[str, list[str]] = {}
        for phase, token in PHASE_TOKENS.items():
            if phase in seen:
                groups.setdefault(token, []).append(words[phase])
        for token, texts in groups.items():
            text = ", ".join(texts)
            painter.fillRect(QRectF(x, y, theme.px(14), theme.px(8)), theme.color(token))
            draw_caption(painter, QPointF(x + theme.px(20), y + theme.px(9)), text)
            x += theme.px(20) + painter.fontMetrics().horizontalAdvance(text) + theme.px(20)
