"""Reading pictures, and bringing them to the size a network takes. The only importer of OpenCV.

Nothing is done silently: turning by EXIF, transparency, 16 bits, CMYK and first frames are told in
the picture's notes. Colors are never inverted: a dark drawing on white paper stays one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from engine.data.files import read_file
from engine.data.headers import PictureHeader, read_header
from engine.data.source import Resize
from engine.errors import N_, DataError, Message

# OpenCV reads its pixel limit when it is imported, and its import bends Qt's plugin paths to its own
# copy of Qt, which would break the window; both are put right here, the one place that imports it.
_QT = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {key: os.environ.get(key) for key in _QT}
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # refusals are told in our own words
try:
    import cv2

    HAVE_OPENCV = True
except ImportError:  # Windows on ARM has no wheel; everything but pictures works without
    HAVE_OPENCV = False

for _key, _value in _before.items():
    if _value is None:
        os.environ.pop(_key, None)
    else:
        os.environ[_key] = _value

Pixels = npt.NDArray[Any]  # (H, W, C) uint8 or uint16
Border = Literal["constant", "replicate", "reflect", "wrap"]
Sampling = Literal["nearest", "bilinear", "bicubic"]

MAX_PIXELS = 64_000_000
MAX_BYTES = 512 << 20


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright, RGB or grey, without transparency.

    array     (H, W, C) uint8 or uint16, C = 1 or 3
    name      what messages call it
    header    what the file said about itself
    notes     what was done to it
    """

    array: Pixels
    name: str
    header: PictureHeader
    notes: tuple[Message, ...] = ()

    @property
    def height(self) -> int:
        return int(self.array.shape[0])

    @property
    def width(self) -> int:
        return int(self.array.shape[1])

    @property
    def channels(self) -> int:
        return int(self.array.shape[2])

    @property
    def is_grey(self) -> bool:
        """One channel, or three that are the same everywhere."""
        a = self.array
        if a.shape[2] == 1:
            return True
        coarse = a[::8, ::8]  # settles most colored pictures at once
        return bool((coarse[..., :1] == coarse).all()) and bool((a[..., :1] == a).all())


def read_picture(source: Path | str | bytes, max_pixels: int = MAX_PIXELS, name: str = "") -> Picture:
    """Read a picture file, or the bytes of one.

    Turned upright by EXIF, transparency laid on white, the first frame of several, CMYK made RGB; each
    is told in `notes`. 16 bits are kept. Raises DataError for anything that is not a whole picture of
    at most `max_pixels`, before decoding where the header tells.
    """
    if not HAVE_OPENCV:
        raise DataError(N_("Pictures need the package opencv-python, which is not installed here."))
    if isinstance(source, bytes):
        data, name = source, name or "picture"
        if not data:
            raise DataError(N_("{file} is empty (0 bytes); choose another file."), file=name)
    else:
        data, name = read_file(source, MAX_BYTES), name or Path(source).name
    header = read_header(data, name)
    if header.width * header.height > max_pixels:
        raise DataError(
            N_("{file} is {width} × {height} pixels; at most {expected} million are read. Make it smaller."),
            file=name,
            width=header.width,
            height=header.height,
            expected=round(max_pixels / 1e6, 1),
        )
    array = _decode(data, header, name)
    notes: list[Message] = []

    def tell(template: str, **values: object) -> None:
        notes.append(Message(template, {"file": name, **values}))

    if array.shape[2] == 4 or array.shape[2] == 2:
        if int(array[..., -1].min()) < np.iinfo(array.dtype).max:
            tell(N_("{file} is partly transparent; it was laid on white."))
        array = _on_white(array)
    if header.cmyk:
        tell(N_("{file} is in printing colors (CMYK); they were converted to RGB without a color profile."))
    if header.animated:
        tell(N_("{file} holds several pictures; the first one is used."))
    if array.dtype == np.uint16:
        tell(N_("{file} has 16 bits per channel; networks get it rounded to 8 bits."))
    if header.orientation != 1:
        if header.format != "TIFF":  # OpenCV turns TIFF itself, whatever it is asked
            array = upright(array, header.orientation)
        tell(
            N_("{file} was turned upright as its EXIF data say (orientation {found})."),
            found=header.orientation,
        )
    return Picture(np.ascontiguousarray(array), name, header, tuple(notes))


def _decode(data: bytes, header: PictureHeader, name: str) -> Pixels:
    """(H, W, C) with RGB order, as stored: not turned (but TIFF is), alpha kept."""
    if header.format == "JPEG" and header.cmyk:
        flag = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    else:
        flag = cv2.IMREAD_UNCHANGED
    try:
        found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flag)
    except (cv2.error, MemoryError):
        found = None
    if found is None and header.format == "TIFF" and header.cmyk:
        raise DataError(N_("{file} is in printing colors (CMYK); save it as RGB and use that."), file=name)
    if found is None:
        raise DataError(
            N_(
                "{file} is damaged or cut off: its {format} header is fine, its pixels are not complete. "
                "Copy or download it again."
            ),
            file=name,
            format=header.format,
        )
    array = cast(Pixels, found)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype == np.int8 or array.dtype.kind != "u" or array.dtype.itemsize > 2 or array.shape[2] > 4:
        raise DataError(
            N_("{file} has {found} pixels; expected whole numbers of 8 or 16 bits in 1 to 4 channels."),
            file=name,
            found=f"{array.dtype.name} × {array.shape[2]}",
        )
    turned = header.format == "TIFF" and header.orientation >= 5
    stored = (header.width, header.height) if turned else (header.height, header.width)
    if array.shape[:2] != stored:
        raise DataError(
            N_("{file}: the header says {expected} pixels, the content {found}; the file is damaged."),
            file=name,
            expected=f"{header.width} × {header.height}",
            found=f"{array.shape[1]} × {array.shape[0]}",
        )
    if array.shape[2] == 3:
        array = cv2.cvtColor(array, cv2.COLOR_BGR2RGB)
    elif array.shape[2] == 4:
        array = cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA)
    return array


