"""The loss dock: training and test loss over the epochs, and the one big figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from engine.session.views import CurvesData, LineData, ViewData
from gui import i18n, theme
from gui.i18n import tr
from gui.panels.docks import Switch
from gui.views.curve_view import CurveView, Mark
from gui.views.panel import Panel
from gui.views.series import smooth
from gui.watching import Wish

PARTS = ("ok", "text2", "danger", "text1")
"""Colors of the outputs' own curves."""


class LossDock(Panel):
    """Wants nothing by itself: the window hands it the curves that the time line reads too."""

    wishes_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Loss"), pin=False, parent=parent)
        self.setObjectName("dock_loss")
        self.view = CurveView()
        self.set_content(self.view)
        self._per_epoch = 1
        self._data: CurvesData | None = None
        self._lines: list[tuple[str, LineData]] = []
        self._now: int | None = None
        axes = {"linear": (tr("lin"), tr("Linear axis")), "log": (tr("log"), tr("Logarithmic axis"))}
        self.scale_switch = Switch(axes)
        self.scale_switch.chosen.connect(lambda key: self.view.set_log(key == "log"))
        self.add_header(self.scale_switch)

    def set_loss_name(self, name: str) -> None:
        """The loss that is trained with."""
        self.set_subtitle(name)

    def set_steps_per_epoch(self, count: int) -> None:
        """How many steps make an epoch."""
        if count and count != self._per_epoch:
            self._per_epoch = count
            self._draw()

    def set_lines(self, lines: Sequence[tuple[str, LineData]]) -> None:
        """Other lines of the run, by name, to compare with."""
        before, self._lines = self._lines, list(lines)
        if self.isVisible() and (before or lines):
            self._draw()

    def set_now(self, step: int | None) -> None:
        """An earlier step is shown again, or the newest one (None)."""
        if step != self._now:
            self._now = step
            if self.isVisible():
                self._draw()

    def show_curves(self, data: CurvesData) -> None:
        """The curves so far."""
        self._data = data
        if self.isVisible():
            self._draw()

    def clear(self) -> None:
        """Another run."""
        self._data, self._lines, self._now = None, [], None
        self.view.clear()

    def wants(self) -> Mapping[str, Wish]:
        """Nothing of its own."""
        return {}

    def take(self, key: str, data: ViewData, step: int) -> None:
        """Nothing comes by itself."""

    def _draw(self) -> None:
        data = self._data
        if data is None or not len(data.steps):
            self.view.clear()
            return
        per = float(self._per_epoch)
        for name, line in self._lines:
            if len(line.steps):
                x = np.asarray(line.steps, float) / line.per_epoch
                mean = smooth(np.asarray(line.mean, float), max(1, len(line.mean) // 40))
                self.view.set_curve(name, x, mean, token="text3", noisy=False, fine=True)
        parts = {f"output {name}": (name, loss) for name, loss in data.test_parts.items()}
        self.view.keep_curves({"train", "test", *parts, *(name for name, _ in self._lines)})
        for number, (key, (name, loss)) in enumerate(parts.items()):
            known = np.isfinite(loss)
            x = np.asarray(data.test_steps, float)[known] / per
            text = tr("Test, {output}").format(output=name)
            self.view.set_curve(key, x, loss[known], text=text, token=PARTS[number % len(PARTS)], fine=True)
        self.view.set_curve("train", np.asarray(data.steps, float) / per, data.mean)
        self.view.set_x_axis(tr("Epoch"))
        marks: list[Mark] = []
        if len(data.test_steps):
            self.view.set_curve("test", np.asarray(data.test_steps, float) / per, data.test_loss)
            best = int(np.nanargmin(data.test_loss)) if np.isfinite(data.test_loss).any() else -1
            # a best that may still be improved needs no mark
            if 0 <= best < min(0.9 * len(data.test_steps), len(data.test_steps) - 4):
                marks.append(Mark(float(data.test_steps[best]) / per))
        if self._now is not None:
            marks.append(Mark(self._now / per, tr("shown"), "text1"))
        self.view.set_marks(marks)
        seen = len(data.test_steps) if self._now is None else int((data.test_steps <= self._now).sum())
        if len(data.test_accuracy) and seen:
            shown = i18n.number(float(data.test_accuracy[seen - 1]) * 100, 1)
            whose = tr("Test accuracy of {output}").format(output=data.accuracy_of)
            self.view.set_figure(whose if data.accuracy_of else tr("Test accuracy"), f"{shown} %")
        else:
            self.view.set_figure()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()
        self.wishes_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.wishes_changed.emit()

    def restyle(self) -> None:
        """Fonts changed."""
        self.view.setMinimumHeight(theme.px(60))
