"""What a picture file says about itself, read from its first bytes without decoding it.

A file of a few hundred bytes may claim 60,000 x 60,000 pixels. The size is therefore read here and
judged before a decoder sees the file. Supported: PNG, JPEG, GIF, BMP, WebP, TIFF.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import N_, DataError


@dataclass(frozen=True)
class PictureHeader:
    """format name; width and height as stored, before `orientation` (EXIF 1..8) turns them."""

    format: str
    width: int
    height: int
    orientation: int = 1
    animated: bool = False
    cmyk: bool = False


class _Short(Exception):
    """The bytes end before the header does."""


def picture_format(start: bytes) -> str | None:
    """PNG, JPEG, GIF, BMP, WebP or TIFF by the first 12 bytes; None for anything else."""
    if start[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if start[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if start[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF"
    # "BM" alone is common text; the reserved bytes are zero in every real BMP.
    if start[:2] == b"BM" and start[6:10] == b"\0\0\0\0":
        return "BMP"
    return None


def refused_format(start: bytes) -> str | None:
    """The name of a known picture format that is not read, or None."""
    if start[4:8] == b"ftyp":
        brand = start[8:12]
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return "HEIC"
        if brand in (b"avif", b"avis"):
            return "AVIF"
        return None
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype")) and b"<svg" in text):
        return "SVG"
    if start[:2] == b"\x1f\x8b" and start[2:3] == b"\x08":
        return None
    known = {
        b"%PDF": "PDF", b"8BPS": "Photoshop", b"\0\0\1\0": "ICO", b"II+\0": "BigTIFF", b"MM\0+": "BigTIFF",
        b"\0\0\0\x0c": "JPEG 2000", b"\xff\x0a": "JPEG XL",
    }  # fmt: skip
    return next((label for magic, label in known.items() if start.startswith(magic)), None)


def read_header(data: bytes, name: str) -> PictureHeader:
    """The header of a whole picture file. Raises DataError when it is not one, or is cut off or senseless."""
    kind = picture_format(data[:16])
    if kind is None:
        refused = refused_format(data[:1024])
        if refused == "SVG":
            raise DataError(
                N_("{file} is an SVG drawing, which has no pixels; export it as PNG and use that."), file=name
            )
        if refused is not None:
            raise DataError(
                N_("{file} is a {found} file, which is not read here; save it as PNG or JPEG and use that."),
                file=name,
                found=refused,
            )
        raise DataError(
            N_("{file} is no picture: it begins with {found}; expected PNG, JPEG, GIF, BMP, WebP or TIFF."),
            file=name,
            found=data[:4].hex(" ") or "–",
        )
    try:
        header = _READERS[kind](data)
    except (_Short, struct.error, IndexError) as problem:
        raise DataError(
            N_("{file} is cut off or its {format} structure is damaged; copy or download it again."),
            file=name,
            format=kind,
        ) from problem
    if header.width < 1 or header.height < 1:
        raise DataError(
            N_("{file} claims to be {width} × {height} pixels; a picture has at least 1 × 1."),
            file=name,
            width=header.width,
            height=header.height,
        )
    return header


def _png(data: bytes) -> PictureHeader:
    if data[12:16] != b"IHDR":
        raise _Short
    width, height = struct.unpack_from(">II", data, 16)
    header = PictureHeader("PNG", width, height)
    at = 8
    while True:
        length, tag = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise _Short  # the decoder would reserve the length that a damaged chunk claims, up to 4 GB
        body = data[at + 4 : at + 8 + length]
        if tag[:1].isupper() and zlib.crc32(body) != int.from_bytes(data[at + 8 + length : at + 12 + length]):
            raise _Short  # checked here, since libpng writes its complaints to standard error
        if tag == b"acTL":
            header = replace(header, animated=struct.unpack_from(">I", data, at + 8)[0] > 1)
        elif tag == b"eXIf":
            header = replace(header, orientation=exif_orientation(data[at + 8 : at + 8 + length]))
        elif tag == b"IEND":
            return header
        at += 12 + length


def _jpeg(data: bytes) -> PictureHeader:
    at, orientation = 2, 1
    while True:
        if data[at] != 0xFF:
            raise _Short
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker in (0x01, *range(0xD0, 0xD9)):  # no length follows
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            raise _Short
        if marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = exif_orientation(data[at + 8 : at + length])
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, parts = struct.unpack_from(">HHB", data, at + 3)
            return PictureHeader("JPEG", width, height, orientation, cmyk=parts == 4)
        elif marker in (0xD9, 0xDA):  # pixels or the end before any size
            raise _Short
        at += length


def _gif(data: bytes) -> PictureHeader:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    return PictureHeader("GIF", width, height, animated=_gif_frames(data, 13 + _table(flags)) > 1)


def _gif_frames(data: bytes, at: int) -> int:
    """Frames up to 2, which is all one wants to know."""
    frames = 0
    try:
        while frames < 2:
            block = data[at]
            if block == 0x2C:
                frames += 1
                at += 11 + _table(data[at + 9])  # descriptor, table, code size
            elif block == 0x21:
                at += 2
            else:
                break
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError:
        pass  # cut off; the decoder will say so
    return frames


def _table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> PictureHeader:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return PictureHeader("BMP", width, abs(height))  # negative: rows stored from the top


def _webp(data: bytes) -> PictureHeader:
    tag = data[12:16]
    if tag == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise _Short
        width, height = struct.unpack_from("<HH", data, 26)
        return PictureHeader("WebP", width & 0x3FFF, height & 0x3FFF)
    if tag == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return PictureHeader("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if tag != b"VP8X":
        raise _Short
    flags = data[20]
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    if len(data) < 30:
        raise _Short
    orientation, at = 1, 12
    while flags & 0x08 and at + 8 <= len(data):
        chunk, length = struct.unpack_from("<4sI", data, at)
        if chunk == b"EXIF":
            part = data[at + 8 : at + 8 + length]
            orientation = exif_orientation(part.removeprefix(b"Exif\0\0"))
            break
        at += 8 + length + (length & 1)
    return PictureHeader("WebP", width, height, orientation, animated=bool(flags & 0x02))


def _tiff(data: bytes) -> PictureHeader:
    tags, following = _ifd(data)
    if 256 not in tags or 257 not in tags:
        raise _Short
    orientation = tags.get(274, 1)
    return PictureHeader(
        "TIFF",
        tags[256],
        tags[257],
        orientation if 1 <= orientation <= 8 else 1,
        animated=following,
        cmyk=tags.get(262) == 5,
    )


def exif_orientation(block: bytes) -> int:
    """1..8 from an EXIF block (which is a small TIFF); 1 when it is missing or senseless."""
    try:
        value = _ifd(block)[0].get(274, 1)
    except (_Short, struct.error, IndexError):
        return 1
    return value if 1 <= value <= 8 else 1


def _ifd(data: bytes) -> tuple[dict[int, int], bool]:
    """First value of the short and long entries of the first directory; whether another follows."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise _Short
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    tags: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if kind in (3, 4):
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    end = at + 2 + 12 * count
    following = end + 4 <= len(data) and struct.unpack_from(order + "I", data, end)[0] != 0
    return tags, following


_READERS: dict[str, Callable[[bytes], PictureHeader]] = {
    "PNG": _png, "JPEG": _jpeg, "GIF": _gif, "BMP": _bmp, "WebP": _webp, "TIFF": _tiff,
}  # fmt: skip
