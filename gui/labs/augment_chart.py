"""Accuracies with and without augmentation: curves over turns, shifts and sizes, the numbers below."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from engine.augment_trial import Condition, Trial
from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.views.base import View, draw_caption, draw_empty, ring

KIND = "transform"
"""The color of the layer Augment is that of the network that has it."""
ROW = 20
STEP = {"turn": 10.0, "size": 10.0}
"""How far apart two amounts are that stand in neighboring columns."""


@dataclass(frozen=True)
class Panel:
    """One of the three curves: conditions from left to right, and where in columns each stands."""

    kind: str
    conditions: tuple[int, ...]
    places: tuple[float, ...]

    @property
    def wide(self) -> float:
        return self.places[-1] + 1


def panels_of(conditions: tuple[Condition, ...]) -> tuple[Panel, ...]:
    """The picture as it is (condition 0) stands where nothing is turned, shifted or scaled."""
    out = []
    for kind in ("turn", "shift", "size"):
        rest = 100.0 if kind == "size" else 0.0
        found = [(rest, 0)] + [(c.amount, i) for i, c in enumerate(conditions) if c.kind == kind]
        found.sort()
        step = STEP.get(kind) or found[1][0] - found[0][0]
        places = tuple((amount - found[0][0]) / step for amount, _ in found)
        out.append(Panel(kind, tuple(i for _, i in found), places))
    return tuple(out)


def amount_text(condition: Condition, kind: str) -> str:
    """What stands under a column: +30°, 2, 110 %."""
    if kind == "turn":
        return i18n.number(condition.amount, 0, sign=condition.amount != 0) + "°"
    if kind == "shift":
        return i18n.number(condition.amount, 0)
    return i18n.number(100.0 if condition.kind == "plain" else condition.amount, 0)


def draw_mark(painter: QPainter, at: QPointF, with_: bool) -> None:
    """A disc for the network with augmentation, a square for the one without."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    half = theme.px(4)
    if with_:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.kind_color(KIND))
        painter.drawEllipse(at, half + 0.5, half + 0.5)
    else:
        painter.setPen(QPen(theme.color("text2"), 2))
        painter.setBrush(theme.color("panel"))
        painter.drawRect(QRectF(at.x() - half + 0.5, at.y() - half + 0.5, 2 * half - 1, 2 * half - 1))
    painter.restore()


