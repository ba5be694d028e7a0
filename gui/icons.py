"""Icons: SVG files tinted with a token and rendered once per size, tint and pixel ratio.

Every icon stands on a 24 grid with 1.5 strokes and `currentColor`; `resources/icons/<name>.svg`.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gui import resources, theme, tokens

DEFAULT_SIZE = 18
_CACHE_LIMIT = 600
_pixmaps: OrderedDict[tuple[str, str, int, float], QPixmap] = OrderedDict()


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The names of all bundled icons."""
    return frozenset(file.stem for file in resources.path("icons").glob("*.svg"))


@lru_cache(maxsize=512)
def _renderer(name: str, tint: str) -> QSvgRenderer:
    text = resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(text.replace("currentColor", tint).encode()))


def _tint(color: str | QColor | None) -> QColor:
    """A token name ("text2"), a kind ("linear"), "#RRGGBB", a QColor, or text1 for None."""
    if isinstance(color, QColor):
        return color
    if color is None:
        return theme.color("text1")
    if color in tokens.KINDS:
        return theme.kind_color(color)
    return QColor(color) if color.startswith("#") else theme.color(color)


def paint(painter: QPainter, name: str, rect: QRectF, color: str | QColor | None = None) -> None:
    """Draw an icon into `rect` as vectors, for scenes that zoom. Raises FileNotFoundError."""
    tint = _tint(color)
    opacity = painter.opacity()
    painter.setOpacity(opacity * tint.alphaF())
    _renderer(name, tint.name()).render(painter, rect)
    painter.setOpacity(opacity)


def pixmap(
    name: str, color: str | QColor | None = None, size: int = DEFAULT_SIZE, ratio: float | None = None
) -> QPixmap:
    """An icon of `size` x `size` logical pixels for a screen of pixel ratio `ratio` (None: the app's).

    `color` is a token, a kind, "#RRGGBB", a QColor or None for text1. Raises FileNotFoundError.
    """
    tint = _tint(color)
    application = QGuiApplication.instance()
    if ratio is None:
        ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    key = (name, tint.name(QColor.NameFormat.HexArgb), size, ratio)
    made = _pixmaps.get(key)
    if made is None:
        made = _blank(size, ratio)
        painter = QPainter(made)
        paint(painter, name, QRectF(0, 0, size, size), tint)
        painter.end()
        _pixmaps[key] = made
        while len(_pixmaps) > _CACHE_LIMIT:
            _pixmaps.popitem(last=False)
    return made


def icon(name: str, color: str | QColor | None = None, size: int = DEFAULT_SIZE) -> QIcon:
    """A QIcon for buttons and menus that follows the theme by itself: it is tinted when it is drawn.

    Off it is drawn in text3; `color` as in `pixmap`. `size` is what `actualSize` reports.
    """
    _renderer(name, "#000000")  # a missing file is an error here, not in a paint event
    return QIcon(_Engine(name, color, size))


def app_icon() -> QIcon:
    """The icon of the window itself, in its own colors."""
    return QIcon(str(resources.path("icons", "app", "matrizen.svg")))


def kind_tile(kind: str, name: str, size: int = 26, ratio: float | None = None) -> QPixmap:
    """The tile of a layer: its icon in its kind's color on a quarter of that color."""
    application = QGuiApplication.instance()
    if ratio is None:
        ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    tile = _blank(size, ratio)
    painter = QPainter(tile)
    paint_kind_tile(painter, QRectF(0, 0, size, size), kind, name)
    painter.end()
    return tile


def paint_kind_tile(painter: QPainter, rect: QRectF, kind: str, name: str) -> None:
    """Draw that tile into `rect` as vectors; radius and icon scale with it."""
    current = theme.theme()
    share = 0.24 if current.is_dark else 0.18
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(tokens.mix(current.panel, current.kind(kind), share)))
    radius = rect.width() * 0.2
    painter.drawRoundedRect(rect, radius, radius)
    inset = rect.width() * 0.17
    paint(painter, name, rect.adjusted(inset, inset, -inset, -inset), kind)


def _blank(size: int, ratio: float) -> QPixmap:
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    return made


class _Engine(QIconEngine):
    """Draws from the cache with the token's color of the moment, so a theme switch needs no rebuild."""

    def __init__(self, name: str, color: str | QColor | None, size: int) -> None:
        super().__init__()
        self._name, self._color, self._size = name, color, size

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._color, self._size)

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return QSize(side, side)

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        box = QRectF(rect)  # type: ignore[call-overload]
        side = min(box.width(), box.height())
        box = QRectF(box.center().x() - side / 2, box.center().y() - side / 2, side, side)
        paint(painter, self._name, box, self._tint(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        # Qt asks in device pixels here and sets the ratio itself
        return pixmap(self._name, self._tint(mode), max(1, min(size.width(), size.height())), 1.0)

    def _tint(self, mode: QIcon.Mode) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return QColor(tokens.mix(theme.theme().text3, theme.theme().panel, 0.35))
        return _tint(self._color)
