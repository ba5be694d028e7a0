"""WAV files as samples between -1 and 1: PCM of 8 to 32 bits and floats, any number of channels.

Python's `wave` knows neither floats nor what a header may lie about, so the few chunks are read here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.files import read_file
from engine.errors import N_, DataError, Message

Samples = npt.NDArray[np.float32]

MAX_BYTES = 256 << 20
MAX_CHUNKS = 1000
BLOCK = 1 << 20
"""Samples of each channel that are decoded at once."""
LOWEST, HIGHEST = 1000, 384_000
"""Samples in a second that a file may claim to have."""
OTHERS: dict[bytes, str] = {
    b"ID3": "MP3", b"\xff\xfb": "MP3", b"\xff\xf3": "MP3", b"\xff\xf2": "MP3", b"\xff\xfa": "MP3",
    b"\xff\xf1": "AAC", b"\xff\xf9": "AAC", b"OggS": "Ogg", b"fLaC": "FLAC", b".snd": "AU", b"RIFX": "RIFX",
    b"#!AMR": "AMR", b"\x30\x26\xb2\x75": "WMA", b"MThd": "MIDI", b"wvpk": "WavPack",
}  # fmt: skip
ENDINGS = {
    ".mp3": "MP3", ".ogg": "Ogg", ".oga": "Ogg", ".opus": "Opus", ".flac": "FLAC", ".m4a": "M4A",
    ".aac": "AAC", ".aif": "AIFF", ".aiff": "AIFF", ".wma": "WMA", ".mid": "MIDI", ".amr": "AMR",
}  # fmt: skip
CODINGS = {2: "ADPCM", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True, eq=False)
class Sound:
    """One channel of a sound.

    samples   (n,) float32 in -1..1, several channels as their mean
    rate      samples in a second
    channels  how many the file has
    notes     what was fixed, in sentences for people
    """

    name: str
    samples: Samples
    rate: int
    channels: int = 1
    notes: tuple[Message, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def is_wav(start: bytes) -> bool:
    """Whether a file that begins so is a WAV."""
    return start[:4] in (b"RIFF", b"RF64", b"BW64") and start[8:12] == b"WAVE"


def other_sound(start: bytes, ending: str = "") -> str | None:
    """The name of a sound format that is not read, by content, else by `ending` (".mp3"); or None."""
    if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if start[4:11] == b"ftypM4A":
        return "M4A"
    found = next((name for magic, name in OTHERS.items() if start.startswith(magic)), None)
    return found or ENDINGS.get(ending.lower())


def refuse_other(start: bytes, name: str) -> None:
    """Raise DataError for a sound that is not read, with what to do about it."""
    found = other_sound(start, Path(name).suffix)
    if found is not None:
        raise DataError(
            N_("{file} is {found}, a sound format that is not read here; convert it to WAV (PCM) and "
               "use that."),
            file=name,
            found=found,
        )  # fmt: skip


def read_wav(source: Path | str | bytes, name: str = "") -> Sound:
    """A WAV file, or its bytes. What is cut off is used as far as it goes, and told. Raises DataError."""
    if isinstance(source, bytes):
        data = source
    else:
        data, name = read_file(source, MAX_BYTES), name or Path(source).name
    if not is_wav(data[:12]):
        refuse_other(data[:64], name)
        raise DataError(
            N_("{file} is no WAV sound: it begins with {found}; expected RIFF … WAVE."),
            file=name,
            found=data[:4].hex(" ") or "–",
        )
    form, body, claimed = _chunks(data, name)
    tag, channels, rate, bits = _form(form, name)
    width = bits // 8
    frames = len(body) // (channels * width)
    if not frames:
        raise DataError(N_("{file} holds no samples; record or export it again."), file=name)
    mono = _mixed(body[: frames * channels * width], tag, bits, channels, rate, name)
    notes: list[Message] = []
    if claimed > len(body):
        notes.append(
            Message(
                N_("{file} is cut off: {found} of {expected} s are there, and used."),
                {
                    "file": name,
                    "found": round(frames / rate, 3),
                    "expected": round(claimed / (channels * width * rate), 3),
                },
            )
        )
    if channels > 1:
        text = N_("{file}: {count} channels were mixed into one (their mean).")
        notes.append(Message(text, {"file": name, "count": channels}))
    if tag == FLOAT and (peak := float(np.abs(mono).max())) > 1.0:
        text = N_("{file} reaches {found}; it was divided by that, so that it lies between −1 and 1.")
        notes.append(Message(text, {"file": name, "found": f"{peak:.4g}"}))
        mono = mono / peak
    return Sound(name, np.ascontiguousarray(mono, dtype=np.float32), rate, channels, tuple(notes))


def _chunks(data: bytes, name: str) -> tuple[bytes, memoryview, int]:
    """The chunk `fmt `, the samples that are there, and how many bytes of them the file claims to have."""
    form = b""
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            break
        tag, size = struct.unpack_from("<4sI", data, at)
        if tag == b"fmt ":
            form = data[at + 8 : at + 8 + min(size, 64)]
        elif tag == b"data":
            body = memoryview(data)[at + 8 : at + 8 + size]
            streamed = size >= 0xFFFFFF00  # written without knowing its length, or RF64
            return form, body, len(body) if streamed else size
        at += 8 + size + (size & 1)
    raise DataError(
        N_("{file} ends before its samples begin: there is only a header. Copy or record it again."),
        file=name,
    )


def _form(form: bytes, name: str) -> tuple[int, int, int, int]:
    """(coding, channels, rate, bits of a sample), all usable. Raises DataError."""
    if len(form) < 16:
        raise DataError(
            N_("{file} does not say how its samples are written (no fmt chunk); export it again."), file=name
        )
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", form)
    if tag == EXTENSIBLE and len(form) >= 26:
        tag = struct.unpack_from("<H", form, 24)[0]
    if tag not in (PCM, FLOAT):
        raise DataError(
            N_("{file} holds {found} inside the WAV; only uncompressed sound is read. Save it as WAV, PCM."),
            file=name,
            found=CODINGS.get(tag, f"0x{tag:04x}"),
        )
    if not channels:
        raise DataError(N_("{file} claims to have 0 channels; a sound has at least one."), file=name)
    if not LOWEST <= rate <= HIGHEST:
        raise DataError(
            N_("{file} claims {found} samples in a second; expected {low} to {high}."),
            file=name,
            found=rate,
            low=LOWEST,
            high=HIGHEST,
        )
    if bits not in ((8, 16, 24, 32) if tag == PCM else (32, 64)) or block != channels * bits // 8:
        raise DataError(
            N_("{file}: {found} bits in a sample ({bytes} bytes for {channels} channels) are not read; "
               "save it as 16-bit PCM."),
            file=name,
            found=bits,
            bytes=block,
            channels=channels,
        )  # fmt: skip
    return tag, channels, rate, bits


def _mixed(
    body: memoryview, tag: int, bits: int, channels: int, rate: int, name: str
) -> npt.NDArray[Any]:
    """The mean of all channels, block by block. Raises DataError for floats that are no sound."""
    frame = channels * bits // 8
    out = np.empty(len(body) // frame, np.float64 if bits == 64 else np.float32)
    for start in range(0, len(out), BLOCK):
        values = _decode(body[start * frame : (start + BLOCK) * frame], tag, bits).reshape(-1, channels)
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            first = start + int(bad.argmax())
            raise DataError(
                N_("{file}: sample {place} (at {seconds} s) is NaN or infinite; export the sound again."),
                file=name,
                place=first + 1,
                seconds=round(first / rate, 3),
            )
        with np.errstate(over="ignore"):
            out[start : start + BLOCK] = values[:, 0] if channels == 1 else values.mean(axis=1)
    if not np.isfinite(out).all():
        raise DataError(N_("{file} holds numbers too large for a sound; export it again."), file=name)
    return out


def _decode(body: memoryview, tag: int, bits: int) -> npt.NDArray[Any]:
    """Numbers between -1 and 1 (floats: as they are)."""
    if tag == FLOAT:
        return np.frombuffer(body, "<f4" if bits == 32 else "<f8")
    if bits == 8:  # the only unsigned one
        return np.frombuffer(body, np.uint8).astype(np.float32) / np.float32(128) - np.float32(1)
    if bits == 24:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)  # the sign is in the highest byte
        return wide.view("<i4")[:, 0].astype(np.float32) * np.float32(2.0**-31)
    return np.frombuffer(body, f"<i{bits // 8}").astype(np.float32) * np.float32(2.0 ** (1 - bits))
