"""The choice of a device: the menu, the offer of a better one, and the one chosen last time."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from engine.backends.devices import DeviceInfo
from engine.session.protocol import Devices, Fault
from gui.i18n import tr, tr_message
from gui.workbench import Workbench


class DeviceChoice(QObject):
    """Knows the devices found last; a person's choice is remembered and taken up again."""

    changed = Signal()
    """What the menu says is out of date."""

    def __init__(self, bench: Workbench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self._devices: Devices | None = None
        self._recalled = False
        bench.runner.devices.connect(self._found)
        bench.faulted.connect(self._failed)

    def use(self, device: DeviceInfo) -> None:
        """Go on on another device and remember it."""
        self._recalled = True
        self.bench.set_device(device.id, device.name)

    def fill(self, menu: QMenu) -> None:
        """Every device with its verdict; refused ones stay grey and say why."""
        menu.setToolTipsVisible(True)
        known = self._devices
        if known is None:
            menu.addAction(tr("Testing devices …")).setEnabled(False)
            self.bench.runner.find_devices()
            return
        for device in known.devices:
            action = menu.addAction(device.name)
            action.setCheckable(True)
            action.setChecked(device.id == self.bench.status.device)
            reason = tr_message(device.reason)
            action.setToolTip(reason)
            if device.verdict == "ok":
                action.triggered.connect(lambda _checked=False, device=device: self.use(device))
            else:
                action.setEnabled(False)
                line = reason.partition("\n")[0]  # a driver's log has many
                action.setText(f"{device.name} – {line}" if line else device.name)
        if not known.done:
            menu.addAction(tr("Testing devices …")).setEnabled(False)
        menu.addSeparator()
        again = menu.addAction(tr("Test again"))
        again.triggered.connect(lambda _checked=False: self.bench.runner.find_devices(fresh=True))

    def _found(self, devices: Devices) -> None:
        self._devices = devices
        self.changed.emit()
        chosen, used = self.bench.state.device, self.bench.status.device
        if chosen:
            if devices.done and not self._recalled:
                self._recalled = True
                self._recall(chosen)
            return
        best = next((d for d in devices.devices if d.id == devices.best), None)
        if best is not None and best.id != used:
            text = tr("{device} passed its test.").format(device=best.name)
            self.bench.told.emit(text, "info", tr("Use it"), partial(self.use, best))

    def _recall(self, chosen: str) -> None:
        """Once, when all were tested: the device chosen last time, unless the run would notice."""
        assert self._devices is not None
        device = next((d for d in self._devices.devices if d.id == chosen), None)
        if chosen == self.bench.status.device:
            return
        if device is None:
            text = tr("The device {device}, chosen last time, is not there.").format(device=chosen)
            self.bench.told.emit(text, "warning", "", None)
        elif device.verdict != "ok":
            text = tr("{device}, chosen last time, cannot be used: {reason}")
            text = text.format(device=device.name, reason=tr_message(device.reason))
            self.bench.told.emit(text, "warning", "", None)
        elif self.bench.running:
            text = tr("{device} was chosen last time.").format(device=device.name)
            self.bench.told.emit(text, "info", tr("Use it"), partial(self.use, device))
        else:
            self.use(device)

    def _failed(self, fault: Fault) -> None:
        if fault.kind == "device":  # the menu has to say so
            self.bench.runner.find_devices()
