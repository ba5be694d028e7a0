"""Test pictures of one condition by what became of them: right only with augmentation, only without, ..."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.augment_trial import SHOWN, Example, Trial
from gui import i18n, theme, tokens
from gui.i18n import tr
from gui.labs.affine_face import image_of
from gui.labs.augment_chart import draw_mark
from gui.views.base import View

LARGEST = 96


class ExamplesView(View):
    """Four groups side by side; under each picture what both networks say it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._groups: list[list[tuple[Example, QImage]]] = []
        self._counts: tuple[int, ...] = ()
        self._names: tuple[str, ...] = ()

    def show_condition(self, trial: Trial | None, condition: int) -> None:
        """What both said under this condition."""
        self._groups = []
        if trial is not None and trial.tested is not None:
            self._counts = trial.tested.outcomes(condition)
            self._names = trial.class_names
            self._groups = [[] for _ in range(4)]
            for e in trial.tested.examples[condition]:
                self._groups[outcome_of(e)].append((e, image_of(e.picture)))
        self.update()

    def heads(self) -> list[str]:
        """What stands over the groups."""
        names = (tr("right only with"), tr("right only without"), tr("right in both"), tr("wrong in both"))
        return [f"{n}: {i18n.integer(c)}" for n, c in zip(names, self._counts, strict=True)]

    def sizeHint(self) -> QSize:
        return QSize(theme.px(900), theme.px(LARGEST + 84))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(430), theme.px(150))

    def paint(self, painter: QPainter) -> None:
        if not self._groups:
            return
        wide = self.width() / 4
        line = theme.px(16)
        room = self.height() - 4 * line - theme.px(12)
        side = min((wide - theme.px(16)) / SHOWN - theme.px(8), room, theme.px(LARGEST))
        for g, (head, group) in enumerate(zip(self.heads(), self._groups, strict=True)):
            x = g * wide
            painter.setFont(theme.ui_font(tokens.BASE, theme.MEDIUM))
            painter.setPen(theme.color("text1" if group else "text3"))
            box = QRectF(x, 0, wide - theme.px(8), theme.px(20))
            text = painter.fontMetrics().elidedText(head, Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)
            for k, (example, image) in enumerate(group):
                self._paint_example(painter, QRectF(x + k * (side + theme.px(8)), theme.px(26), side, side),
                                    example, image, line)  # fmt: skip

    def _paint_example(
        self, painter: QPainter, box: QRectF, example: Example, image: QImage, line: int
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > box.width())
        high = box.height() * min(1.0, image.height() / image.width())
        wide = box.width() * min(1.0, image.width() / image.height())
        shown = QRectF(box.left(), box.top() + box.height() - high, wide, high)
        painter.drawImage(shown, image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(shown)
        y = box.bottom() + theme.px(4)
        painter.setFont(theme.ui_font(tokens.CAPTION, theme.MEDIUM))
        self._say(painter, QRectF(box.left(), y, box.width(), line), self._names[example.truth], "text1")
        for number, said in enumerate((example.without, example.with_)):
            row = QRectF(box.left() + theme.px(14), y + (number + 1) * line, box.width() - theme.px(14), line)
            right = said == example.truth
            draw_mark(painter, QPointF(box.left() + theme.px(5), row.center().y()), bool(number))
            painter.setFont(theme.ui_font(tokens.CAPTION))
            mark = "✓" if right else "✗"
            self._say(painter, row, self._names[said], "ok" if right else "danger", f" {mark}")

    @staticmethod
    def _say(painter: QPainter, box: QRectF, text: str, token: str, end: str = "") -> None:
        metrics = painter.fontMetrics()
        room = int(box.width()) - metrics.horizontalAdvance(end)
        painter.setPen(theme.color(token))
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text + end)


def outcome_of(e: Example) -> int:
    """0 right only with augmentation, 1 only without, 2 in both, 3 in neither."""
    if e.with_ == e.truth:
        return 2 if e.without == e.truth else 0
    return 1 if e.without == e.truth else 3
