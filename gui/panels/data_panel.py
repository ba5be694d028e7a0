"""The training data: where they come from, how pictures are resized, what is held back for the test.

Every change is loaded off the window's thread and becomes one undo step.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.data.audio import TONES, length_of, stride_of
from engine.data.source import MAX_LENGTH, MAX_WINDOW, SourceSpec
from engine.data.toy import TOYS
from engine.errors import N_, MatrizenError
from gui import i18n, theme
from gui.forms import Field, Form
from gui.i18n import tr, tr_message
from gui.workbench import Workbench

RESIZE_TEXTS = (("fit", N_("Whole picture")), ("fill", N_("Cut at the edges")), ("stretch", N_("Stretch")))
READING_TEXTS = (("samples", N_("Wave samples")), ("spectrogram", N_("Spectrogram")))
PITCH_TEXTS = (("mel", N_("Even in mel (as heard)")), ("linear", N_("Even in Hz")))
UNIT_TEXTS = (("characters", N_("Characters")), ("words", N_("Words")))
CHANNEL_TEXTS = ((0, N_("As the pictures")), (1, N_("Grey")), (3, N_("Color")))
TOY_TEXTS = {
    "circle": N_("Circle"), "spiral": N_("Spiral"), "xor": N_("Exclusive or"), "gauss": N_("Two clouds"),
    "moons": N_("Moons"), "plane": N_("Plane (numbers)"), "hills": N_("Hills (numbers)"),
}  # fmt: skip
SAMPLE_TEXTS_WRITTEN = (("emma", N_("Jane Austen, Emma")),)
SAMPLE_TEXTS = (
    ("fashion", N_("Clothes, 28 × 28")), ("digits", N_("Digits, 8 × 8")),
    ("turned", N_("Turned digits, 16 × 16")),
)  # fmt: skip


def fields_of(source: SourceSpec) -> list[Field]:
    """The settings that matter for this kind of data."""
    share = Field(
        "test_share",
        N_("Held back for the test"),
        "float",
        N_("Share of the examples that is not trained on."),
        0.0,
        0.9,
    )
    seed = Field("seed", N_("Seed"), "int", N_("Chooses which examples are held back."), 0, 2**31)
    normalize = Field(
        "normalize", N_("Normalize"), "bool", N_("Subtract the mean, divide by the standard deviation.")
    )
    if source.kind == "toy":
        toys = tuple((name, TOY_TEXTS.get(name, name)) for name in TOYS)
        return [
            Field("name", N_("Points"), "choice", "", choices=toys),
            Field("count", N_("How many"), "int", N_("Training and test points together."), 4, 20_000),
            Field("noise", N_("Noise"), "float", N_("0 is none, 1 is a cloud."), 0.0, 1.0),
            share, seed, normalize,
        ]  # fmt: skip
    if source.kind == "sample":
        return [Field("name", N_("Data set"), "choice", "", choices=SAMPLE_TEXTS), normalize]
    if source.kind == "folder":
        return [
            Field("size", N_("Size"), "pair", N_("Height and width pictures are brought to."), 1, 4096),
            Field("channels", N_("Colors"), "choice", "", choices=CHANNEL_TEXTS),
            Field("resize", N_("Resize"), "choice", N_("What happens to pictures of other proportions."),
                  choices=RESIZE_TEXTS),
            share, seed, normalize,
        ]  # fmt: skip
    if source.kind == "text":
        return [
            Field("unit", N_("Tokens"), "choice", "", choices=UNIT_TEXTS),
            Field("window", N_("Window"), "int", N_("Tokens of one example."), 1, MAX_WINDOW),
            Field("step", N_("Start every"), "int", N_("Tokens from one window to the next."), 1, 10_000),
            Field("most", N_("Vocabulary"), "int", N_("Rarer tokens are read as one, unknown."), 2, 65536),
            Field("lower", N_("Small letters only"), "bool", N_("Capital letters are read as small ones.")),
            share,
        ]  # fmt: skip
    if source.kind == "audio":
        return [*_fields_of_sounds(source), share, seed, normalize]
    if source.kind in ("idx", "npz"):
        return [share, seed, normalize]
    return [normalize]


def _fields_of_sounds(source: SourceSpec) -> list[Field]:
    text = N_("A row of numbers, or a picture of pitches over time.")
    fields = [Field("reading", N_("Sounds as"), "choice", text, choices=READING_TEXTS)]
    if not source.path and not source.paths:
        fields += [
            Field("count", N_("How many"), "int", N_("Training and test sounds together."), 8, 20_000),
            Field("noise", N_("Noise"), "float", N_("0 is none, 1 is a cloud."), 0.0, 1.0),
        ]
    fields += [
        Field("rate", N_("Samples in a second"), "int", N_("Every file is brought to this."), 1000, 48_000),
        Field("length", N_("Example"), "int", N_("Samples of one example."), 1, MAX_LENGTH),
    ]
    if source.path or source.paths:
        step = N_("Samples from one example to the next.")
        fields.append(Field("stride", N_("Start every"), "int", step, 1, 1_000_000))
    if source.reading == "spectrogram":
        fields += [
            Field("frame", N_("Frame"), "int", N_("Samples of one column of the spectrogram."), 8, 8192),
            Field("hop", N_("One frame every"), "int", N_("Samples from one column to the next."), 1, 8192),
            Field("bands", N_("Bands"), "int", N_("Rows of the spectrogram, the highest on top."), 2, 512),
            Field("pitch", N_("Spacing of the bands"), "choice", "", choices=PITCH_TEXTS),
        ]
    return fields


def values_of(source: SourceSpec, shape: tuple[int, ...]) -> dict[str, Any]:
    """What the form shows; a size that was chosen from the pictures is shown as it came out."""
    values = {field.name: getattr(source, field.name) for field in fields_of(source)}
    if source.kind == "audio":
        values |= {"length": length_of(source), "stride": stride_of(source)}
    if values.get("size") is None and "size" in values:
        values["size"] = tuple(shape[1:]) if len(shape) == 3 else (28, 28)
    return values


class DataDialog(QDialog):
    """Not modal: the network and its numbers stay in sight while the data change."""

    def __init__(self, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("data_dialog")
        self.setWindowTitle(tr("Training data"))
        self._bench = bench
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(theme.px(20), theme.px(16), theme.px(20), theme.px(20))
        self._column.setSpacing(theme.px(12))
        self._name = QLabel()
        self._name.setProperty("role", "heading")
        self._name.setWordWrap(True)
        self._column.addWidget(self._name)
        self._facts = QLabel()
        self._facts.setWordWrap(True)
        self._facts.setProperty("role", "muted")
        self._column.addWidget(self._facts)
        self.form: Form | None = None
        self._holder = QVBoxLayout()
        self._column.addLayout(self._holder)
        self._notes = QLabel()
        self._notes.setWordWrap(True)
        self._notes.setProperty("role", "caption")
        self._column.addWidget(self._notes)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        for text, handler in (
            (tr("Points"), self._points),
            (tr("Tones"), self._tones),
            (tr("Folder …"), self._folder),
            (tr("File …"), self._file),
        ):
            button = QPushButton(text)
            button.clicked.connect(handler)
            row.addWidget(button)
        row.addStretch(1)
        other = QLabel(tr("Other data"))
        other.setProperty("role", "head")
        self._column.addWidget(other)
        self._column.addLayout(row)
        self._column.addStretch(1)
        self.setMinimumWidth(theme.px(380))
        bench.document.changed.connect(self._show)
        bench.programmed.connect(self._show)
        self._shown: SourceSpec | None = None
        self._show()

    def _show(self, *_: object) -> None:
        source, data = self._bench.document.source, self._bench.document.data
        self._name.setText(name_of(source))
        if data is None:
            self._facts.setText(tr("No data loaded."))
        else:
            configured = self._bench.configured
            shape = " × ".join(str(n) for n in data.shape)
            parts = [tr("{n} training examples of {shape}").format(n=i18n.integer(data.count), shape=shape)]
            if configured is not None:
                parts.append(tr("{n} for the test").format(n=i18n.integer(configured.data.n_test)))
                if configured.data.class_names:
                    names = ", ".join(configured.data.class_names[:12])
                    parts.append(tr("Classes: {names}").format(names=names))
            self._facts.setText("\n".join(parts))
        configured = self._bench.configured
        notes = [tr_message(note) for note in configured.data.notes] if configured is not None else []
        self._notes.setText("\n".join(notes[:6]))
        self._notes.setVisible(bool(notes))
        if source is None:
            return
        fields = fields_of(source)
        if self.form is None or self._shown is None or fields != fields_of(self._shown):
            if self.form is not None:
                self.form.deleteLater()
            self.form = Form(fields)
            self.form.edited.connect(self._edit)
            self._holder.addWidget(self.form)
        self._shown = source
        self.form.set_values(values_of(source, data.shape if data is not None else ()))

    def _edit(self, name: str, value: Any) -> None:
        source = self._bench.document.source
        if source is None or self.form is None:
            return
        try:
            # a content hash belongs to what was loaded before
            changed = replace(source, **{name: value})
        except MatrizenError as refusal:
            self.form.set_problem(name, tr_message(refusal))
            return
        self._bench.exchange.load_data(changed)

    def _points(self) -> None:
        self._bench.exchange.load_data(SourceSpec.toy("circle"))

    def _tones(self) -> None:
        self._bench.exchange.load_data(SourceSpec.audio(name=TONES, reading="spectrogram"))

    def _folder(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, tr("Open a folder of pictures or sounds"), self._bench.state.folder
        )
        if name:
            self._take([name])

    def _file(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Open data"), self._bench.state.folder)
        if names:
            self._take(names)

    def _take(self, names: list[str]) -> None:
        window = self.parent()
        commands = getattr(window, "commands", None)
        self._bench.state.folder = str(Path(names[0]).parent)
        if commands is not None:
            commands.take(names)

    def keyPressEvent(self, event: Any) -> None:
        # Return takes a number, it does not press a button
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            return
        super().keyPressEvent(event)


def name_of(source: SourceSpec | None) -> str:
    """What the data are called."""
    if source is None:
        return tr("No data")
    if source.kind == "toy":
        return tr(TOY_TEXTS.get(source.name, source.name))
    if source.kind == "sample":
        return tr(dict(SAMPLE_TEXTS).get(source.name, source.name))
    if source.kind == "array":
        return tr("Numbers in the project")
    if source.kind == "audio" and not source.path and not source.paths:
        return tr("Tones")
    if source.kind == "audio" and source.paths:
        more = "" if len(source.paths) < 5 else ", …"
        return ", ".join(Path(path).name for path in source.paths[:4]) + more
    if source.kind == "text" and not source.paths:
        return tr(dict(SAMPLE_TEXTS_WRITTEN).get(source.name, source.name))
    path = source.path or (source.paths[0] if source.paths else "")
    return Path(path).name
