"""The weights between two unfolded layers as lines: blue negative, red positive, as wide as |w|."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from engine.graph import LinkSpec, Uid
from gui import theme
from gui.canvas.acting import NO_FLOW, Flow
from gui.canvas.canvas_item import CanvasItem
from gui.canvas.flow_paint import paint_flow
from gui.canvas.guard import guarded
from gui.canvas.route import straight
from gui.canvas.thumb_data import Array

if TYPE_CHECKING:
    from gui.canvas.node_item import NodeItem
    from gui.canvas.scene import CanvasScene

WIDEST, NARROWEST = 6.0, 0.5
REST, DIM, BRIGHT = 120, 34, 255


class WeightsItem(CanvasItem):
    """One curve per weight from neuron to neuron. `weights` is (outputs, inputs), or None: thin and grey.

    An output has no weights of its own: its neurons are joined one to one (`pairs`).
    """

    still = False

    def __init__(
        self, scene: CanvasScene, link: LinkSpec, source: NodeItem, target: NodeItem, pairs: bool
    ) -> None:
        super().__init__(scene)
        self.link, self.source, self.target, self.pairs = link, source, target, pairs
        self.weights: Array | None = None
        self.dropping = False
        self.acting: Flow = NO_FLOW
        self._curves: dict[tuple[int, int], QPainterPath] = {}
        self._key: tuple[object, ...] = ()
        self._bounds = QRectF()
        self.setZValue(12)  # over the bodies: a line ends at the map it belongs to
        self.reroute()

    def set_weights(self, weights: Array | None) -> None:
        self.weights = weights
        self.update()

    def reroute(self) -> None:
        """The nodes moved or changed their size."""
        a, b = self.source, self.target
        key = (a.pos().x(), a.pos().y(), b.pos().x(), b.pos().y(), a.look.size, b.look.size)
        if key == self._key or a.look.size.unfold is None or b.look.size.unfold is None:
            return
        self.prepareGeometryChange()
        self._key = key
        self._curves = {}
        for i in range(b.look.size.unfold.units):
            for j in range(a.look.size.unfold.units):
                if not self.pairs or i == j:
                    self._curves[i, j] = self._curve(j, i)
        bounds = QRectF()
        for curve in self._curves.values():
            bounds = bounds.united(curve.boundingRect())
        self._bounds = bounds.adjusted(-WIDEST, -WIDEST, WIDEST, WIDEST)

    def _curve(self, j: int, i: int) -> QPainterPath:
        a, b = self.source.neuron_rect(j), self.target.neuron_rect(i)
        start = self.source.pos() + QPointF(a.right() + 1, a.center().y())
        end = self.target.pos() + QPointF(b.left() - 1, b.center().y())
        path = QPainterPath(start)
        reach = max(20.0, (end.x() - start.x()) * 0.5)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
        return path

    def set_state(self, **states: object) -> None:
        """Set `dropping`: a layer let go now would go in between; or `acting`: an op reads or writes here."""
        for name, value in states.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.update()

    def holds(self, point: QPointF) -> bool:
        """Whether a point of the scene lies among the lines."""
        left, right = self.source.rect().right(), self.target.rect().left()
        return left < point.x() < right and self._bounds.top() <= point.y() <= self._bounds.bottom()

    def boundingRect(self) -> QRectF:
        return self._bounds

    def _lit(self, i: int, j: int) -> bool | None:
        """Whether a line belongs to the neuron under the pointer; None when there is none."""
        hovered: tuple[Uid, int] | None = self.canvas.hovered_neuron
        if hovered is None:
            return None
        uid, unit = hovered
        if uid == self.target.uid:
            return unit == i
        if uid == self.source.uid:
            return unit == j
        return False

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_lines(painter)
        if self.acting.word:
            start, end = self.source.output_port(), self.target.input_port()
            paint_flow(painter, straight(start, end), self.acting, 0.0, self.canvas.zoom)

    def _paint_lines(self, painter: QPainter) -> None:
        w = self.weights
        if self.dropping:
            painter.setPen(QPen(theme.color("accent"), 1.4))
            for curve in self._curves.values():
                painter.drawPath(curve)
            return
        if w is None or self.pairs:
            for (i, j), curve in self._curves.items():
                lit = self._lit(i, j)
                color = theme.color("link", BRIGHT if lit else DIM if lit is False else REST)
                painter.setPen(QPen(color, 2.2 if self.pairs else 1.0))
                painter.drawPath(curve)
            return
        largest = max(float(np.nanmax(np.abs(w), initial=0.0)), 1e-6)
        # the weak ones first, so that the strong ones lie on top
        order = sorted(
            (key for key in self._curves if key[0] < w.shape[0] and key[1] < w.shape[1]),
            key=lambda key: (bool(self._lit(*key)), abs(float(w[key]))),
        )
        for key in order:
            value = float(w[key])
            if not np.isfinite(value):
                continue
            lit = self._lit(*key)
            alpha = BRIGHT if lit else DIM if lit is False else REST
            color = theme.color("negative" if value < 0 else "positive", alpha)
            painter.setPen(QPen(color, NARROWEST + (WIDEST - NARROWEST) * abs(value) / largest))
            painter.drawPath(self._curves[key])
