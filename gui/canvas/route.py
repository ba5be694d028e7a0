"""The way of a link from port to port: straight, curved, around nodes in between, or back in the gutter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

BEND = 10.0
OUT = 22.0
"""How far a link runs straight before it turns into the gutter."""
CLEAR = 26.0


@dataclass(frozen=True)
class Route:
    """The path, and where its label sits; in a gutter the label interrupts the line."""

    path: QPainterPath
    label: QPointF
    inline: bool


def route(
    start: QPointF, end: QPointF, source: QRectF, target: QRectF, others: Sequence[QRectF] = (), lane: int = 0
) -> Route:
    """A link from `start` to `end` that keeps out of the way of `others`."""
    if end.x() >= start.x() + 8:
        blocking = [r for r in others if _crosses(start, end, r)]
        if blocking:
            return _around(start, end, blocking, lane)
        return _forward(start, end)
    return _back(start, end, source, target, others, lane)


def straight(start: QPointF, end: QPointF) -> Route:
    """Right across, whatever lies there."""
    path = QPainterPath(start)
    path.lineTo(end)
    return Route(path, path.pointAtPercent(0.5), False)


def _forward(start: QPointF, end: QPointF) -> Route:
    path = QPainterPath(start)
    if abs(start.y() - end.y()) < 1:
        path.lineTo(end)
    else:
        reach = max(24.0, (end.x() - start.x()) / 2)
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end)
    return Route(path, path.pointAtPercent(0.5), False)


def _crosses(start: QPointF, end: QPointF, rect: QRectF) -> bool:
    """Whether the straight way from port to port would run through a node."""
    left, right = max(rect.left(), start.x()), min(rect.right(), end.x())
    if left >= right:
        return False
    span = end.x() - start.x()
    ys = [start.y() + (end.y() - start.y()) * (x - start.x()) / span for x in (left, right)]
    return max(ys) > rect.top() - 4 and min(ys) < rect.bottom() + 4


def _around(start: QPointF, end: QPointF, blocking: Sequence[QRectF], lane: int) -> Route:
    """Over or under the nodes in between, whichever is nearer."""
    above = min(r.top() for r in blocking) - CLEAR - 8 * lane
    below = max(r.bottom() for r in blocking) + CLEAR + 8 * lane
    middle = (start.y() + end.y()) / 2
    y = above if middle - above <= below - middle else below
    path = corners(
        [
            start,
            QPointF(start.x() + OUT, start.y()),
            QPointF(start.x() + OUT, y),
            QPointF(end.x() - OUT, y),
            QPointF(end.x() - OUT, end.y()),
            end,
        ]
    )
    return Route(path, QPointF((start.x() + end.x()) / 2, y), True)


def _back(
    start: QPointF, end: QPointF, source: QRectF, target: QRectF, others: Sequence[QRectF], lane: int
) -> Route:
    """Out to the right, through the gutter between the rows, and in from the left."""
    if source.bottom() <= target.top():
        y = _gutter(source, target, others)
    elif target.bottom() <= source.top():
        y = _gutter(target, source, others)
    else:
        y = max(source.bottom(), target.bottom()) + CLEAR
    y += 8 * lane
    right, left = start.x() + OUT + 6 * lane, end.x() - OUT - 6 * lane
    path = corners(
        [start, QPointF(right, start.y()), QPointF(right, y), QPointF(left, y), QPointF(left, end.y()), end]
    )
    return Route(path, QPointF((right + left) / 2, y), True)


def _gutter(upper: QRectF, lower: QRectF, others: Sequence[QRectF]) -> float:
    """The height between two rows, below everything of the upper one that lies in the way."""
    bottom = max(
        [upper.bottom()]
        + [
            r.bottom()
            for r in others
            if r.bottom() < lower.top() and r.bottom() > upper.bottom() and r.top() < upper.bottom()
        ]
    )
    return (bottom + lower.top()) / 2


def corners(points: Sequence[QPointF]) -> QPainterPath:
    """A path of straight lines with round bends."""
    path = QPainterPath(points[0])
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        a, b = _toward(at, before), _toward(at, after)
        path.lineTo(a)
        path.quadTo(at, b)
    path.lineTo(points[-1])
    return path


def _toward(at: QPointF, other: QPointF) -> QPointF:
    way = other - at
    length = (way.x() ** 2 + way.y() ** 2) ** 0.5
    if length < 1e-6:
        return at
    share = min(BEND, length / 2) / length
    return QPointF(at.x() + way.x() * share, at.y() + way.y() * share)