class AccuracyChart(View):
    """`chosen(condition)` by a click on a column or the arrow keys."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Accuracies on changed test pictures"))
        self.empty_text = ""
        self._trial: Trial | None = None
        self._panels: tuple[Panel, ...] = ()
        self._at = (0, 0)
        """Panel, and condition in it."""
        self._over: tuple[int, int] | None = None

    def show_trial(self, trial: Trial | None) -> None:
        """Another result; the column chosen stays."""
        fresh = trial is not None and not self._panels
        self._trial = trial
        self._panels = panels_of(trial.conditions) if trial is not None else ()
        if fresh:
            self._at = (0, len(self._panels[0].conditions) - 2)  # +30 degrees
        self.update()

    @property
    def condition(self) -> int:
        """The condition chosen."""
        panel, k = self._at
        return self._panels[panel].conditions[k] if self._panels else 0

    def select(self, panel: int, k: int) -> None:
        """Choose a column: panel 0 turns, 1 shifts, 2 sizes."""
        self._at = (panel, k)
        self.update()
        self.chosen.emit(self.condition)

    # ---- places ----------------------------------------------------------------------------------------

    def _heads(self) -> tuple[str, str, str]:
        # Translators: heads of rows, the accuracies of the network trained without and with augmentation.
        return tr("without"), tr("with"), tr("difference")

    def _left(self) -> float:
        metrics = self.fontMetrics()
        return max(metrics.horizontalAdvance(t) for t in self._heads()) + theme.px(44)

    def _column(self) -> float:
        gaps = theme.px(28) * (len(self._panels) - 1)
        return (self.width() - self._left() - gaps - theme.px(12)) / sum(p.wide for p in self._panels)

    def _panel_left(self, number: int) -> float:
        before = sum(p.wide for p in self._panels[:number])
        return self._left() + before * self._column() + number * theme.px(28)

    def column_x(self, panel: int, k: int) -> float:
        """The middle of a column."""
        return self._panel_left(panel) + (self._panels[panel].places[k] + 0.5) * self._column()

    def _plot(self) -> tuple[float, float]:
        """Where 100 % and 0 % lie."""
        return float(theme.px(34)), float(self.height() - theme.px(4) * ROW - theme.px(16))

    def _found(self, at: QPointF) -> tuple[int, int] | None:
        for p, panel in enumerate(self._panels):
            for k in range(len(panel.conditions)):
                if abs(at.x() - self.column_x(p, k)) <= self._column() / 2 and at.y() >= theme.px(24):
                    return p, k
        return None

    # ---- hands -----------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._found(event.position())
        if over != self._over:
            self._over = over
            self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._found(event.position())
        if found is not None and self._trial is not None and self._trial.tested is not None:
            self.select(*found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if not way or not self._panels:
            super().keyPressEvent(event)
            return
        every = [(p, k) for p, panel in enumerate(self._panels) for k in range(len(panel.conditions))]
        self.select(*every[max(0, min(len(every) - 1, every.index(self._at) + way))])

    # ---- painting --------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(theme.px(900), theme.px(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(430), theme.px(270))

    def paint(self, painter: QPainter) -> None:
        trial = self._trial
        if trial is None or trial.tested is None:
            draw_empty(self, painter, self.empty_text)
            return
        self._paint_marked(painter)
        self._paint_frame(painter, trial)
        accuracies = trial.tested.accuracies
        names = {"turn": tr("Turned, degrees"), "shift": tr("Shifted, pixels"), "size": tr("Size, percent")}
        top, base = self._plot()
        for p, panel in enumerate(self._panels):
            title = QPointF(self._panel_left(p), theme.px(18))
            painter.setFont(theme.ui_font(tokens.BASE, theme.SEMIBOLD))
            painter.setPen(theme.color("text1"))
            room = int(panel.wide * self._column()) + theme.px(20)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(title, painter.fontMetrics().elidedText(names[panel.kind], elide, room))
            for number, with_ in ((0, False), (1, True)):
                at = [
                    QPointF(self.column_x(p, k), base - (base - top) * float(accuracies[number, c]))
                    for k, c in enumerate(panel.conditions)
                ]
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                color = theme.kind_color(KIND) if with_ else theme.color("text2")
                style = Qt.PenStyle.SolidLine if with_ else Qt.PenStyle.DashLine
                painter.setPen(QPen(color, tokens.LINE_CURVE, style))
                painter.drawPolyline(QPolygonF(at))
                for point in at:
                    draw_mark(painter, point, with_)
            self._paint_numbers(painter, p, trial)

    def _paint_frame(self, painter: QPainter, trial: Trial) -> None:
        """Lines at every quarter, what guessing would reach, and the heads of the rows."""
        top, base = self._plot()
        left, right = self._left() - theme.px(4), float(self.width() - theme.px(8))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for part in range(5):
            y = round(base - (base - top) * part / 4) + 0.5
            painter.setPen(QPen(theme.color("grid" if part else "border"), 1))
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            text = i18n.number(25.0 * part, 0) + " %"
            draw_caption(painter, QPointF(left - theme.px(6), y + theme.px(4)), text, align="right")
        guess = round(base - (base - top) / trial.classes) + 0.5
        painter.setPen(QPen(theme.color("link"), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(left, guess), QPointF(right, guess))
        draw_caption(painter, QPointF(right, guess - theme.px(4)), tr("guessing"), align="right")
        painter.setFont(theme.ui_font(tokens.STATUS))
        for row, text in enumerate(self._heads(), 1):
            y = self._row(row)
            if row < 3:
                draw_mark(painter, QPointF(theme.px(14), y + theme.px(ROW) / 2), row == 2)
            painter.setFont(theme.ui_font(tokens.STATUS))
            painter.setPen(theme.color("text1" if row == 2 else "text2"))
            box = QRectF(theme.px(26), y, left, theme.px(ROW))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _row(self, row: int) -> float:
        return self._plot()[1] + theme.px(8) + row * theme.px(ROW)

    def _paint_numbers(self, painter: QPainter, p: int, trial: Trial) -> None:
        assert trial.tested is not None
        panel, wide = self._panels[p], self._column()
        painter.setFont(theme.mono_font(tokens.CAPTION, theme.MEDIUM))
        room = painter.fontMetrics().horizontalAdvance("+00.0") + theme.px(4)
        digits = 1 if wide >= room else 0
        for k, c in enumerate(panel.conditions):
            without, with_ = (100 * float(v) for v in trial.tested.accuracies[:, c])
            change = with_ - without
            x = self.column_x(p, k) - wide / 2
            token = "ok" if change > 0 else "danger" if change < 0 else "text3"
            texts = (
                (amount_text(trial.conditions[c], panel.kind), "text2"),
                (i18n.number(without, digits), "text2"),
                (i18n.number(with_, digits), "text1"),
                (i18n.number(change, digits, sign=True), token),
            )
            for row, (text, token) in enumerate(texts):
                weight = theme.MEDIUM if row == 3 else theme.REGULAR
                painter.setFont(theme.mono_font(tokens.CAPTION, weight))
                painter.setPen(theme.color(token))
                box = QRectF(x - 4, self._row(row), wide + 8, theme.px(ROW))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_marked(self, painter: QPainter) -> None:
        wide = self._column()
        for place, chosen in ((self._over, False), (self._at, True)):
            if place is None:
                continue
            box = QRectF(self.column_x(*place) - wide / 2, theme.px(26), wide, self.height() - theme.px(32))
            painter.fillRect(box, theme.color("accentbg" if chosen else "raised"))
            if chosen:
                ring(painter, box, theme.color("accent"), 1.5)
