"""The decision boundary at the right of the canvas, for data in the plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from engine.session.protocol import Configured, DataFacts
from engine.session.views import Boundary, BoundaryData, Points, PointsData, ViewData
from gui.i18n import tr
from gui.views.boundary_view import BoundaryView
from gui.views.panel import Panel
from gui.watching import Wish


class BoundaryPanel(Panel):
    """Shown while the data are points; hidden otherwise."""

    wishes_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Decision boundary"), tr("of the whole network"), pin=False, detach=False, parent=parent
        )
        self.setObjectName("boundary")
        self.view = BoundaryView()
        self.set_content(self.view)
        self._facts: DataFacts | None = None
        self._has_points = False

    def set_program(self, configured: Configured | None) -> None:
        """The program that runs; its data say whether there is a plane to show."""
        facts = configured.data if configured is not None else None
        if facts is not None and facts.kind == "points" and facts != self._facts:
            self._has_points = False
            self.view.clear()
            self.view.set_names(facts.class_names)
            regression = not facts.spec.classes
            self.set_title(tr("Output over the plane") if regression else tr("Decision boundary"))
        self._facts = facts
        self.wishes_changed.emit()

    @property
    def applies(self) -> bool:
        """Whether the data lie in a plane."""
        return self._facts is not None and self._facts.kind == "points"

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        if not self.applies or not self.isVisible():
            return {}
        wishes = {"boundary": Wish(Boundary(), rate=20.0)}
        if not self._has_points:
            wishes["points"] = Wish(Points(), rate=2.0)
        return wishes

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if isinstance(data, PointsData):
            points = np.concatenate([data.x_train, data.x_test]).astype(float)
            is_test = np.arange(len(points)) >= len(data.x_train)
            labels = [np.asarray(part) for part in (data.y_train, data.y_test)]
            flat = [part if part.ndim == 1 else np.zeros(len(part)) for part in labels]
            self.view.set_points(points, np.concatenate(flat), is_test)
            self._has_points = True
        elif isinstance(data, BoundaryData):
            if self._facts is not None and self._facts.spec.classes and data.shares:
                self.view.set_field(data.output, data.extent)
            else:
                self.view.set_signed_field(data.output[0], data.extent)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wishes_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.wishes_changed.emit()
