"""BAD_INPUTS 37-46 and the general file cases, for pictures."""

from __future__ import annotations

import base64
import os
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from engine.data.drop import recognize
from engine.data.headers import read_header
from engine.data.pictures import Picture, cv2, read_picture, to_input, to_pixels
from engine.errors import DataError
from tests.engine.data.picture_bytes import Array, chunk, encoded, exif, png, random_picture


def notes(picture: Picture) -> str:
    return " ".join(str(note) for note in picture.notes)


def test_case_01_missing_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png is not there.*Locate"):
        read_picture(tmp_path / "gone.png")


def test_case_02_folder_for_a_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; expected a file"):
        read_picture(tmp_path)


def test_case_02_pipe_for_a_picture_does_not_block(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match="no ordinary file"):
        read_picture(tmp_path / "pipe.png")


def test_case_03_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.png"
    path.write_bytes(png(random_picture(0)))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything: let the system call refuse instead

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match="may not be read; change its permissions"):
        read_picture(path)


def test_case_05_wrong_extension_right_content(tmp_path: Path) -> None:
    array = random_picture(1)
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(png(array))
    picture = read_picture(path)
    assert picture.header.format == "PNG"
    np.testing.assert_array_equal(picture.array, array)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".gif"])
def test_case_37_truncated_at_every_part(extension: str) -> None:
    smooth = np.linspace(0, 255, 40 * 32 * 3).reshape(40, 32, 3).astype(np.uint8)
    whole = encoded(smooth, extension)
    assert read_picture(whole).array.shape == (40, 32, 3)
    for cut in sorted({1, 3, 8, 20, 30, *np.linspace(40, len(whole) * 9 // 10, 12).astype(int).tolist()}):
        with pytest.raises(DataError):
            read_picture(whole[:cut], name="cut")


def test_case_37_truncated_jpeg_says_so() -> None:
    whole = encoded(random_picture(2, 64, 64), ".jpg")
    for cut in (len(whole) - 2, len(whole) // 2):
        with pytest.raises(DataError, match=r"holiday\.jpg is damaged or cut off.*Copy or download it again"):
            read_picture(whole[:cut], name="holiday.jpg")


def test_case_37_flipped_bits_and_cuts_in_a_png_are_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    whole = png(random_picture(16, 30, 30))
    for place in range(8, len(whole) - 12, 37):
        bad = bytearray(whole)
        bad[place] ^= 4
        with pytest.raises(DataError, match=r"damaged|no picture|claims to be"):
            read_picture(bytes(bad), name="x.png")
    with pytest.raises(DataError, match=r"x\.png is cut off"):
        read_picture(whole[:-30], name="x.png")
    assert capfd.readouterr().err == ""


def huge(kind: str) -> bytes:
    """Headers that claim 60,000 x 60,000 pixels, with nothing behind them."""
    n = 60_000
    if kind == "PNG":
        return png(random_picture(3), size=(n, n))
    if kind == "JPEG":
        frame = struct.pack(">BHHB", 8, n, n, 3) + bytes(9)
        return b"\xff\xd8\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xda" + bytes(64)
    if kind == "GIF":
        return b"GIF89a" + struct.pack("<HHBBB", n, n, 0, 0, 0) + bytes(32)
    if kind == "BMP":
        return b"BM" + struct.pack("<IIIIiiHHIIIIII", 0, 0, 54, 40, n, n, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(32)
    if kind == "WebP":
        body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (n - 1).to_bytes(3, "little") * 2 + bytes(16)
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    entries = [(256, 4, 1, n), (257, 4, 1, n)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WebP", "TIFF"])
def test_case_38_huge_dimensions_refused_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the decoder must not see this file")

    monkeypatch.setattr(cv2, "imdecode", never)
    data = huge(kind)
    assert (read_header(data, "x").width, read_header(data, "x").height) == (60_000, 60_000)
    with pytest.raises(DataError, match=r"wall\.img is 60000 × 60000 pixels; at most 64\.0 million"):
        read_picture(data, name="wall.img")


def test_case_38_limit_is_a_number_of_pixels() -> None:
    data = png(random_picture(4, 10, 10))
    assert read_picture(data, max_pixels=100).array.shape == (10, 10, 3)
    with pytest.raises(DataError, match="10 × 10"):
        read_picture(data, max_pixels=99)


def test_case_38_a_chunk_that_claims_gigabytes() -> None:
    data = bytearray(png(random_picture(5)))
    data[33:37] = b"\xb4\0\0\0"  # the decoder alone took 2 s and 3 GB to refuse this
    began = time.perf_counter()
    with pytest.raises(DataError, match="its PNG structure is damaged"):
        read_picture(bytes(data))
    assert time.perf_counter() - began < 0.2


def test_case_38_header_and_content_disagree() -> None:
    with pytest.raises(DataError):
        read_picture(png(random_picture(5), size=(500, 400)))


def test_case_39_zero_byte_file(tmp_path: Path) -> None:
    path = tmp_path / "nothing.png"
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"nothing\.png is empty \(0 bytes\)"):
        read_picture(path)
    assert "empty" in str(recognize([path]).message)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf  <svg width='3'/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"II+\0\x08\0\0\0", "BigTIFF"),
    ],
)
def test_case_40_formats_that_are_not_read(tmp_path: Path, start: bytes, found: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(start + bytes(64))
    with pytest.raises(DataError, match=rf"photo\.png is an? {found}.*(save|export) it as PNG"):
        read_picture(path)
    dropped = recognize([path])
    assert dropped.kind == "refused" and found in str(dropped.message)


def test_case_41_sixteen_bits_are_kept_and_told() -> None:
    array = random_picture(6, bits=16)
    picture = read_picture(png(array))
    np.testing.assert_array_equal(picture.array, array)
    assert picture.array.dtype == np.uint16 and "16 bits" in notes(picture)
    seen = to_pixels(picture, (3, 6, 5))
    np.testing.assert_array_equal(seen, np.rint(array.transpose(2, 0, 1) / 257.0).astype(np.uint8))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_case_42_alpha_is_laid_on_white_and_told(channels: int, bits: int) -> None:
    array = random_picture(7, channels=channels, bits=bits)
    picture = read_picture(png(array))
    top = 2.0**bits - 1
    share = array[..., -1:] / top
    expected = np.repeat(array[..., :-1] * share + top * (1 - share), 3 if channels == 2 else 1, axis=2)
    assert np.abs(picture.array - expected).max() <= 0.51
    assert "laid on white" in notes(picture)


def test_case_42_full_alpha_changes_nothing() -> None:
    array = random_picture(8, channels=4)
    array[..., 3] = 255
    picture = read_picture(png(array))
    np.testing.assert_array_equal(picture.array, array[..., :3])
    assert picture.notes == ()


# The EXIF standard: where the 0th row and the 0th column of the stored picture lie in the visual one.
STORED = {
    1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
    5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
}  # fmt: skip


def as_stored(visual: Array, orientation: int) -> Array:
    """Pixel by pixel after the standard's table, not by the reader's transposes."""
    row0, column0 = STORED[orientation]
    height, width = visual.shape[:2]
    upright = row0 in ("top", "bottom")
    rows, columns = (height, width) if upright else (width, height)
    out = np.empty((rows, columns, visual.shape[2]), visual.dtype)
    for r in range(rows):
        for c in range(columns):
            down, right = (r, c) if upright else (c, r)
            vertical, horizontal = (row0, column0) if upright else (column0, row0)
            y = height - 1 - down if vertical == "bottom" else down
            x = width - 1 - right if horizontal == "right" else right
            out[r, c] = visual[y, x]
    return out


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_case_43_exif_orientation_png(orientation: int, order: str) -> None:
    visual = random_picture(9, 7, 4)
    picture = read_picture(png(as_stored(visual, orientation), exif(orientation, order)))
    np.testing.assert_array_equal(picture.array, visual)
    assert ("turned upright" in notes(picture)) == (orientation != 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_case_43_exif_orientation_jpeg(orientation: int) -> None:
    visual = np.kron(random_picture(10, 3, 2), np.ones((16, 16, 1), np.uint8))
    plain = encoded(as_stored(visual, orientation), ".jpg")
    app1 = b"Exif\0\0" + exif(orientation)
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + plain[2:]
    picture = read_picture(data)
    assert picture.array.shape == visual.shape
    assert np.abs(picture.array.astype(int) - visual)[4::16, 4::16].max() < 30


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_case_43_exif_orientation_tiff(orientation: int, bits: int) -> None:
    visual = random_picture(11, 7, 4, bits=bits)
    stored = as_stored(visual, orientation)
    raw = stored.astype(f"<u{bits // 8}").tobytes()
    height, width = stored.shape[:2]
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 300), (274, 3, 1, orientation), (277, 3, 1, 3), (278, 3, 1, height),
        (279, 4, 1, len(raw)), (284, 3, 1, 1),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)
    data = data.ljust(200, b"\0") + struct.pack("<HHH", bits, bits, bits)
    picture = read_picture(data.ljust(300, b"\0") + raw)
    np.testing.assert_array_equal(picture.array, visual)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_case_43_senseless_orientation_is_ignored(value: int) -> None:
    array = random_picture(12)
    np.testing.assert_array_equal(read_picture(png(array, exif(value))).array, array)


CMYK_JPEG = (  # 16 x 16, the color (200, 40, 90) as printing colors, made with ImageMagick
    "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK"
    "CgYICwwLCgwJCgoK/9sAQwECAgICAgIFAwMFCgcGBwoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
    "CgoKCgoK/8AAFAgAEAAQBAERAAIRAQMRAQQRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAGCf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/"
    "xAAWAQEBAQAAAAAAAAAAAAAAAAAABAn/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADgQBAAIRAxEEAAA/AKBQx7aQAAAAP//Z"
)


def test_case_44_cmyk_jpeg_is_converted_and_told() -> None:
    picture = read_picture(base64.b64decode(CMYK_JPEG), name="print.jpg")
    assert "print.jpg is in printing colors (CMYK)" in notes(picture)
    assert np.abs(picture.array.astype(int) - (200, 40, 90)).max() < 12
    assert not read_header(encoded(random_picture(13), ".jpg"), "x").cmyk


def test_case_44_cmyk_tiff_is_converted_and_told() -> None:
    # A one-color CMYK TIFF, written by hand: full cyan is red 0.
    entries = [
        (256, 3, 1, 4), (257, 3, 1, 4), (258, 3, 4, 200), (259, 3, 1, 1), (262, 3, 1, 5), (273, 4, 1, 300),
        (277, 3, 1, 4), (278, 3, 1, 4), (279, 4, 1, 64), (284, 3, 1, 1),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = (b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)).ljust(200, b"\0")
    data = (data + struct.pack("<HHHH", 8, 8, 8, 8)).ljust(300, b"\0") + bytes([255, 0, 0, 0]) * 16
    picture = read_picture(data, name="print.tif")
    assert "CMYK" in notes(picture)
    np.testing.assert_array_equal(picture.array, np.broadcast_to([0, 255, 255], (4, 4, 3)))


def gif(frames: int) -> bytes:
    """2 x 2 pixels, two colors; frame k is all color k."""
    out = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes([255, 0, 0, 0, 0, 255])
    for k in range(frames):
        out += b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
        out += b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02"
        bits = at = 0
        for code in (4, k, k, 4, k, k, 5):  # 4 clears the table, so codes never outgrow 3 bits; 5 ends
            bits |= code << at
            at += 3
        body = bits.to_bytes((at + 7) // 8, "little")
        out += bytes([len(body)]) + body + b"\0"
    return out + b"\x3b"


def test_case_45_animated_gif_first_frame_and_says_so() -> None:
    moving, still = read_picture(gif(2), name="dance.gif"), read_picture(gif(1))
    np.testing.assert_array_equal(moving.array, np.broadcast_to([255, 0, 0], (2, 2, 3)))
    assert "dance.gif holds several pictures; the first one is used" in notes(moving)
    assert still.notes == ()


def test_case_45_animated_png_says_so() -> None:
    plain = png(random_picture(13))
    cut = plain.index(b"IDAT") - 4
    moving = plain[:cut] + chunk(b"acTL", struct.pack(">II", 3, 0)) + plain[cut:]
    assert read_header(moving, "x").animated and not read_header(plain, "x").animated


@pytest.mark.parametrize("policy", ["fit", "fill", "stretch"])
def test_case_46_one_pixel(policy: str) -> None:
    picture = read_picture(png(np.array([[[10, 20, 30]]], np.uint8)))
    assert picture.array.shape == (1, 1, 3)
    values = to_input(picture, (3, 4, 7), policy)  # type: ignore[arg-type]
    expected = np.broadcast_to(np.array([10, 20, 30])[:, None, None] / 255, (3, 4, 7))
    np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 2000), (2000, 1)])
@pytest.mark.parametrize("policy", ["fit", "fill", "stretch"])
def test_case_46_one_pixel_wide(shape: tuple[int, int], policy: str) -> None:
    picture = read_picture(png(random_picture(14, *shape)))
    assert to_input(picture, (1, 8, 8), policy).shape == (1, 8, 8)  # type: ignore[arg-type]


def test_case_34_names_with_umlaut_and_emoji(tmp_path: Path) -> None:
    array = random_picture(15)
    folder = tmp_path / "Größe 🐈"
    folder.mkdir()
    path = folder / "Über 你好 🙂.png"
    path.write_bytes(png(array))
    np.testing.assert_array_equal(read_picture(path).array, array)
    assert recognize([path]).kind == "picture"


def test_bomb_costs_neither_time_nor_memory() -> None:
    tracemalloc.start()
    began = time.perf_counter()
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WebP", "TIFF"):
        with pytest.raises(DataError):
            read_picture(huge(kind))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - began < 1.0 and peak < 10 << 20
