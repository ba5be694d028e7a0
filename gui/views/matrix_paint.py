"""How the cells of a matrix are drawn: heat picture, digits, heads. Pure painting, no widget state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from gui import i18n, theme, tokens
from gui.colormaps import lut_of
from gui.views.base import Array, image_from_words
from gui.views.matrix_layout import CellBox, Heads

# smallest cell for two and for one decimal; 17 high still holds 11 px digits, so 8 rows fit a dock
DIGITS_2, DIGITS_1 = (34.0, 17.0), (21.0, 17.0)
DIGITS_3 = 44.0  # from this width more than two decimals are tried, where they are wished for
_GAP_FROM = 11.0  # smallest cell that gets a hairline around it
_MONO_ADVANCE = 0.6  # width of a JetBrains Mono character per pixel of size


@dataclass(frozen=True)
class Digits:
    """How the numbers in the cells are written."""

    decimals: int
    size: int
    characters: int
    strip_zero: bool  # .15 instead of 0.15, where cells are narrow
    exponent: int  # the matrix is shown in units of 10 to this power

    def text(self, value: float) -> str:
        """One cell's number."""
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "−∞" if value < 0 else "∞"
        text = i18n.number(value / 10.0**self.exponent, self.decimals, group=False)
        if not self.strip_zero:
            return text
        point = i18n.decimal_point()
        for sign in ("", i18n.MINUS):
            if text.startswith(f"{sign}0{point}"):
                return sign + text[len(sign) + 1 :]
        # −1.0 of a saturated tanh among −.9 and .3
        return text if len(text) <= self.characters else text.split(point)[0]


def unit_exponent(biggest: float, values_matter: bool) -> int:
    """The power of ten a matrix of numbers up to `biggest` is shown in, 0 for ordinary sizes."""
    if not values_matter or biggest <= 0 or not math.isfinite(biggest):
        return 0
    exponent = math.floor(math.log10(biggest) + 1e-6)
    return exponent if exponent < -1 or exponent > 3 else 0


def choose_digits(
    width: float, height: float, biggest: float, whole: bool, most: int = 2, signed: bool = True
) -> Digits | None:
    """The digits for cells of this size, or None where numbers would not be legible.

    `biggest` is the largest magnitude in the matrix, `whole` says that all values are whole numbers,
    `most` the largest number of decimals wished, `signed` that a minus may need room.
    """
    if width < DIGITS_1[0] or height < DIGITS_1[1]:
        return None
    scale = theme.scale()
    exponent = 0 if whole else unit_exponent(biggest, True)
    shown = biggest / 10.0**exponent
    lead = max(1, math.floor(math.log10(shown)) + 1) if shown >= 1 else 1
    roomy = 4 if width >= DIGITS_3 * scale else 2
    allowed = 0 if whole else min(most, roomy if width >= DIGITS_2[0] else 1)
    largest = int(min(16.0 * scale, height * 0.66))
    smallest = int(11 * scale)
    # without a decimal, −0.6 would be called −1: better no digits than wrong ones
    fewest = 0 if whole or shown >= 9.5 else 1
    for decimals in range(allowed, fewest - 1, -1):
        strip = shown <= 1.0 and decimals > 0 and width < 40 * scale
        characters = (0 if strip else lead) + (1 + decimals if decimals else 0) + int(signed)
        size = int(min(largest, (width - 7) / (characters * _MONO_ADVANCE)))
        if size < smallest:  # better close to the edge than not at all
            # two decimals of neighbors must not touch; the last one may stand close
            edge = 4 if decimals >= 2 else 1
            size = int(min(largest, smallest, (width - edge) / (characters * _MONO_ADVANCE)))
        if size >= smallest or (size >= 10 and decimals in (0, 2)):
            return Digits(decimals, max(size, 10), characters, strip, exponent)
    return None


@lru_cache(maxsize=16)
def ink_table(of: tokens.Theme, role: str) -> NDArray[np.bool_]:
    """For each of the 256 places of a role's ramp: is black the better ink?"""
    ramp = lut_of(of, role)
    return np.array([tokens.ink_on("#{:02X}{:02X}{:02X}".format(*row)) == "#000000" for row in ramp])


def black_ink_on(words: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """The same choice for free colors: black where the luminance exceeds the crossing point 0.179."""
    linear = [(((words >> shift) & 0xFF) / 255.0) ** 2.2 for shift in (16, 8, 0)]
    return np.asarray(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179)


def mixed_words(words: NDArray[np.uint32], color: str, share: float) -> NDArray[np.uint32]:
    """Pixels with `share` of another color in them: cells at rest sink towards the canvas."""
    mixed = np.full(words.shape, 0xFF000000, dtype=np.uint32)
    for shift, part in zip((16, 8, 0), tokens.rgb(color), strict=True):
        channel = ((words >> shift) & 0xFF).astype(np.float32)
        mixed |= (channel + (part - channel) * share + 0.5).astype(np.uint32) << np.uint32(shift)
    return mixed


def draw_heat(painter: QPainter, words: NDArray[np.uint32], box: CellBox, clip: QRectF) -> None:
    """The cells as colors. Only what lies in `clip` is touched; cells below a pixel are averaged."""
    rows, columns = words.shape
    first_row, first_column = box.cell_at(clip.left(), clip.top())
    last_row, last_column = box.cell_at(clip.right() - 1e-6, clip.bottom() - 1e-6)
    r0, c0 = max(0, first_row), max(0, first_column)
    r1, c1 = min(rows, last_row + 1), min(columns, last_column + 1)
    if r1 <= r0 or c1 <= c0:
        return
    part = words[r0:r1, c0:c1]
    target = box.rect(r0, c0, r1 - r0, c1 - c0)
    ratio = painter.device().devicePixelRatio()
    height, width = max(1, round(target.height() * ratio)), max(1, round(target.width() * ratio))
    image = image_from_words(part)
    if height < part.shape[0] or width < part.shape[1]:
        image = image.scaled(
            min(width, part.shape[1]), min(height, part.shape[0]),
            Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(target, image)
    if min(box.width, box.height) >= _GAP_FROM:
        _draw_gaps(painter, box, r0, r1, c0, c1)


def _draw_gaps(painter: QPainter, box: CellBox, r0: int, r1: int, c0: int, c1: int) -> None:
    """Hairlines of the ground between the cells."""
    painter.setPen(QPen(theme.color("panel"), 1))
    area = box.rect(r0, c0, r1 - r0, c1 - c0)
    for row in range(r0, r1 + 1):
        y = round(box.y + row * box.height) - 0.5
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
    for column in range(c0, c1 + 1):
        x = round(box.x + column * box.width) - 0.5
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))


