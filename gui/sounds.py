"""What becomes of a dropped sound: it is seen as numbers, and a network made for sounds says what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from engine.data.audio import brought
from engine.data.source import SourceSpec
from engine.data.wav import Sound, read_wav
from engine.errors import N_, Message
from engine.session.protocol import Prediction
from gui.dialogs.sound_dialog import SoundDialog
from gui.i18n import tr, tr_message
from gui.workbench import Workbench

if TYPE_CHECKING:
    from gui.main_window import MainWindow

KEPT = ("reading", "rate", "length", "stride", "frame", "hop", "bands", "pitch", "test_share", "normalize")
"""Settings that other sounds are loaded with, too."""


class Sounds(QObject):
    """Shows sounds for one window, one at a time."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window)
        self._window, self._bench = window, bench
        self.dialog: SoundDialog | None = None

    def fitting(self, spec: SourceSpec) -> SourceSpec:
        """Other sounds are read as those in use were; a network for pictures gets spectrograms."""
        if spec.kind != "audio":
            return spec
        document = self._bench.document
        source, data = document.source, document.data
        if source is not None and source.kind == "audio":
            return replace(spec, **{name: getattr(source, name) for name in KEPT})
        return replace(spec, reading="spectrogram") if data is not None and len(data.shape) == 3 else spec

    def open(self, path: str) -> None:
        """Read a sound off the window's thread, then show it and ask the network."""
        source = self._bench.document.source
        spec = source if source is not None and source.kind == "audio" else SourceSpec.audio()

        def work(_progress: Any, _canceled: Any) -> tuple[Sound, Sound]:
            read = read_wav(Path(path))
            return read, brought(read, spec)

        def done(found: tuple[Sound, Sound]) -> None:
            self._show(*found, spec)

        self._bench.tasks.run("pictures", tr("Reading the sound"), work, done, self._bench.cannot)

    def _show(self, read: Sound, sound: Sound, spec: SourceSpec) -> None:
        configured = self._bench.configured
        before = self.dialog
        self.dialog = shown = SoundDialog(read, sound, spec, self._window)
        if before is not None:  # the next sound takes the place of the last
            shown.setGeometry(before.geometry())
            before.close()
        shown.finished.connect(lambda _result: self._closed(shown))
        self._window.drops.watch(shown)
        shown.show()
        source = self._bench.document.source
        if configured is None or source is None or source.kind != "audio":
            shown.set_reason(self._why_not())
            return
        if configured.data.spec.shape != shown.inputs.shape[1:]:
            shown.set_reason(tr("The data have changed; drop the sound again once they are loaded."))
            return

        def answered(result: Prediction | None, error: Message | None) -> None:
            if result is None:
                shown.set_reason(tr_message(error or Message(N_("The engine gave no answer."))))
            else:
                graph, trained = self._bench.document.graph, self._bench.status.step > 0
                shown.set_prediction(result, configured, graph, trained)

        self._bench.runner.predict(shown.inputs, ("*",), answered)

    def _closed(self, dialog: SoundDialog) -> None:
        if self.dialog is dialog:
            self.dialog = None

    def _why_not(self) -> str:
        if self._bench.configured is None:
            return tr("To classify a sound, draw a network that can run.")
        return tr(
            "This network was not made for sounds. To train one, drop several WAV files together, each of "
            "them a class, or a folder with a folder of WAV files for each class."
        )
