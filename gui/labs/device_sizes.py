"""What "one operation" and "cores" measure: the kind of work and its sizes, typed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.devicelab.work import MOST_SIZE, PRESETS
from gui import i18n, theme
from gui.i18n import tr
from gui.labs.device_words import size_names, subjects
from gui.number_field import NumberField


class SizesRow(QWidget):
    """`changed()` when another work or size is chosen; `refused(str)` for what is no size."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self, batch: int, has_network: bool) -> None:
        super().__init__()
        self._batch = batch
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.px(6))
        first, self._row = QHBoxLayout(), QHBoxLayout()
        for row in (first, self._row):
            row.setSpacing(theme.px(8))
            rows.addLayout(row)
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("What is measured"))
        for key, name in subjects().items():
            if key != "step" or has_network:
                self.kind.addItem(name, key)
        self.kind.currentIndexChanged.connect(lambda _i: self._show_sizes())
        first.addWidget(self.kind)
        self._fields: dict[str, NumberField] = {}
        self._parts: list[QWidget] = []
        self.preset = QPushButton()
        self.preset.clicked.connect(self._take_preset)
        first.addWidget(self.preset)
        first.addStretch(1)
        self._row.addStretch(1)
        self._show_sizes()

    def subject(self) -> str:
        return str(self.kind.currentData())

    def sizes(self) -> dict[str, int]:
        """The sizes of the work shown; of a training step its batch."""
        if self.subject() == "step":
            return {"batch": self._batch}
        return {key: int(field.value()) for key, field in self._fields.items()}

    def set_value(self, key: str, value: int) -> None:
        """As if it had been typed."""
        self._fields[key].set_value(value)
        self.changed.emit()

    def choose(self, subject: str, sizes: dict[str, int]) -> None:
        """Show a work again with these sizes."""
        self.kind.setCurrentIndex(max(0, self.kind.findData(subject)))
        for key, value in sizes.items():
            if key in self._fields:
                self._fields[key].set_value(value)

    def _preset(self) -> dict[str, int]:
        return dict(PRESETS.get(self.subject(), {}))

    def _take_preset(self) -> None:
        for key, value in self._preset().items():
            self._fields[key].set_value(value)
        self.changed.emit()

    def _show_sizes(self) -> None:
        for part in self._parts:
            self._row.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts, self._fields = [], {}
        names = size_names()
        at = 0
        for key, value in self._preset().items():
            label = QLabel(names[key])
            label.setProperty("role", "muted")
            field = NumberField(value, minimum=1, maximum=MOST_SIZE, integer=True)
            field.setFixedWidth(theme.px(64))
            field.setAccessibleName(names[key])
            field.value_changed.connect(lambda _v: self.changed.emit())
            field.refused.connect(self.refused)
            for part in (label, field):
                self._row.insertWidget(at, part)
                self._parts.append(part)
                at += 1
            self._fields[key] = field
        is_product = self.subject() == "product"
        thousand = i18n.integer(1000)
        self.preset.setText(f"{thousand} × {thousand}" if is_product else tr("Usual sizes"))
        self.preset.setVisible(bool(self._fields))
        self.changed.emit()