def draw_digits(
    painter: QPainter,
    values: Array,
    black_ink: NDArray[np.bool_],
    box: CellBox,
    clip: QRectF,
    digits: Digits,
    resting: NDArray[np.bool_] | None = None,
) -> None:
    """The numbers, right-aligned, in black or white as the cell asks; resting cells in text2."""
    rows, columns = values.shape
    r0, c0 = (max(0, v) for v in box.cell_at(clip.left(), clip.top()))
    last_row, last_column = box.cell_at(clip.right() - 1e-6, clip.bottom() - 1e-6)
    font = QFont(theme.mono_font())
    font.setPixelSize(digits.size)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    advance = metrics.horizontalAdvance("0")
    baseline = (box.height + metrics.capHeight()) / 2
    inset = max(2.0, min(8.0, (box.width - advance * digits.characters) / 2))
    inks = {True: QColor("#000000"), False: QColor("#FFFFFF")}
    current: QColor | None = None
    rest_ink = theme.color("text2")
    for row in range(r0, min(rows, last_row + 1)):
        for column in range(c0, min(columns, last_column + 1)):
            dim = resting is not None and bool(resting[row, column])
            ink = rest_ink if dim else inks[bool(black_ink[row, column])]
            if ink is not current:
                painter.setPen(ink)
                current = ink
            text = digits.text(float(values[row, column]))
            x = box.x + (column + 1) * box.width - inset - advance * len(text)
            painter.drawText(QPointF(x, box.y + row * box.height + baseline), text)


def draw_heads(
    painter: QPainter,
    box: CellBox,
    area: QRectF,
    head: Heads,
    hovered: tuple[int, int] | None,
    gap: float = 6,
    taken: float = 0.0,
) -> None:
    """Names or numbers of rows and columns around `area`, every one that has room, bold at the cross.

    `gap` lies between the names of the rows and the cells; up to `taken` the line of the columns has
    something else in it.
    """
    normal, bold = theme.ui_font(tokens.CAPTION), theme.ui_font(tokens.CAPTION, theme.SEMIBOLD)
    line = QFontMetricsF(normal).height()
    row_names, column_names, widest = head.rows, head.columns, head.widest_column
    hover_row, hover_column = hovered or (-1, -1)
    right = max(area.left(), box.x) - theme.px(gap)
    step = _every(box.height, line)
    first = max(0, box.cell_at(area.left(), area.top())[0])
    last = min(len(row_names), box.cell_at(area.left(), area.bottom() - 1e-6)[0] + 1)
    for row in range(first, last):
        if row % step and row != hover_row:
            continue
        if step > 1 and hover_row >= 0 and row != hover_row and abs(row - hover_row) * box.height < line:
            continue
        _pen(painter, normal, bold, row == hover_row)
        y = box.y + row * box.height
        place = QRectF(0, y + (box.height - line) / 2, right, line)
        if place.top() > area.top() - line and place.bottom() < area.bottom() + line:
            painter.drawText(
                place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), row_names[row]
            )
    wraps = widest > box.width - 8 and any(" " in name for name in column_names)
    step = 1 if wraps and box.width >= 40 else _every(box.width, widest + 6)
    first = max(0, box.cell_at(area.left(), area.top())[1])
    last = min(len(column_names), box.cell_at(area.right() - 1e-6, area.top())[1] + 1)
    for column in range(first, last):
        if column % step and column != hover_column:
            continue
        if (
            step > 1
            and hover_column >= 0
            and column != hover_column
            and (abs(column - hover_column) * box.width < widest + 4)
        ):
            continue
        _pen(painter, normal, bold, column == hover_column)
        half = max(box.width, widest + 8 if step > 1 else box.width) / 2
        center = box.x + (column + 0.5) * box.width
        if center - painter.fontMetrics().horizontalAdvance(column_names[column]) / 2 < taken:
            continue
        place = QRectF(center - half, 0, 2 * half, area.top() - theme.px(4))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
        name = column_names[column].replace(" ", "\n", 1) if wraps else column_names[column]
        painter.drawText(place, int(flags), name)


def _pen(painter: QPainter, normal: QFont, bold: QFont, strong: bool) -> None:
    painter.setFont(bold if strong else normal)
    painter.setPen(theme.color("text1" if strong else "text3"))


def _every(cell: float, needed: float) -> int:
    """Name every 1st, 2nd, 5th, 10th ... cell, as room allows."""
    step, factors = 1, (2.0, 2.5, 2.0)
    index = 0
    while cell * step < needed and step < 100_000:
        step = round(step * factors[index % 3])
        index += 1
    return step
