"""The form for the ranges of the layer Augment, in the dialog of the affine lab and in the comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QWidget

from engine.layers.augment import BORDERS, Augment
from gui import theme
from gui.forms import Choice
from gui.i18n import tr
from gui.number_field import NumberField

WIDE = 116


class RangesForm(QWidget):
    """`changed(Augment)` with every number that is taken; `rows` takes more fields below."""

    changed = Signal(object)

    def __init__(self, layer: Augment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer_ = layer
        self.rows = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(theme.px(8))
        self.editors: dict[str, NumberField] = {}
        facts = Augment.settings()
        for name in ("rotation", "scale", "shift"):
            setting = facts[name][0]
            editor = NumberField(
                getattr(layer, name), minimum=setting.minimum, maximum=setting.maximum, unit=setting.unit
            )
            editor.setAccessibleName(tr(setting.label))
            editor.setFixedWidth(theme.px(WIDE))
            editor.value_changed.connect(self._taker(name))
            form.addRow(f"{tr(setting.label)} ±", editor)
            self.editors[name] = editor
        outside = facts["border"][0].label
        self.border = Choice(BORDERS)
        self.border.setAccessibleName(tr(outside))
        self.border.setFixedWidth(theme.px(WIDE))
        self.border.set_value(layer.border)
        self.border.chosen.connect(lambda value: self._set("border", value))
        form.addRow(tr(outside), self.border)

    def show_layer(self, layer: Augment) -> None:
        """These ranges, silently."""
        self.layer_ = layer
        for name, editor in self.editors.items():
            editor.set_value(getattr(layer, name))
        self.border.set_value(layer.border)

    def commit(self) -> str:
        """Take what is still being typed; "" or what is wrong with it."""
        return next((e.problem() for e in self.editors.values() if not e.commit()), "")

    def _taker(self, name: str) -> Any:
        return lambda value: self._set(name, float(value))

    def _set(self, name: str, value: Any) -> None:
        self.layer_ = replace(self.layer_, **{name: value})
        self.changed.emit(self.layer_)
