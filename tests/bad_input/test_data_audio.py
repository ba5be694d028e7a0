"""BAD_INPUTS 60, and the general file cases, for sounds."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.data.drop import recognize
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.data.wav import read_wav
from engine.errors import DataError
from tests.engine.data.wav_bytes import tone, wav, write

X = tone(440, 0.1)


def with_nan(value: float) -> np.ndarray:
    x = X.copy()
    x[7] = value
    return x


BAD = {
    "case 4 empty": (b"", "is empty"),
    "case 6 header only": (wav(X)[:36], "ends before its samples begin"),
    "case 6 cut in the header": (wav(X)[:20], "ends before its samples begin"),
    "case 9 endless chunks": (wav(X)[:36] + b"junk\0\0\0\0" * 2000, "ends before its samples begin"),
    "wrong magic": (b"RIFX" + wav(X)[4:], "is RIFX, a sound format that is not read here; convert it to WAV"),
    "no sound": (b"hello", "is no WAV sound: it begins with 68 65 6c 6c"),
    "no form": (wav(X)[:12] + wav(X)[36:], "no fmt chunk"),
    "case 60 no samples": (wav(b""), "holds no samples"),
    "case 60 less than one sample": (wav(b"\0"), "holds no samples"),
    "0 channels": (wav(X, channels=0), "0 channels"),
    "rate 0": (wav(X, 0), "claims 0 samples in a second; expected 1000 to 384000"),
    "rate 4 billion": (wav(X, 2**32 - 1), "claims 4294967295 samples in a second"),
    "MP3 inside": (wav(b"\xff\xfb" * 50, tag=0x55, bits=0), "holds MP3 inside the WAV"),
    "ADPCM": (wav(b"\0" * 50, tag=2, bits=4), "holds ADPCM inside the WAV; only uncompressed"),
    "unknown coding": (wav(X, tag=0x1234), "holds 0x1234 inside"),
    "12 bits": (wav(X, bits=12), "12 bits in a sample"),
    "case 60 NaN": (wav(with_nan(np.nan), coding="f32"), r"sample 8 \(at 0.001 s\) is NaN or infinite"),
    "case 60 infinite": (wav(with_nan(-np.inf), coding="f64"), "sample 8"),
    "MP3": (b"ID3\x03" + b"\0" * 60, "is MP3, a sound format that is not read here; convert it to WAV"),
    "Ogg": (b"OggS" + b"\0" * 60, "is Ogg,"),
    "FLAC": (b"fLaC" + b"\0" * 60, "is FLAC,"),
    "AIFF": (b"FORM\0\0\0\0AIFF", "is AIFF,"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str) -> None:
    content, words = BAD[name]
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as refusal:
        read_wav(path)
    assert "a.wav" in str(refusal.value)


def test_case_01_02_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.wav is not there"):
        read_wav(tmp_path / "gone.wav")
    with pytest.raises(DataError, match="is a folder"):
        read_wav(tmp_path)


def test_case_05_names_do_not_decide(tmp_path: Path) -> None:
    assert recognize([write(tmp_path / "a.mp3", X)]).kind == "sound"
    for name, body in (("b.mp3", b"\0\1\2\3"), ("c.txt", b"fLaC\0\0\0"), ("d.ogg", b"what is this")):
        (tmp_path / name).write_bytes(body)
        found = recognize([tmp_path / name])
        assert found.kind == "refused" and name in str(found.message)
        assert "convert it to WAV" in str(found.message)


def test_case_06_at_every_offset_refused_or_used_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = wav(X[:40], extra=b"\0\0")
    for cut in range(1, len(whole)):
        try:
            sound = read_wav(whole[:cut], "cut.wav")
        except DataError as refusal:
            assert cut < 48 and "cut.wav" in str(refusal)
            continue
        assert len(sound.samples) == (cut - 46) // 2
        assert "is cut off" in str(sound.notes[0])
    streamed = read_wav(wav(X, claimed=0xFFFFFFFF))  # written to a pipe: nothing is missing
    assert len(streamed.samples) == len(X) and streamed.notes == ()
    assert len(read_wav(wav(X, claimed=2**31)).samples) == len(X)  # 2 GB are not reserved


def test_case_60_eight_channels_192_khz_and_too_loud() -> None:
    sound = read_wav(wav(np.stack([X] * 8, 1), 192_000, "i24"), "a.wav")
    assert sound.channels == 8 and np.allclose(sound.samples, X, atol=1e-6)
    loud = read_wav(wav(X * 1000, coding="f32"), "a.wav")
    assert np.abs(loud.samples).max() == 1 and "a.wav reaches 500" in str(loud.notes[0])
    with pytest.raises(DataError, match="too large"):
        read_wav(wav(np.array([[1.7e308, 1.7e308]]), coding="f64"))


def classes(folder: Path) -> SourceSpec:
    """Two classes, one of which holds nearly all that can go wrong in a folder."""
    for k in range(4):
        write(folder / "good" / f"{k}.wav", tone(300 + k, 0.2))
        write(folder / "odd" / f"{k}.wav", tone(900 + k, 0.2))
    write(folder / "odd" / "silent.wav", np.zeros(800))
    write(folder / "odd" / "short.wav", tone(900, 0.01))
    write(folder / "odd" / "nan.wav", with_nan(np.nan), coding="f32")
    (folder / "odd" / "song.mp3").write_bytes(b"ID3\x03")
    (folder / "odd" / "empty.wav").write_bytes(b"")
    return SourceSpec.audio(path=str(folder))


def test_a_folder_with_all_kinds_of_files_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    data = load(classes(tmp_path / "s"))
    assert data.class_names == ("good", "odd") and len(data.skipped) == 3
    told = " ".join(str(note) for note in data.notes)
    assert "3 of 13 files were left out; the first: " in told
    assert "1 sounds are shorter than an example; the rest of it is silence." in told
    assert "3 of 52 pieces hold no sound and were left out." in told
    assert data.n_train + data.n_test == 49


def test_silence_one_class_and_no_wav_at_all(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / f"{k}.wav", np.zeros(3000))) for k in "ab"]
    with pytest.raises(DataError, match="holds only silence"):
        load(SourceSpec.audio(*paths))
    write(tmp_path / "b.wav", tone(440))
    with pytest.raises(DataError, match="every example is “b”; at least two"):
        load(SourceSpec.audio(*paths))
    (tmp_path / "m" / "x").mkdir(parents=True)
    (tmp_path / "m" / "y").mkdir()
    (tmp_path / "m" / "x" / "a.mp3").write_bytes(b"ID3\x03")
    found = recognize([tmp_path / "m"])
    assert found.spec is not None and found.spec.kind == "audio"
    with pytest.raises(DataError, match=r"none of the 1 files is a readable WAV; the first: .*MP3"):
        load(found.spec)
    with pytest.raises(DataError, match="holds only one class folder"):
        load(replace(found.spec, classes=("x",)))


def test_case_27_a_file_that_is_a_class_must_be_there(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / f"{k}.wav", tone(440))) for k in "abc"]
    (tmp_path / "b.wav").unlink()
    with pytest.raises(DataError, match=r"b\.wav is not there; was it moved\?"):
        load(SourceSpec.audio(*paths))
    with pytest.raises(DataError, match="is not there"):
        load(SourceSpec.audio(path=str(tmp_path / "gone")))


def test_too_much_is_refused_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(write(tmp_path / f"{k}.wav", tone(440, 2.0, 1000), 1000)) for k in "ab"]
    monkeypatch.setattr("engine.data.audio.MAX_CELLS", 20_000)
    with pytest.raises(DataError, match="let the examples start every 512 samples"):
        load(SourceSpec.audio(*paths))
    with pytest.raises(DataError, match="at 48000 samples in a second at most"):
        load(SourceSpec.audio(*paths, rate=48_000))
    with pytest.raises(DataError, match="choose at most 78"):
        load(SourceSpec.audio(name="tones"))
    many = [write(tmp_path / "many" / f"{k}.wav", X) for k in range(33)]
    assert "33 sounds lie loose; put the sounds of each class" in str(recognize(many).message)
    assert "many: 33 sounds lie loose" in str(recognize([tmp_path / "many"]).message)


def test_settings_that_make_no_sense() -> None:
    spec = SourceSpec.audio(name="tones")
    wrongs = {"rate": 0, "reading": "notes", "bands": 1, "length": -1, "pitch": "bark", "hop": 0}
    for name, value in wrongs.items():
        with pytest.raises(DataError, match="data setting"):
            replace(spec, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="fewer than 200 bands"):
        load(replace(spec, reading="spectrogram", bands=200))
    with pytest.raises(DataError, match="shorter than a frame of 256"):
        load(replace(spec, reading="spectrogram", length=100))
    with pytest.raises(DataError, match="no sounds called “birds”"):
        load(SourceSpec.audio(name="birds"))
    with pytest.raises(DataError, match="at least 8"):
        load(replace(spec, count=5))


def test_flipped_bytes_are_quick_and_never_more_than_a_refusal() -> None:
    whole, rng = wav(X[:100], extra=b"\0\0"), np.random.default_rng(1)
    start = time.perf_counter()
    for _ in range(300):
        broken = bytearray(whole)
        for place in rng.integers(0, 48, 3):
            broken[place] = rng.integers(256)
        try:
            sound = read_wav(bytes(broken), "a.wav")
        except DataError as refusal:
            assert "a.wav" in str(refusal)
        else:
            assert np.isfinite(sound.samples).all() and struct.calcsize("f") == sound.samples.itemsize
    assert time.perf_counter() - start < 5
