"""Sound as numbers: codings, rates, the spectrogram against its definition, classes, made tones."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from math import cos, log10, pi, sin
from pathlib import Path

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.audio import as_inputs, length_of, pieces_of
from engine.data.drop import recognize
from engine.data.loading import load
from engine.data.sound import centers, filters, hertz, mel, resample, spectrogram
from engine.data.source import SourceSpec
from engine.data.wav import read_wav
from engine.errors import DataError
from engine.project_file import load_project
from engine.training import Trainer
from tests.engine.data.wav_bytes import tone, wav, write


@pytest.mark.parametrize(
    ("coding", "exact"),
    [("u8", 0.008), ("i16", 4e-5), ("i24", 3e-7), ("i32", 1e-7), ("f32", 1e-7), ("f64", 1e-7)],
)
def test_every_coding_gives_the_same_samples(coding: str, exact: float) -> None:
    x = tone(440, 0.05)
    sound = read_wav(wav(x, 22050, coding), "a.wav")
    assert (sound.rate, sound.channels, sound.notes) == (22050, 1, ())
    np.testing.assert_allclose(sound.samples, x, atol=exact)


def test_the_standard_library_writes_what_is_read_here() -> None:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.array([[32767, -32768], [16384, 0]], "<i2").tobytes())
    sound = read_wav(made.getvalue(), "a.wav")
    assert sound.rate == 44100 and sound.samples.tolist() == pytest.approx([-1 / 65536, 0.25])
    assert "2 channels were mixed" in str(sound.notes[0])


def test_extensible_headers_and_foreign_chunks() -> None:
    x = tone(440, 0.01)
    extra = b"\x16\0\x10\0\0\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    whole = wav(x, tag=0xFFFE, extra=extra)
    longer = whole[:12] + b"LIST\x03\0\0\0abc\0" + whole[12:]  # an odd chunk has a byte after it
    for data in (whole, longer):
        np.testing.assert_allclose(read_wav(data).samples, x, atol=4e-5)


def test_another_rate_is_the_same_sound() -> None:
    """Held to the formula of the tone itself; what the lower rate cannot hold is gone."""
    inside = slice(200, -200)
    for before, after in ((44100, 8000), (48000, 8000), (8000, 11025)):
        found = resample(tone(440, 0.5, before).astype(np.float32), before, after)
        wanted = tone(440, 0.5, after)
        assert abs(len(found) - len(wanted)) <= 1
        wanted = tone(440, len(found) / after, after)
        assert np.abs(found - wanted)[inside].max() < 1e-4
    assert np.abs(resample(tone(5000, 0.5, 44100).astype(np.float32), 44100, 8000)[inside]).max() < 1e-4


def by_hand(x: list[float], rate: int, frame: int, hop: int, bands: int, mels: bool) -> list[list[float]]:
    """The spectrogram as its definition says it, one term after the other."""
    top, step = rate / 2, rate / frame
    ends = [k * (2595 * log10(1 + top / 700) if mels else top) / (bands + 1) for k in range(bands + 2)]
    edges = [700 * (10 ** (e / 2595) - 1) if mels else e for e in ends]
    weights = [0.5 - 0.5 * cos(2 * pi * n / frame) for n in range(frame)]
    rows: list[list[float]] = [[] for _ in range(bands)]
    for start in range(0, len(x) - frame + 1, hop):
        part = [x[start + n] * weights[n] for n in range(frame)]
        size = []
        for k in range(frame // 2 + 1):
            real = sum(v * cos(2 * pi * k * n / frame) for n, v in enumerate(part))
            imaginary = sum(v * sin(2 * pi * k * n / frame) for n, v in enumerate(part))
            size.append((real**2 + imaginary**2) ** 0.5 * 2 / sum(weights))
        for b in range(bands):
            low, middle, high = edges[b : b + 3]
            left, right = max(middle - low, step), max(high - middle, step)
            total = 0.0
            for k, v in enumerate(size):
                away = k * step - middle
                total += v * max(0.0, 1 + away / left if away < 0 else 1 - away / right)
            rows[b].append(min(1.0, max(0.0, (20 * log10(max(total, 1e-4)) + 80) / 80)))
    return rows[::-1]


@pytest.mark.parametrize("pitch", ["mel", "linear"])
def test_the_spectrogram_is_its_definition(pitch: str) -> None:
    x = tone(1000, 0.02) + tone(3000, 0.02, loud=0.01)
    found = spectrogram(x[None], 8000, 32, 20, 7, pitch)[0]
    np.testing.assert_allclose(found, by_hand(x.tolist(), 8000, 32, 20, 7, pitch == "mel"), atol=2e-6)


def test_a_tone_lights_its_band_and_decibels_are_true() -> None:
    assert mel(1000) == pytest.approx(1000, abs=0.02) and hertz(mel(440.0)) == pytest.approx(440)
    middle = centers(31, 8000, "linear")
    assert middle[15] == 2000
    loud, soft = (spectrogram(tone(2000, loud=v)[None], 8000, 256, 128, 31, "linear")[0] for v in (0.5, 0.05))
    assert (loud.argmax(axis=0) == 31 - 1 - 15).all()  # the highest band stands in the first row
    np.testing.assert_allclose((loud - soft)[15], 20 / 80, atol=1e-5)  # ten times is 20 of 80 dB
    assert (filters(64, 128, 8000, "mel").sum(axis=1) > 0).all()  # no band without a line


def test_folders_are_classes_and_whole_files_are_held_back(tmp_path: Path) -> None:
    for name, base in (("low", 200), ("high", 1500)):
        for k in range(5):
            write(tmp_path / "s" / name / f"{k}.wav", tone(base + 20 * k, 0.1))
    found = recognize([tmp_path / "s"])
    assert found.kind == "data" and str(found.message) == "s: a folder with 2 class folders of sounds"
    assert found.spec == SourceSpec.audio(path=str(tmp_path / "s"))
    data = load(found.spec)
    assert data.class_names == ("high", "low") and data.kind == "sounds" and data.shape == (256,)
    assert (data.n_train, data.n_test) == (24, 6) and data.notes == ()  # 3 pieces of each file
    assert recognize([tmp_path / "s" / "low", tmp_path / "s" / "high"]).spec == replace(
        found.spec, classes=("high", "low")
    )
    again = load(replace(found.spec, sha256=data.source_sha256, rate=4000, reading="spectrogram"))
    assert not any("has changed" in str(note) for note in again.notes)  # of the content, not of the settings
    assert again.shape == (1, 32, 32) and again.x_train.min() >= 0 and again.x_train.max() <= 1


def test_files_are_classes_of_any_rate_and_their_ends_are_held_back(tmp_path: Path) -> None:
    paths = [
        str(write(tmp_path / "sine.wav", tone(440, 2.0, 8000), 8000)),
        str(write(tmp_path / "high.wav", np.stack([tone(1500, 2.0, 44100)] * 2, 1), 44100, "f32")),
    ]
    found = recognize(paths)
    assert found.kind == "data" and found.spec == SourceSpec.audio(*paths)
    assert recognize(paths[:1]).kind == "sound"  # one is looked at
    data = load(found.spec)
    assert data.class_names == ("sine", "high") and (data.n_train, data.n_test) == (100, 24)
    told = " ".join(str(note) for note in data.notes)
    assert "44100 samples in a second were brought to 8000" in told and "2 channels were mixed" in told
    assert len(load(replace(found.spec, stride=128)).x_train) == 2 * 99
    with pytest.raises(DataError, match=r"sine.wav alone is one class"):
        load(SourceSpec.audio(paths[0]))
    assert recognize([tmp_path]).spec == SourceSpec.audio(*sorted(paths))  # the folder they lie in


def test_tones_are_the_same_for_a_seed(tmp_path: Path) -> None:
    spec = replace(SourceSpec.audio(name="tones"), count=40)
    data, again = load(spec), load(spec)
    assert data.sha256 == again.sha256 != load(replace(spec, seed=1)).sha256
    assert data.class_names == ("sine", "square", "saw", "noise") and (data.n_train, data.n_test) == (32, 8)
    picture = load(replace(spec, reading="spectrogram"))
    assert picture.kind == "pictures" and picture.shape == (1, 32, 32)
    spec = replace(spec, reading="spectrogram", bands=20, length=1000)
    assert as_inputs(pieces_of(np.zeros(10, np.float32), spec), spec).shape == (1, 1, 20, 6)
    assert length_of(spec) == 1000


def test_tones_are_learnt_from_their_spectrograms() -> None:
    project = load_project(Path(__file__).parents[3] / "resources" / "samples" / "tones_cnn.matrizen")
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    while trainer.step < 10 * trainer.steps_per_epoch:
        trainer.run(50)
    assert trainer.evaluate().accuracy > 0.9