def _on_white(array: Pixels) -> Pixels:
    """Lay (…, C + alpha) on white, as browsers do: in stored values, not in linear light."""
    top = int(np.iinfo(array.dtype).max)
    alpha = array[..., -1:].astype(np.float32) / top
    if bool((alpha == 1).all()):
        return np.ascontiguousarray(array[..., :-1])
    mixed = array[..., :-1].astype(np.float32) * alpha + top * (1 - alpha)
    return np.rint(mixed).astype(array.dtype)


def upright(array: Pixels, orientation: int) -> Pixels:
    """(H, W, C) as stored -> as meant, for EXIF orientation 1..8."""
    if orientation >= 5:
        array = array.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return np.ascontiguousarray(array)


def to_pixels(picture: Picture, shape: tuple[int, int, int], policy: Resize = "fit") -> npt.NDArray[np.uint8]:
    """The picture as (C, H, W) uint8 for a network of that input shape; C is 1 or 3.

    fit: the whole picture, the rest filled with the median color of its border; fill: cut at the
    edges; stretch: proportions change. Shrinking averages areas, enlarging is bilinear. Color becomes
    grey by 0.299 R + 0.587 G + 0.114 B.
    """
    channels, height, width = shape
    if channels not in (1, 3):
        raise DataError(
            N_("{file}: the network takes {found} channels; a picture gives 1 (grey) or 3 (color)."),
            file=picture.name,
            found=channels,
        )
    array = picture.array
    if array.shape[2] == 3 and channels == 1:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)[..., None]
    if policy == "fill":
        array = _cut(array, height / width)
        array = _resize(array, height, width)
    elif policy == "fit":
        array = _fit(array, height, width)
    else:
        array = _resize(array, height, width)
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.shape[2] == 1 and channels == 3:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array.transpose(2, 0, 1), dtype=np.uint8)


def to_input(
    picture: Picture, shape: tuple[int, int, int], policy: Resize = "fit"
) -> npt.NDArray[np.float32]:
    """`to_pixels` as float32 in 0..1: what a network gets for a dropped picture, as in training."""
    return to_pixels(picture, shape, policy).astype(np.float32) * np.float32(1 / 255)


def _resize(array: Pixels, height: int, width: int) -> Pixels:
    """Each direction by itself: area averaging where it shrinks, bilinear where it grows."""
    for rows, columns in ((height, array.shape[1]), (height, width)):
        old_rows, old_columns = array.shape[:2]
        if (old_rows, old_columns) == (rows, columns):
            continue
        shrinks = rows < old_rows or columns < old_columns
        array = cv2.resize(
            array, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        if array.ndim == 2:
            array = array[..., None]
    return array


def _cut(array: Pixels, ratio: float) -> Pixels:
    """The largest middle part with height / width = ratio."""
    height, width = array.shape[:2]
    rows = max(1, min(height, round(width * ratio)))
    columns = max(1, min(width, round(height / ratio)))
    top, left = (height - rows) // 2, (width - columns) // 2
    return array[top : top + rows, left : left + columns]


def _fit(array: Pixels, height: int, width: int) -> Pixels:
    old_height, old_width = array.shape[:2]
    factor = min(height / old_height, width / old_width)
    rows = max(1, min(height, round(old_height * factor)))
    columns = max(1, min(width, round(old_width * factor)))
    small = _resize(array, rows, columns)
    if (rows, columns) == (height, width):
        return small
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    out = np.empty((height, width, array.shape[2]), dtype=array.dtype)
    out[:] = np.median(border, axis=0).astype(array.dtype)
    top, left = (height - rows) // 2, (width - columns) // 2
    out[top : top + rows, left : left + columns] = small
    return out


def warp_affine(
    array: npt.NDArray[Any],
    matrix: npt.NDArray[Any],
    size: tuple[int, int] | None = None,
    border: Border = "constant",
    value: float = 0.0,
    interpolation: Sampling = "bilinear",
) -> npt.NDArray[Any]:
    """OpenCV's affine warp, as an independent reference for our own op.

    array: (H, W) or (H, W, C); matrix: (2, 3) or (3, 3), input to output in pixels, (x, y) columns;
    size: (height, width) of the result. OpenCV rounds source positions to 1/32 pixel.
    """
    modes = {
        "constant": cv2.BORDER_CONSTANT, "replicate": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101, "wrap": cv2.BORDER_WRAP,
    }  # fmt: skip
    methods = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
    height, width = size or (array.shape[0], array.shape[1])
    return cv2.warpAffine(
        array,
        np.asarray(matrix, dtype=np.float64)[:2],
        (width, height),
        flags=methods[interpolation],
        borderMode=modes[border],
        borderValue=(value, value, value, value),
    )
