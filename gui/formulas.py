"""Formulas: LaTeX typeset by ziamath, tinted with a token, kept as pictures.

ziamath is imported at the first formula, not at the start of the window. A formula that cannot be
typeset is shown as its source: nobody loses a panel to a missing brace.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme, tokens, warm_up

_log = logging.getLogger("matrizen.formulas")
MOST = 512
_svgs: dict[tuple[str, float, str], str] = {}
_typesetting = threading.Lock()


@lru_cache(maxsize=256)
def _renderer(latex: str, size: float, color: str) -> QSvgRenderer | None:
    """The typeset formula as vectors, None where ziamath refuses it."""
    try:
        svg = _svg(latex, size, color)
        renderer = QSvgRenderer(QByteArray(svg.encode()))
    except Exception as error:  # whatever a formula provokes in the typesetter, the window goes on
        _log.warning("formula %r cannot be typeset: %s", latex, error)
        return None
    return renderer if renderer.isValid() and not renderer.defaultSize().isEmpty() else None


def _svg(latex: str, size: float, color: str) -> str:
    """Typeset once; by one thread at a time, for the typesetter has settings of its own."""
    with _typesetting:
        key = (latex, size, color)
        if key not in _svgs:
            if len(_svgs) >= MOST:
                _svgs.clear()
            _svgs[key] = _typeset(latex, size, color)
        return _svgs[key]


def prepared(latex: str, size: float = tokens.TITLE) -> bool:
    """Whether the formula can be shown at once, as it is painted by default."""
    return (latex, float(theme.px(size)), theme.color("text1").name()) in _svgs


def prepare(formulas: Callable[[], Iterable[str]], wanted: Callable[[], bool]) -> threading.Thread:
    """Do the slow half of showing formulas by default in a thread, for as long as they are wanted.

    The thread touches no Qt object: one that dies just then would take the program along.
    """
    size, color = float(theme.px(tokens.TITLE)), theme.color("text1").name()

    def work() -> None:
        for latex in formulas():
            if not wanted():
                return
            with suppress(Exception):  # what cannot be typeset is told where it is shown
                _svg(latex, size, color)

    thread = threading.Thread(target=work, name="matrizen-formulas", daemon=True)
    thread.start()
    return thread


def _typeset(latex: str, size: float, color: str) -> str:
    with warnings.catch_warnings():
        # the typesetter's own way of finding its font is deprecated in newer Pythons
        warnings.simplefilter("ignore")
        warm_up.whole("ziamath")
        from ziamath.config import config
        from ziamath.zmath import Math

        config.svg2 = False  # Qt draws plain paths, not <symbol> and <use>
        return str(Math.fromlatex(latex, size=size, color=color).svg())


def formula_size(latex: str, size: float = tokens.TITLE) -> QSizeF:
    """Width and height of a formula in logical pixels."""
    renderer = _renderer(latex, float(theme.px(size)), theme.color("text1").name())
    if renderer is None:
        metrics = QFontMetrics(theme.mono_font(tokens.STATUS))
        return QSizeF(metrics.horizontalAdvance(latex) + 2, metrics.height())
    return QSizeF(renderer.viewBoxF().size())


def paint_formula(
    painter: QPainter, latex: str, rect: QRectF, size: float = tokens.TITLE, color: str | QColor = "text1"
) -> None:
    """Draw a formula centered in `rect`, made smaller if it does not fit."""
    tint = color if isinstance(color, QColor) else theme.color(color)
    renderer = _renderer(latex, float(theme.px(size)), tint.name())
    if renderer is None:
        painter.setFont(theme.mono_font(tokens.STATUS))
        painter.setPen(tint)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, latex)
        return
    wanted = QSizeF(renderer.viewBoxF().size())
    factor = min(1.0, rect.width() / wanted.width(), rect.height() / wanted.height())
    wanted *= factor
    place = QRectF(
        rect.center().x() - wanted.width() / 2, rect.center().y() - wanted.height() / 2,
        wanted.width(), wanted.height(),
    )  # fmt: skip
    renderer.render(painter, place)


@lru_cache(maxsize=256)
def _pixmap(latex: str, size: float, color: str, ratio: float, scale: float) -> QPixmap:
    box = formula_size(latex, size)
    made = QPixmap(max(1, round(box.width() * ratio)), max(1, round(box.height() * ratio)))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    paint_formula(painter, latex, QRectF(0, 0, box.width(), box.height()), size, QColor(color))
    painter.end()
    return made


def formula_pixmap(
    latex: str, size: float = tokens.TITLE, color: str | QColor = "text1", ratio: float | None = None
) -> QPixmap:
    """A formula as a picture for labels, at `ratio` device pixels per logical one (None: the app's)."""
    tint = color if isinstance(color, QColor) else theme.color(color)
    if ratio is None:
        application = QGuiApplication.instance()
        ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    return _pixmap(latex, size, tint.name(), ratio, theme.scale())


class FormulaView(QWidget):
    """A formula in a row of its own; follows the theme and shrinks to the width there is."""

    def __init__(self, latex: str = "", size: float = tokens.TITLE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latex, self._points = latex, size
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)

    def set_formula(self, latex: str) -> None:
        """Another formula; "" shows nothing."""
        self._latex = latex
        self.setAccessibleName(latex)
        self._restyle()

    def sizeHint(self) -> QSize:
        box = formula_size(self._latex, self._points) if self._latex else QSizeF(0, 0)
        return QSize(int(box.width()) + theme.px(16), int(box.height()) + theme.px(12))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(60), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._latex:
            return
        painter = QPainter(self)
        paint_formula(painter, self._latex, QRectF(self.rect()).adjusted(4, 2, -4, -2), self._points)
        painter.end()

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()
