"""How a node is painted: body, header, footer, rings. Everything in logical pixels at 100 %."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from gui import icons, theme, tokens
from gui.canvas.acting import NO_TOUCH, Touch
from gui.canvas.geometry import FOOTER, HEADER, PICTURE_HEIGHT, PICTURE_TOP, TILE
from gui.canvas.look import Detail, NodeLook
from gui.i18n import tr

RADIUS = tokens.RADIUS_NODE


@lru_cache(maxsize=64)
def _font(size: float, weight: QFont.Weight, scale: float, mono: bool) -> QFont:
    return theme.mono_font(size / scale, weight) if mono else theme.ui_font(size / scale, weight)


def font(size: float, weight: QFont.Weight = theme.REGULAR, *, mono: bool = False) -> QFont:
    """A font of the scene: the view itself enlarges in presentation mode, so the font must not."""
    return _font(size, weight, theme.scale(), mono)


def outline(rect: QRectF, left: float = RADIUS, right: float = RADIUS) -> QPainterPath:
    """A rectangle with round corners, another radius on each side."""
    path = QPainterPath()
    path.moveTo(rect.left() + left, rect.top())
    path.lineTo(rect.right() - right, rect.top())
    if right:
        path.arcTo(rect.right() - 2 * right, rect.top(), 2 * right, 2 * right, 90, -90)
        path.lineTo(rect.right(), rect.bottom() - right)
        path.arcTo(rect.right() - 2 * right, rect.bottom() - 2 * right, 2 * right, 2 * right, 0, -90)
    else:
        path.lineTo(rect.bottomRight())
    path.lineTo(rect.left() + left, rect.bottom())
    if left:
        path.arcTo(rect.left(), rect.bottom() - 2 * left, 2 * left, 2 * left, 270, -90)
        path.lineTo(rect.left(), rect.top() + left)
        path.arcTo(rect.left(), rect.top(), 2 * left, 2 * left, 180, -90)
    else:
        path.lineTo(rect.topLeft())
    path.closeSubpath()
    return path


def paint_body(
    p: QPainter, look: NodeLook, detail: Detail, hovered: bool, warned: bool, acting: bool
) -> None:
    """The node without pictures, ports and rings."""
    rect = QRectF(0, 0, look.size.width, look.size.height)
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    if detail == "block":
        p.fillRect(rect, theme.color("danger") if look.problem else theme.kind_color(look.category))
        return
    left = 0.0 if look.flush_left else RADIUS
    right = 0.0 if look.flush_right else RADIUS
    path = outline(rect, left, right)
    if detail == "icon":
        _paint_icon_block(p, look, rect, path)
        return
    p.fillPath(path.translated(0, 1), theme.color("shadow"))
    surface = tokens.mix(theme.theme().raised, theme.theme().text1, 0.05) if hovered else theme.theme().raised
    p.fillPath(path, QColor(surface))
    if look.size.unfold is None:
        bottom = PICTURE_TOP + PICTURE_HEIGHT if detail == "all" else look.size.height - 12
        p.fillRect(QRectF(1, PICTURE_TOP, rect.width() - 2, bottom - PICTURE_TOP), theme.color("canvas"))
        if detail == "all":
            _paint_header(p, look)
        else:
            _paint_far_header(p, look)
    else:
        _paint_unfolded_header(p, look)
    _paint_outline(p, look, path, hovered and not acting, warned)


def _paint_outline(p: QPainter, look: NodeLook, path: QPainterPath, hovered: bool, warned: bool) -> None:
    p.setBrush(Qt.BrushStyle.NoBrush)
    if look.problem:
        p.setPen(QPen(theme.color("danger"), 2))
    elif look.warning or warned:
        p.setPen(QPen(theme.color("warning"), 1))
    else:
        p.setPen(QPen(theme.color("text3" if hovered else "border"), 1))
    p.drawPath(path)


def _paint_icon_block(p: QPainter, look: NodeLook, rect: QRectF, path: QPainterPath) -> None:
    now = theme.theme()
    kind = now.kind(look.category)
    p.fillPath(path, QColor(tokens.mix(now.panel, kind, 0.35)))
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.setPen(QPen(theme.color("danger") if look.problem else QColor(kind), 6 if look.problem else 3))
    p.drawPath(path)
    side = min(rect.width() * 0.62, 84.0)
    icons.paint(
        p, look.icon, QRectF(rect.center().x() - side / 2, rect.center().y() - side / 2, side, side), kind
    )


def _paint_header(p: QPainter, look: NodeLook) -> None:
    name_font = font(13, theme.SEMIBOLD)
    width = look.size.width
    if look.compact:
        _text(p, look.name, name_font, "text1", QRectF(4, 0, width - 8, HEADER), center=True)
        return
    icons.paint_kind_tile(p, QRectF(10, 10, TILE, TILE), look.category, look.icon)
    room = width - 44 - 8
    _text(p, look.name, name_font, "text1", QRectF(44, 6, room, 19))
    _text(p, look.summary, font(11), "text2", QRectF(44, 24, room, 16))


def _paint_far_header(p: QPainter, look: NodeLook) -> None:
    """From further away: the name, larger, and the picture."""
    width = look.size.width
    if look.compact:
        _text(p, look.name, font(14, theme.SEMIBOLD), "text1", QRectF(2, 0, width - 4, HEADER), center=True)
        return
    icons.paint_kind_tile(p, QRectF(8, 9, 28, 28), look.category, look.icon)
    _text(p, look.name, font(18, theme.SEMIBOLD), "text1", QRectF(43, 0, width - 47, HEADER))


def _paint_unfolded_header(p: QPainter, look: NodeLook) -> None:
    width = float(look.size.width)
    bold = font(13, theme.SEMIBOLD)
    text = QFontMetricsF(bold).elidedText(look.name, Qt.TextElideMode.ElideRight, width - 32)
    used = QFontMetricsF(bold).horizontalAdvance(text) + 20
    left = max(6.0, (width - used) / 2)
    icons.paint(p, look.icon, QRectF(left, 9, 15, 15), look.category)
    p.setFont(bold)
    p.setPen(theme.color("text1"))
    p.drawText(QPointF(left + 20, 21), text)
    _text(p, look.summary, font(11), "text2", QRectF(4, 26, width - 8, 18), center=True)


def paint_footer(
    p: QPainter, look: NodeLook, caption: str, health: str, acting: str, touch: Touch = NO_TOUCH
) -> None:
    """Count and health; a problem says what is wrong, a step what the node has to do with it."""
    width, top = look.size.width, look.size.height - FOOTER
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    if acting:
        _text(p, acting, font(11, theme.SEMIBOLD), "trace", QRectF(12, top, width - 36, FOOTER))
        icons.paint(p, "step-op", QRectF(width - 27, top + 8, 15, 15), "trace")
        return
    if touch.word:
        text, sign = _touched(touch)
        left = (width - 15) / 2 if look.compact else width - 27
        if not look.compact:
            _text(p, text, font(11, theme.SEMIBOLD), "trace", QRectF(12, top, width - 38, FOOTER))
        icons.paint(p, sign, QRectF(left, top + 8, 15, 15), "trace")
        return
    sign, tint, text = "", "", caption or look.count
    if look.problem:
        sign, tint, text = "problem", "danger", look.problem
    elif look.warning or health == "warning":
        sign, tint, text = "warning", "warning", look.warning or text
    elif health == "ok":
        sign, tint = "check", "ok"
    if look.compact:
        if look.problem:
            icons.paint(p, sign, QRectF(width / 2 - 7, top + 8, 14, 14), tint)
        else:
            _text(p, text, font(11), "text2", QRectF(2, top, width - 4, FOOTER), center=True)
        return
    _text(p, text, font(11), "text2", QRectF(12, top, width - (38 if sign else 22), FOOTER))
    if sign:
        icons.paint(p, sign, QRectF(width - 27, top + 7.5, 15, 15), tint)


def _touched(touch: Touch) -> tuple[str, str]:
    """A word and a sign for what the acting op does with this node."""
    return {
        "reads": (tr("is read"), "eye"),
        "writes": (tr("gets the result"), "import"),
        "both": (tr("is read, gets the result"), "import"),
    }[touch.word]


def paint_ring(p: QPainter, look: NodeLook, token: str, *, dashed: bool = False) -> None:
    """The ring of selection, focus or calculation, outside the node."""
    gap = tokens.RING_GAP + tokens.LINE_RING / 2
    left = 0.0 if look.flush_left else gap
    right = 0.0 if look.flush_right else gap
    rect = QRectF(0, 0, look.size.width, look.size.height).adjusted(-left, -gap, right, gap)
    path = outline(rect, 0.0 if look.flush_left else RADIUS + gap, 0.0 if look.flush_right else RADIUS + gap)
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setBrush(Qt.BrushStyle.NoBrush)
    if token == "trace" and not theme.theme().is_dark:
        p.setPen(QPen(theme.color("tracebg"), 6))
        p.drawPath(path)
    pen = QPen(theme.color(token), tokens.LINE_RING)
    if dashed:
        pen.setDashPattern([3.0, 2.5])
    p.setPen(pen)
    p.drawPath(path)


def paint_port(
    p: QPainter, at: QPointF, diameter: float, token: str, filled: bool, *, coarse: bool = False
) -> None:
    """A ring, or a disc. Kept as pictures at quarters of a pixel: there are two or more at every node.

    `coarse`: while the zoom moves whole pixels are good enough, and most pictures are known.
    """
    t = p.transform()
    ratio = p.device().devicePixelRatio()
    ink = getattr(theme.theme(), token)
    fill = ink if filled else theme.theme().canvas
    place = t.map(at) * ratio
    x, y = math.floor(place.x()), math.floor(place.y())
    size, width = round(diameter * t.m11() * ratio, 3), 2 * t.m11() * ratio
    shift = (round((place.x() - x) * 4), round((place.y() - y) * 4))
    if coarse:
        size, width, shift = max(2.0, round(size)), max(1.0, round(2 * width) / 2), (2, 2)
    picture = _port(size, width, fill, ink, shift, ratio)
    half = picture.width() // 2
    p.resetTransform()
    p.drawPixmap(QPointF((x - half) / ratio, (y - half) / ratio), picture)
    p.setTransform(t)


@lru_cache(maxsize=512)
def _port(
    diameter: float, width: float, fill: str, ink: str, shift: tuple[int, int], ratio: float
) -> QPixmap:
    """In device pixels, the middle `shift` quarters of a pixel off the middle of the picture."""
    half = math.ceil(diameter / 2) + 2
    made = QPixmap(2 * half, 2 * half)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(ink), width))
    painter.setBrush(QColor(fill))
    r = (diameter - width) / 2
    painter.drawEllipse(QPointF(half + shift[0] / 4, half + shift[1] / 4), r, r)
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


_fits: dict[tuple[str, str, float], str] = {}


def _elided(text: str, key: str, width: float, face: QFont) -> str:
    """The text shortened to a width, remembered: measuring costs more than drawing."""
    found = _fits.get((text, key, width))
    if found is None:
        if len(_fits) > 4000:
            _fits.clear()
        found = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, width)
        _fits[text, key, width] = found
    return found


def _text(p: QPainter, text: str, face: QFont, token: str, rect: QRectF, *, center: bool = False) -> None:
    """One line, elided to fit."""
    p.setFont(face)
    p.setPen(theme.color(token))
    shown = _elided(text, face.key(), rect.width(), face)
    side = Qt.AlignmentFlag.AlignHCenter if center else Qt.AlignmentFlag.AlignLeft
    p.drawText(rect, int(side | Qt.AlignmentFlag.AlignVCenter), shown)


draw_text = _text
