"""How a block is painted: what lies under its card, the drawing of what is inside, frame and title."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from engine.graph import Uid
from gui import icons, theme, tokens
from gui.canvas.block_look import BlockLook
from gui.canvas.block_places import TITLE
from gui.canvas.look import Detail
from gui.canvas.node_paint import draw_text, font, outline

SHEETS = (6.0, 3.0)
"""How far the edges of the cards under the first one look out: there is more inside."""
LARGEST = 46.0
"""Height of a layer in the small drawing at most."""
RADIUS = tokens.RADIUS_NODE + 2.0


def paint_stack(painter: QPainter, look: BlockLook) -> None:
    """The edges of two more cards, below."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rect = QRectF(0, 0, look.size.width, look.size.height)
    for far in SHEETS:
        path = outline(rect.adjusted(far * 1.5, far, -far * 1.5, far))
        painter.fillPath(path, theme.color("panel"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawPath(path)


def paint_drawing(painter: QPainter, look: BlockLook, room: QRectF, acting: Uid | None) -> None:
    """The members as small shapes in their colors, links among them, as large as there is room; the one at
    work has the ring of the calculation."""
    if not look.pieces:
        return
    high = max(y + h for _, y, _, h in (piece.place for piece in look.pieces))
    tallest = max((p.place[3] for p in look.pieces if not p.block), default=high)
    scale = min(room.width(), room.height() / max(high, 1e-6), LARGEST / max(tallest, 1e-6))
    left, top = room.center().x() - scale / 2, room.center().y() - high * scale / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("link"), 1.4))
    for x0, y0, x1, y1 in look.ways:
        painter.drawLine(QLineF(left + x0 * scale, top + y0 * scale, left + x1 * scale, top + y1 * scale))
    now = theme.theme()
    for piece in look.pieces:
        x, y, w, h = piece.place
        rect = QRectF(left + x * scale, top + y * scale, w * scale, h * scale).adjusted(0.5, 0.5, -0.5, -0.5)
        kind = now.kind(piece.category)
        radius = min(4.0, rect.width() / 3)
        painter.setBrush(QColor(tokens.mix(now.panel, kind, 0.35)))
        line = (theme.color("danger"), 2.0) if piece.problem else (QColor(kind), 1.2)
        painter.setPen(QPen(*line))
        if piece.block:
            painter.drawRoundedRect(rect.translated(1.5, 1.5), radius, radius)
        painter.drawRoundedRect(rect, radius, radius)
        if acting in piece.layers:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("trace"), 2))
            painter.drawRoundedRect(rect.adjusted(-2.5, -2.5, 2.5, 2.5), radius + 2, radius + 2)


def paint_growing(painter: QPainter, place: QRectF) -> None:
    """The outline between card and frame, while a block folds or opens."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(outline(place, RADIUS, RADIUS), theme.color("raised", 120))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("text3"), 1))
    painter.drawPath(outline(place, RADIUS, RADIUS))


def paint_frame(
    painter: QPainter, look: BlockLook, rect: QRectF, detail: Detail, hovered: bool, selected: bool,
    focused: bool, zoom: float,
) -> None:  # fmt: skip
    """An open block: a quiet ground, a title bar, a ring when it is selected."""
    now = theme.theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = outline(rect, RADIUS, RADIUS)
    share = 0.35 + 0.25 * (look.depth % 2)
    painter.fillPath(path, QColor(tokens.mix(now.canvas, now.panel, min(1.0, share + 0.25))))
    bar = tokens.mix(now.raised, now.text1, 0.05) if hovered else now.raised
    painter.fillPath(_upper(rect), QColor(bar))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.color("border"), 1))
    painter.drawLine(QLineF(rect.left(), rect.top() + TITLE, rect.right(), rect.top() + TITLE))
    far = detail in ("icon", "block")  # there it must be seen without its shadow of gray
    token = "danger" if look.problem else "text3" if hovered or far else "border"
    painter.setPen(QPen(theme.color(token), (2.0 if look.problem else 1.0) / (zoom if far else 1.0)))
    painter.drawPath(path)
    if selected or focused:
        gap = tokens.RING_GAP + tokens.LINE_RING / 2
        ring = QPen(theme.color("accent"), tokens.LINE_RING)
        if focused:
            ring.setDashPattern([3.0, 2.5])
        painter.setPen(ring)
        painter.drawPath(outline(rect.adjusted(-gap, -gap, gap, gap), RADIUS + gap, RADIUS + gap))
    if detail == "block":
        return
    _paint_title(painter, look, rect, 1.0 if detail == "all" else min(1.9, 0.75 / zoom))


def _upper(rect: QRectF) -> QPainterPath:
    """The title bar: round above, straight below."""
    path = QPainterPath(QPointF(rect.left(), rect.top() + TITLE))
    path.lineTo(rect.left(), rect.top() + RADIUS)
    path.arcTo(rect.left(), rect.top(), 2 * RADIUS, 2 * RADIUS, 180, -90)
    path.lineTo(rect.right() - RADIUS, rect.top())
    path.arcTo(rect.right() - 2 * RADIUS, rect.top(), 2 * RADIUS, 2 * RADIUS, 90, -90)
    path.lineTo(rect.right(), rect.top() + TITLE)
    path.closeSubpath()
    return path


def _paint_title(painter: QPainter, look: BlockLook, rect: QRectF, larger: float) -> None:
    line = QRectF(rect.left(), rect.top(), rect.width(), TITLE)
    icons.paint(painter, "chevron", QRectF(line.left() + 10, line.center().y() - 6, 12, 12), "text2")
    bold = font(13 * larger, theme.SEMIBOLD)
    room = line.adjusted(30, 0, -10, 0)
    draw_text(painter, look.name, bold, "text1", room)
    painter.setFont(bold)
    used = painter.fontMetrics().horizontalAdvance(look.name) + 14
    rest = room.adjusted(used, 0, 0, 0)
    if rest.width() > 40 and larger < 1.2:
        text = ", ".join(part for part in (look.summary, look.weights, look.count) if part)
        draw_text(painter, text, font(11), "text2", rest)
