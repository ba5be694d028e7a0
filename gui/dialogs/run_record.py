"""The runs of a project side by side, and the record of the present one: what was changed, and when."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.locks import LOCKED
from engine.run import REBUILT
from engine.session.views import LineData, PastData
from engine.settings import TrainingSpec
from gui import i18n, theme
from gui.i18n import format_number, tr
from gui.number_field import NumberField
from gui.runs import MEGABYTE, Runs, run_name
from gui.workbench import Workbench


class RunRecord(QDialog):
    """Stays open beside the window and follows the run."""

    def __init__(self, runs: Runs, bench: Workbench, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("run_record")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Runs and record"))
        self._runs, self._bench = runs, bench
        self._numbers: list[int] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(20), theme.px(16), theme.px(20), theme.px(16))
        column.setSpacing(theme.px(10))
        column.addWidget(self._head(tr("Runs")))
        self.table = self._table()
        column.addWidget(self.table, 2)
        column.addLayout(self._buttons())
        column.addWidget(self._head(tr("Record of this run")))
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setFont(theme.mono_font())
        self.log.setAccessibleName(tr("Record of this run"))
        column.addWidget(self.log, 3)
        column.addLayout(self._history_row(runs.cap))
        self.resize(theme.px(720), theme.px(560))
        runs.changed.connect(self.show_past)
        self.show_past()

    def done(self, result: int) -> None:
        """Closed in whatever way: it hears of nothing any more."""
        self._runs.changed.disconnect(self.show_past)
        super().done(result)

    # ---- building ----------------------------------------------------------------------------------------

    @staticmethod
    def _head(text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "title")
        return label

    def _table(self) -> QTableWidget:
        names = (tr("Name"), tr("From step"), tr("Steps"), tr("Loss"), tr("Test"), tr("Settings"))
        table = QTableWidget(0, len(names))
        table.setHorizontalHeaderLabels(names)
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        table.setAccessibleName(tr("Runs"))
        table.itemSelectionChanged.connect(self._choose_buttons)
        table.itemDoubleClicked.connect(lambda _item: self._go_on())
        return table

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.go_on = QPushButton(tr("Go on with this run"))
        self.go_on.clicked.connect(self._go_on)
        self.forget = QPushButton(tr("Forget this run"))
        self.forget.clicked.connect(self._forget)
        self.copy = QPushButton(tr("Copy the record"))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.log.toPlainText()))
        for button in (self.go_on, self.forget):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.copy)
        return row

    def _history_row(self, cap: int) -> QHBoxLayout:
        row = QHBoxLayout()
        self.held = QLabel()
        self.held.setProperty("role", "muted")
        row.addWidget(self.held, 1)
        label = QLabel(tr("At most"))
        label.setProperty("role", "muted")
        row.addWidget(label)
        self.cap = NumberField(cap, minimum=0, maximum=1_000_000, integer=True)
        self.cap.setFixedWidth(theme.px(80))
        self.cap.setAccessibleName(tr("Megabytes of history"))
        self.cap.setToolTip(tr("How much the states of past steps may take, in memory and on disk."))
        self.cap.value_changed.connect(self._set_cap)
        label.setBuddy(self.cap)
        row.addWidget(self.cap)
        row.addWidget(QLabel("MB"))
        return row

    # ---- what it shows -----------------------------------------------------------------------------------

    def show_past(self) -> None:
        """The newest numbers."""
        past = self._runs.past
        if past is None:
            return
        numbers = [line.number for line in past.lines]
        if numbers != self._numbers:
            self._numbers = numbers
            self.table.setRowCount(len(numbers))
        for row, line in enumerate(past.lines):
            for at, text in enumerate(self._row(line, past)):
                item = self.table.item(row, at)
                if item is None:
                    item = QTableWidgetItem()
                    if 0 < at < 5:
                        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    self.table.setItem(row, at, item)
                if item.text() != text:
                    item.setText(text)
                font = item.font()
                if font.bold() != (line.number == past.line):
                    font.setBold(line.number == past.line)
                    item.setFont(font)
        text = record_text(past, self._bench)
        if text != self.log.toPlainText():
            place = self.log.verticalScrollBar().value()
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(place)
        self.held.setText(history_words(past, self._bench.status.end))
        self._choose_buttons()

    @staticmethod
    def _row(line: LineData, past: PastData) -> list[str]:
        name = run_name(line.number)
        if line.number == past.line:
            name = tr("{name} (present)").format(name=name)
        spec = line.training
        choices = dict(TrainingSpec.settings()["optimizer"][0].choices)
        settings = tr("{optimizer}, rate {rate}, batch {batch}").format(
            optimizer=tr(choices[spec.optimizer]), rate=format_number(spec.learning_rate), batch=spec.batch
        )
        if not line.whole:
            settings = tr("{settings}; curve only").format(settings=settings)
        numbers = [i18n.short(value, 4) if value is not None else "" for value in (line.loss, line.test)]
        return [name, i18n.integer(line.start), i18n.integer(line.end), *numbers, settings]

    def _selected(self) -> int | None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        number = self._numbers[min(rows)] if rows and min(rows) < len(self._numbers) else None
        past = self._runs.past
        return None if past is None or number == past.line else number

    def _choose_buttons(self) -> None:
        number, lines = self._selected(), self._runs.past.lines if self._runs.past is not None else ()
        line = next((each for each in lines if each.number == number), None)
        self.forget.setEnabled(line is not None)
        self.go_on.setEnabled(line is not None and line.whole)
        self.go_on.setToolTip("" if line is None or line.whole else tr("Its weights were not kept."))

    # ---- what the person does ----------------------------------------------------------------------------

    def _go_on(self) -> None:
        number = self._selected()
        if number is not None:
            self._runs.choose(number)

    def _forget(self) -> None:
        number = self._selected()
        if number is not None:
            self._runs.remove(number)

    def _set_cap(self, megabytes: float) -> None:
        self._runs.cap = int(megabytes)


def history_words(past: PastData, end: int) -> str:
    """How much is kept and which steps can be shown."""
    if past.first is None:
        return i18n.tr_message(past.reason) if past.reason is not None else tr("No history.")
    words = tr("History: {used} of {cap} MB, steps {first} to {end}").format(
        used=i18n.number(past.bytes / MEGABYTE, 1), cap=i18n.integer(round(past.cap / MEGABYTE)),
        first=i18n.integer(past.first), end=i18n.integer(end),
    )  # fmt: skip
    if past.on_disk:
        disk = i18n.integer(round(past.on_disk / MEGABYTE))
        words += ", " + tr("{n} MB of it on disk").format(n=disk)
    return words


def record_text(past: PastData, bench: Workbench) -> str:
    """Everything that makes a run repeatable, as lines to read and to copy."""
    lines = [
        tr("seed: {n}").format(n=past.seed),
        tr("data: SHA-256 {hash}").format(hash=past.data_hash),
        tr("order of an epoch: a permutation drawn from seed and epoch"),
        *(f"{name}: {value}" for name, value in past.manifest.items() if value not in ("", None)),
        "",
    ]
    names = {node.uid: node.name for node in bench.document.graph.nodes}
    at = tr("step {n}")
    lines += [f"{at.format(n=i18n.integer(s))}\t{change_words(n, v, names)}" for s, n, v in past.log]
    if not past.log:
        lines.append(tr("Nothing was changed while it ran."))
    return "\n".join(lines)


def change_words(name: str, value: object, names: dict[str, str]) -> str:
    """A change of the record in words: the setting and its value, or the weights edited by hand."""
    if name == REBUILT:
        return tr("the network or its data were changed")
    if name in ("edit", LOCKED):
        words = tr("edited by hand: {weights}") if name == "edit" else tr("locked or unlocked: {weights}")
        keys = value if isinstance(value, list | tuple) else [value]
        return words.format(weights=", ".join(_key(str(k), names) for k in keys))
    shown = format_number(float(value)) if isinstance(value, int | float) else str(value)
    return f"{_key(name, names)} = {shown}"


def _key(key: str, names: dict[str, str]) -> str:
    """A key with the layer's name instead of its id."""
    uid, dot, rest = key.partition(".")
    if not dot:
        labels = {"lr": tr("Learning rate"), "clip": tr("Clipping limit")}
        return labels.get(key, key)
    return f"{names.get(uid, uid)}{dot}{rest}"
