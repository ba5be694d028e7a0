"""What the time line shows: the loss as its own silhouette, epochs as marks, changes as flags, dots for what
is kept; the knob is the step shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import i18n, theme, tokens
from gui.at_most import AtMost
from gui.i18n import tr
from gui.views.base import View, draw_caption
from gui.views.polygons import polygon

HEAD = 118
FLAGS = 40
PATIENCE_MS = 1500
"""A step that is not shown so long after it was asked for is no longer pretended to be."""
NOW_MS, SILHOUETTE_MS = 160, 900
"""Digits and knob move at most six times a second, the silhouette is drawn anew about once."""


@dataclass(frozen=True)
class Flag:
    """A change made while training: where it took effect and what it was, in a few words."""

    step: int
    text: str


@dataclass(frozen=True)
class OtherLine:
    """Another line of the run: its end and its loss from where it left."""

    end: int
    steps: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()


@dataclass(frozen=True)
class Reach:
    """What can be shown again: the first step, why none before it, the steps that are kept, other lines."""

    first: int | None = 0
    reason: str = ""
    kept: tuple[int, ...] = ()
    lines: tuple[OtherLine, ...] = ()


class Rail(View):
    """46 px high. `set_now`, `set_losses`, `set_past` and its flags are all it knows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("time_line")
        self.right_margin = 0
        """Room for what stands on it at its right end."""
        self.setFixedHeight(theme.px(46))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._step, self._epoch, self._per_epoch, self._end = 0, 0.0, 0, 0
        self._past = Reach()
        self._wish: int | None = None
        """The step asked for, until it is shown."""
        self._dragging = False
        self._pointer: float | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._forget_wish)
        self._steps: NDArray[np.float64] = np.zeros(0)
        self._losses: NDArray[np.float64] = np.zeros(0)
        self._flags: list[Flag] = []
        self._kept: tuple[QPixmap, QPixmap, tuple[float, int, int, int]] | None = None
        self._drawing = AtMost(SILHOUETTE_MS, self._draw_again, self)
        self._moving = AtMost(NOW_MS, self._show_now, self)
        self._describe()

    def set_now(self, step: int, epoch: float, per_epoch: int, end: int = 0) -> None:
        """The step shown (0: nothing learnt yet), as epochs, how many make one, and the newest step."""
        end = max(step, end)
        if (step, epoch, per_epoch, end) != (self._step, self._epoch, self._per_epoch, self._end):
            looking_back = step < end or self._step < self._end
            self._step, self._epoch, self._per_epoch, self._end = step, epoch, per_epoch, end
            if looking_back or step == self._wish:
                self._moving.now()
            else:
                self._moving.soon()
        if step == self._wish and not self._dragging:
            self._forget_wish()

    def set_past(self, past: Reach) -> None:
        """What can be shown again, and the other lines of the run."""
        if past != self._past:
            self._past = past
            self._drawing.soon()

    def _forget_wish(self) -> None:
        if self._wish is not None and not self._dragging:
            self._wish = None
            self._show_now()

    @property
    def shown(self) -> int:
        """Where the knob stands: the step asked for last, else the one that is shown."""
        return self._step if self._wish is None else self._wish

    def _show_now(self) -> None:
        self._describe()
        self.update()

    def set_losses(self, steps: NDArray[np.float64], losses: NDArray[np.float64]) -> None:
        """The curve so far, (k,) each, steps rising."""
        finite = np.isfinite(losses)
        self._steps, self._losses = steps[finite], losses[finite]
        self._drawing.soon()

    def _draw_again(self) -> None:
        self._kept = None
        self.update()

    def add_flag(self, step: int, text: str) -> None:
        """Mark a change. Several at one step become one flag with the newest words."""
        self._flags = [flag for flag in self._flags if flag.step != step][-FLAGS + 1 :]
        self._flags.append(Flag(step, text))
        self.update()

    def set_flags(self, flags: Sequence[Flag]) -> None:
        """These and no others; of very many the newest."""
        self._flags = list(flags)[-FLAGS:]
        self.update()

    def clear(self) -> None:
        """A new start: no curve, no flags."""
        self._flags = []
        self._steps = self._losses = np.zeros(0)
        self._step, self._epoch, self._end = 0, 0.0, 0
        self._past, self._wish = Reach(), None
        self._drawing.now()
        self._moving.now()

    def flags(self) -> tuple[Flag, ...]:
        """All flags, oldest first."""
        return tuple(self._flags)

    def flag_at(self, x: float) -> Flag | None:
        """The flag at a place from the left: crowded flags lose their words but keep them here."""
        area = self._area()
        near = [flag for flag in self._flags if -3 <= x - self._x(flag.step, area) <= theme.px(14)]
        return near[-1] if near else None

    def sizeHint(self) -> QSize:
        return QSize(theme.px(600), theme.px(46))

    def span(self) -> int:
        """Steps from the left end to the right: a round number a little beyond now."""
        return nice_span(max(self._end, *(line.end for line in self._past.lines), 0), self._per_epoch)

    def step_at(self, x: float) -> int:
        """The step at a place from the left that can be shown."""
        area = self._area()
        share = (x - area.left()) / max(1.0, area.width())
        return self._possible(round(share * self.span()))

    def x_of(self, step: float) -> float:
        """Where a step lies, from the left."""
        return self._x(step, self._area())

    @property
    def newest(self) -> int:
        """The newest step of the run."""
        return self._end

    def _possible(self, step: int) -> int:
        first = self._end if self._past.first is None else self._past.first
        return max(min(first, self._end), min(self._end, step))

    def _beyond(self, x: float) -> bool:
        """Whether a place is before what can be shown again."""
        area, first = self._area(), self._past.first
        left = area.left() <= x
        return left and (x < self._x(first, area) if first is not None else x < self._x(self._end, area))

    # ---- painting ------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), theme.color("panel"))
        painter.fillRect(QRectF(0, 0, self.width(), 1), theme.color("border"))
        self._paint_words(painter)
        area = self._area()
        if area.width() < 40:
            return
        self._paint_kept(painter, area)
        self._paint_flags(painter, area)
        self._paint_now(painter, area)
        self._paint_hover(painter, area)

    def _paint_words(self, painter: QPainter) -> None:
        per = self._per_epoch or 1
        epoch = self._epoch if self._wish is None else self._wish / per
        whole = i18n.number(epoch, 1 if epoch < 1000 else 0)
        painter.setFont(theme.ui_font(tokens.BASE, theme.SEMIBOLD))
        painter.setPen(theme.color("text1"))
        painter.drawText(QPointF(theme.px(12), self.height() / 2 - 2), tr("Epoch {n}").format(n=whole))
        step = tr("step {n}").format(n=i18n.integer(self.shown))
        if self.shown < self._end:
            step = tr("step {n} of {end}").format(n=i18n.integer(self.shown), end=i18n.integer(self._end))
        draw_caption(painter, QPointF(theme.px(12), self.height() / 2 + theme.px(13)), step, "text2")

    def _area(self) -> QRectF:
        left = theme.px(HEAD) + 12.0
        return QRectF(left, 6.0, self.width() - 24.0 - self.right_margin - left, self.height() - 14.0)

    def _x(self, step: float, area: QRectF) -> float:
        return area.left() + area.width() * min(1.0, step / max(1, self.span()))

    def _paint_marks(self, painter: QPainter, area: QRectF) -> None:
        rail = QRectF(area.left(), area.bottom() - 1.5, area.width(), 3)
        painter.fillRect(rail, theme.color("border"))
        span = self.span()
        per = self._per_epoch or 1
        epochs = span / per
        if epochs < 1:
            return
        every = nice_step(epochs / 5)
        for count in range(1, 12):
            epoch = count * every
            if epoch > epochs * 1.0001:
                break
            x = round(self._x(epoch * per, area)) + 0.5
            painter.setPen(QPen(theme.color("border"), 1))
            painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom() - 2))
            text = i18n.integer(round(epoch))
            at_end = x + theme.px(40) > area.right() + 12
            draw_caption(
                painter,
                QPointF(x - 5 if at_end else x + 5, area.top() + theme.px(8)),
                text,
                "text3",
                "right" if at_end else "left",
            )

    def restyle(self) -> None:
        self._kept = None

    def _paint_kept(self, painter: QPainter, area: QRectF) -> None:
        """Marks, dots and curve, kept as pictures: the knob moves many times between two curves."""
        ratio = self.devicePixelRatioF()
        key = (ratio, self.span(), self._per_epoch, self.right_margin)
        if self._kept is None or self._kept[2] != key or self._kept[0].size() != self.size() * ratio:
            ground = self._picture(ratio, lambda inside: self._paint_ground(inside, area))
            curve = self._picture(ratio, lambda inside: self._paint_curve(inside, area))
            self._kept = (ground, curve, key)
        ground, curve, _ = self._kept
        painter.drawPixmap(0, 0, ground)
        now = self._x(self.shown, area)
        if self.shown >= self._end:
            painter.drawPixmap(0, 0, curve)
            return
        # what came later is there, but it is not what is shown
        for left, right, share in ((0.0, now, 1.0), (now, float(self.width()), 0.4)):
            painter.save()
            painter.setClipRect(QRectF(left, 0, right - left, self.height()))
            painter.setOpacity(share)
            painter.drawPixmap(0, 0, curve)
            painter.restore()

    def _picture(self, ratio: float, paint: Callable[[QPainter], None]) -> QPixmap:
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        inside = QPainter(picture)
        paint(inside)
        inside.end()
        return picture

    def _paint_ground(self, painter: QPainter, area: QRectF) -> None:
        self._paint_marks(painter, area)
        self._paint_dots(painter, area)

    def _paint_curve(self, painter: QPainter, area: QRectF) -> None:
        if len(self._steps) < 2 or self._end < 1:
            return
        wide = self._x(float(self._steps[-1]), area) - area.left()
        shown = curve_points(self._steps, self._losses, int(wide / 2))
        if shown is None:
            return
        steps, losses = shown
        top = float(np.percentile(losses, 99.5)) or 1.0
        height = area.height() - theme.px(6)
        x = area.left() + area.width() * np.minimum(1.0, steps / max(1, self.span()))
        y = area.bottom() - 2 - height * np.clip(losses / top, 0.0, 1.0)
        body = polygon(np.concatenate(([x[0]], x, [x[-1]])),
                       np.concatenate(([area.bottom()], y, [area.bottom()])))  # fmt: skip
        filled = QPainterPath()
        filled.addPolygon(body)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(filled, theme.color("accent", 48))
        painter.setPen(QPen(theme.color("accent", 150), 1))
        painter.drawPolyline(polygon(x, y))
        painter.setPen(QPen(theme.color("text3"), 1))
        for line in self._past.lines:
            if len(line.steps) > 1:
                x = area.left() + area.width() * np.minimum(1.0, np.array(line.steps) / max(1, self.span()))
                y = area.bottom() - 2 - height * np.clip(np.array(line.losses) / top, 0.0, 1.0)
                painter.drawPolyline(polygon(x, y))

    def _paint_dots(self, painter: QPainter, area: QRectF) -> None:
        """The steps that are kept; between them the way is walked again. Crowded ones are one dot."""
        first = self._past.first
        if first:
            gone = QRectF(area.left(), area.bottom() - 1.5, self._x(first, area) - area.left(), 3)
            painter.fillRect(gone, theme.color("panel"))
            painter.fillRect(gone, QBrush(theme.color("border"), Qt.BrushStyle.Dense5Pattern))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text2"))
        free = -math.inf
        for step in self._past.kept:
            x = self._x(step, area)
            if x >= free:
                painter.drawEllipse(QPointF(x, area.bottom() + theme.px(4)), 1.3, 1.3)
                free = x + theme.px(6)
        painter.restore()

    def _paint_hover(self, painter: QPainter, area: QRectF) -> None:
        """Step, epoch and loss under the pointer, or at the knob while it is dragged."""
        if self._pointer is None or not self._end or self._pointer < area.left() - 8:
            return
        if self._pointer > self._x(self._end, area) + theme.px(24) and not self._dragging:
            return
        step = self.step_at(self._pointer)
        words = [tr("step {n}").format(n=i18n.integer(step))]
        loss = self.loss_at(step)
        if loss is not None:
            words.append(tr("loss {value}").format(value=i18n.short(loss, 4)))
        text = " · ".join(words)
        painter.setFont(theme.ui_font(tokens.CAPTION, theme.MEDIUM))
        wide = painter.fontMetrics().horizontalAdvance(text) + theme.px(12)
        x = self._x(step, area)
        left = x + theme.px(8) if x + theme.px(8) + wide < self.width() else x - theme.px(8) - wide
        painter.setPen(QPen(theme.color("text2"), 1))
        painter.drawLine(QPointF(x, area.top() - 3), QPointF(x, area.bottom()))
        box = QRectF(left, theme.px(4), wide, theme.px(20))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("text1"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def loss_at(self, step: int) -> float | None:
        """The loss of the step before it, at the resolution of the curve."""
        if not len(self._steps):
            return None
        at = int(np.searchsorted(self._steps, step - 1, side="right")) - 1
        return float(self._losses[max(0, at)])

    def _paint_flags(self, painter: QPainter, area: QRectF) -> None:
        free = -math.inf
        for flag in self._flags:
            x = round(self._x(flag.step, area)) + 0.5
            painter.setPen(QPen(theme.color("warning"), 1))
            painter.drawLine(QPointF(x, area.top() - 3), QPointF(x, area.bottom()))
            painter.fillRect(QRectF(x, area.top() - 3, theme.px(9), theme.px(7)), theme.color("warning"))
            painter.setFont(theme.ui_font(tokens.CAPTION))
            wide = painter.fontMetrics().horizontalAdvance(flag.text)
            start = x + theme.px(14)
            if start > free and start + wide < area.right():
                draw_caption(painter, QPointF(start, area.top() + theme.px(7)), flag.text, "text2")
                free = start + wide + 8

    def _paint_now(self, painter: QPainter, area: QRectF) -> None:
        x = self._x(self.shown, area)
        done = QRectF(area.left(), area.bottom() - 1.5, x - area.left(), 3)
        painter.fillRect(done, theme.color("accent"))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("text1"), 1.5))
        painter.drawLine(QPointF(x, area.top() - 3), QPointF(x, area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text1"))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
        radius = 7.0 if self._dragging else 5.0
        painter.drawEllipse(QPointF(x, area.bottom() - (radius - 5)), radius, radius)
        painter.restore()

    def _describe(self) -> None:
        self.setAccessibleName(tr("Time line"))
        self.setAccessibleDescription(
            tr("Epoch {epoch}, step {step}").format(epoch=i18n.number(self._epoch, 1), step=self.shown)
        )


def nice_step(value: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `value`."""
    if value <= 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= value)


def nice_span(step: int, per_epoch: int) -> int:
    """The length of the line in steps: 20 epochs at first, then 50, 100, ..., so that it rarely jumps."""
    per = per_epoch or 1
    epochs = step / per
    span = 20
    while span < epochs * 1.02:
        # 20, 50, 100, 200, 500 ...
        span = int(span * (2.5 if str(span)[0] == "2" else 2))
    return span * per


def curve_points(
    steps: NDArray[np.float64], losses: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Means of the curve in at most `width` columns; None when there is nothing to draw."""
    count = min(len(steps), max(2, width))
    if count < 2:
        return None
    edges = np.linspace(0, len(steps), count + 1).astype(int)
    sizes = np.maximum(1, np.diff(edges))
    starts = edges[:-1]
    return np.add.reduceat(steps, starts) / sizes, np.add.reduceat(losses, starts) / sizes
