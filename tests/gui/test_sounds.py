"""A sound dropped on the window: numbers, what the network says, and training with sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from engine.data.source import SourceSpec
from gui.dialogs.sound_dialog import SoundDialog
from gui.panels.data_panel import DataDialog, fields_of
from gui.wave_words import HEIGHT, WIDTH, wave_shapes, wave_words
from tests.engine.data.wav_bytes import tone, write
from tests.gui.desk import Desk


def dropped(desk: Desk, path: Path) -> SoundDialog:
    sounds, before = desk.commands.pictures.sounds, desk.commands.pictures.sounds.dialog
    desk.commands.take([str(path)])
    desk.qtbot.waitUntil(lambda: sounds.dialog not in (None, before), timeout=10_000)
    desk.runner.go()
    assert sounds.dialog is not None
    return sounds.dialog


def words(dialog: SoundDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def test_a_sound_is_seen_as_numbers_and_a_network_of_sounds_answers(desk: Desk, tmp_path: Path) -> None:
    pitches = {"low": 220, "high": 1760}
    paths = [write(tmp_path / f"{name}.wav", tone(pitch, 0.5)) for name, pitch in pitches.items()]
    desk.open("circle")
    dialog = dropped(desk, paths[1])
    assert "0.500 s, 8,000 samples in a second, one channel" in words(dialog)
    assert "not made for sounds" in words(dialog) and dialog.best() == ""
    assert dialog.samples.matrix.values().shape == (16, 16) and len(dialog.pieces) == 15
    np.testing.assert_allclose(dialog.samples.matrix.values().ravel(), tone(1760, 0.032), atol=4e-5)
    dialog.show_reading("spectrogram")
    bands = dialog.bands.matrix.values()
    assert bands.shape == (32, 32) and len(set(bands[:, :30].argmax(axis=0))) == 1
    QTest.mouseClick(dialog.wave, Qt.MouseButton.LeftButton, pos=QPoint(dialog.wave.width() // 2, 40))
    assert dialog._place.text() == "8 / 15"
    # both together are classes
    desk.commands.take([str(path) for path in paths])
    desk.qtbot.waitUntil(lambda: desk.bench.document.source.kind == "audio", timeout=10_000)
    desk.settle()
    assert desk.bench.configured is not None and desk.bench.configured.data.kind == "sounds"
    assert desk.bench.document.data.shape == (256,)
    again = dropped(desk, paths[0])
    assert again.best() in ("low", "high") and len(again.shares.rows()) == 2
    before = again.shares.rows()
    again.leaf(-1)
    assert again._place.text() == "15 / 15" and again.shares.rows() != before
    again.close()
    assert desk.commands.pictures.sounds.dialog is None


def test_the_input_shows_its_waves_or_spectrograms_and_the_form_fits(desk: Desk) -> None:
    desk.open("circle")
    bench = desk.bench
    wanted = (("spectrogram", (1, 32, 32), (32, 32)), ("samples", (256,), (HEIGHT, WIDTH)))
    for reading, shape, size in wanted:
        bench.exchange.load_data(SourceSpec.audio(name="tones", reading=reading))
        desk.qtbot.waitUntil(lambda shape=shape: bench.document.data.shape == shape, timeout=10_000)
        desk.qtbot.waitUntil(lambda: not bench.tasks.busy(), timeout=10_000)
        desk.settle()
        desk.runner.go()
        node = next(n.uid for n in bench.document.graph.nodes if n.layer.kind == "input")
        seen = desk.window.canvas.canvas.atlas.data(node)
        assert seen is not None and seen.tiles.shape[1:] == size
    kept = desk.commands.pictures.sounds.fitting(SourceSpec.audio("a.wav", "b.wav", reading="spectrogram"))
    assert kept == SourceSpec.audio("a.wav", "b.wav")  # other sounds are read as these are
    dialog = DataDialog(bench, desk.window)
    names = [field.name for field in fields_of(bench.document.source)]
    assert "count" in names and "frame" not in names and "stride" not in names
    assert dialog.form is not None and list(dialog.form._fields) == names
    dialog.close()


def test_waves_as_pixels() -> None:
    square = np.repeat([[1.0, -1.0]], 200, axis=1).reshape(1, 400)
    shape = wave_shapes(square, 9, 8)
    assert shape.shape == (1, 9, 8) and shape[0, 0, :4].all() and shape[0, -1, 4:].all()
    assert shape[0, :, 4].all()  # the edge is one unbroken line
    assert wave_shapes(np.zeros((2, 3)), 9, 8)[:, 4].all()
    assert wave_words(square).shape == (1, HEIGHT, WIDTH) and len(np.unique(wave_words(square))) == 2
