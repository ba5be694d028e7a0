"""Evaluation: how good the answers to the test data are, class by class, and which examples went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.metrics import ClassScores, NumberScores, OutputScores
from engine.session.views import Scores, ScoresData, ViewData
from gui import i18n, theme
from gui.i18n import tr, trn
from gui.labs.tiles import label, side_panel
from gui.picture_words import picture_words
from gui.text_heads import spoken
from gui.views.base import Array
from gui.views.confusion_view import ConfusionView
from gui.views.mosaic_view import MosaicView
from gui.views.score_table import Line, ScoreTable
from gui.watching import Wish
from gui.workbench import Workbench

MOST_ROWS = 8
"""Examples that are no pictures, and their numbers."""
MOST_NUMBERS = 64
"""Numbers of a regression that have a line of their own."""


class EvaluationLab(QFrame):
    """A page over the working area. It follows the tests that the engine makes of the run."""

    closed = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluation_lab")
        self.setProperty("surface", "window")
        self._bench = bench
        self._active = False
        self._data: ScoresData | None = None
        self._cell: tuple[int, int] | None = None
        page = QHBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(1)
        page.addWidget(self._build_side())
        page.addWidget(self._build_matrix(), 3)
        page.addWidget(self._build_right(), 2)
        self._show()

    def title(self) -> str:
        """What stands in the title row."""
        return tr("Evaluation")

    # ---- building --------------------------------------------------------------------------------------

    def _build_side(self) -> QFrame:
        frame, column = side_panel()
        self._about = label("", "muted")
        column.addWidget(self._about)
        self._choose_head = label(tr("Output"), "head")
        column.addWidget(self._choose_head)
        self.output = QComboBox()
        self.output.setAccessibleName(tr("Output"))
        self.output.activated.connect(lambda _index: self._choose_output())
        column.addWidget(self.output)
        self._numbers = QGridLayout()
        self._numbers.setVerticalSpacing(theme.px(6))
        column.addLayout(self._numbers)
        self._note = label("", "muted")
        column.addWidget(self._note)
        column.addStretch(1)
        return frame

    def _build_matrix(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("surface", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(theme.px(16), theme.px(14), theme.px(16), theme.px(12))
        self.matrix = ConfusionView()
        self.matrix.cell_clicked.connect(lambda t, g: self.open_cell((t, g)))
        self.matrix.cell_hovered.connect(lambda t, g: self._tell((t, g) if t >= 0 else None))
        column.addWidget(self.matrix, 1)
        self._readout = label("", "status")
        column.addWidget(self._readout)
        self._matrix_frame = frame
        return frame

    def _build_right(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("surface", "panel")
        column = QVBoxLayout(frame)
        column.setContentsMargins(theme.px(16), theme.px(14), theme.px(16), theme.px(12))
        column.setSpacing(theme.px(8))
        self.table = ScoreTable()
        area = QScrollArea()
        area.setWidget(self.table)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        column.addWidget(area, 3)
        self._cell_head = label("", "head")
        column.addWidget(self._cell_head)
        self.examples = MosaicView("pictures")
        self.examples.setAccessibleName(tr("Examples of the open cell"))
        self.examples.largest_tile = 72
        column.addWidget(self.examples, 2)
        self._rows = label("", "status")
        column.addWidget(self._rows)
        for told in (self._readout, self._cell_head, self._rows):  # names of classes may look like markup
            told.setTextFormat(Qt.TextFormat.PlainText)
        return frame

    # ---- what every lab has ----------------------------------------------------------------------------

    def open(self, cell: tuple[int, int] | None = None, **_more: Any) -> None:
        """Show the last test; with `cell` its examples."""
        if not self._active:
            self._active = True
            self._bench.watcher.add(self)
            self._bench.programmed.connect(self._on_program)
        self._cell = cell or self._cell
        self._bench.watcher.sync()
        self._show()

    def close_lab(self) -> None:
        """Out of sight: watch nothing."""
        if self._active:
            self._active = False
            self._bench.programmed.disconnect(self._on_program)
            self._bench.watcher.remove(self)
            self._bench.watcher.sync()

    def memory(self) -> Mapping[str, Any]:
        """What a rebuilt window opens again."""
        return {"cell": self._cell}

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        return {"evaluation": Wish(Scores(self._chosen(), self._cell), rate=4.0, turn=1)}

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if isinstance(data, ScoresData):
            self._data = data
            self._show()

    def _on_program(self, _configured: object) -> None:
        self._data, self._cell = None, None
        self._bench.watcher.repeat()
        self._show()

    # ---- choosing --------------------------------------------------------------------------------------

    def _chosen(self) -> str:
        found = self._found()
        return found.uid if found is not None else ""

    def _found(self) -> OutputScores | None:
        """The output looked at; the one that answers for the network until another is chosen."""
        outputs = self._data.report.outputs if self._data is not None else ()
        uid = self.output.currentData()
        return next((o for o in outputs if o.uid == uid), outputs[0] if outputs else None)

    def _choose_output(self) -> None:
        self._cell = None
        self._bench.watcher.sync()
        self._show()

    def open_cell(self, cell: tuple[int, int]) -> None:
        """List the test examples of a cell: (what they are, what they were taken for)."""
        self._cell = cell
        self._bench.watcher.sync()
        self._show()

    # ---- showing ---------------------------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        configured = self._bench.configured
        return configured.data.class_names if configured is not None else ()

    def _show(self) -> None:
        data, found = self._data, self._found()
        if data is None or found is None:
            self._about.setText(tr("Tests run at rest and about once in an epoch; there was none yet."))
        else:
            text = tr("The last test, with the weights of step {step}.")
            self._about.setText(text.format(step=i18n.integer(data.report.step)))
        outputs = data.report.outputs if data is not None else ()
        if [self.output.itemData(i) for i in range(self.output.count())] != [o.uid for o in outputs]:
            self.output.clear()
            for each in outputs:
                self.output.addItem(each.name, each.uid)
        for widget in (self.output, self._choose_head):
            widget.setVisible(len(outputs) > 1)
        classes = found.classes if found is not None else None
        numbers = found.numbers if found is not None else None
        self._matrix_frame.setVisible(numbers is None)
        below: tuple[QWidget, ...] = self._cell_head, self.examples, self._rows
        for part in below:
            part.setVisible(classes is not None)
        if classes is not None:
            self._show_classes(classes)
        elif numbers is not None:
            self._show_numbers(numbers)
        else:
            self._figures([])
            self._note.setText("")
            self.matrix.set_counts(np.zeros((0, 0), np.int64), ())
            self.table.set_lines(("",), ())

    def _figures(self, rows: list[tuple[str, str]]) -> None:
        while (item := self._numbers.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for i, (name, number) in enumerate(rows):
            self._numbers.addWidget(label(name, "muted"), i, 0)
            shown = label(number, "figure" if i == 0 else "number", wrap=False)
            self._numbers.addWidget(shown, i, 1, Qt.AlignmentFlag.AlignRight)

    def _show_classes(self, scores: ClassScores) -> None:
        percent = [(tr("Accuracy"), scores.accuracy)]
        percent += [(tr("Top {k}").format(k=k), share) for k, share in scores.top]
        macro = scores.macro
        rows = [(name, f"{i18n.number(100 * share, 1)} %") for name, share in percent]
        rows.append((tr("Examples"), i18n.integer(scores.n)))
        names = tr("Precision"), tr("Recall"), "F1"
        rows += [(tr("{score}, mean").format(score=n), i18n.number(v, 3))
                 for n, v in zip(names, macro, strict=True)]  # fmt: skip
        self._figures(rows)
        self._note.setText(
            tr(
                "Precision: how many of the answers with this class are right. Recall: how many of its "
                "examples are found. F1: their harmonic mean. The means are over the classes, each counting "
                "alike (macro)."
            )
        )
        classes = self._names()
        self.matrix.set_counts(scores.confusion, classes)
        self.matrix.set_open(self._cell)
        each = zip(scores.support, scores.precision, scores.recall, scores.f1, strict=True)
        lines: list[Line] = [
            (classes[i] if i < len(classes) else str(i),
             (i18n.integer(int(n)), *(i18n.number(float(v), 3) for v in values)))
            for i, (n, *values) in enumerate(each)
        ]  # fmt: skip
        lines.append((tr("Mean"), (i18n.integer(scores.n), *(i18n.number(v, 3) for v in macro))))
        self.table.set_lines((tr("Class"), tr("Examples"), *names), lines, summed=True)
        self._show_cell(scores)
        self._tell(None)

    def _show_cell(self, scores: ClassScores) -> None:
        data, cell = self._data, self._cell
        if cell is None or data is None or max(cell) >= len(scores.confusion):
            self._cell_head.setText(tr("Click a cell to see its examples."))
            self.examples.hide()
            self._rows.hide()
            return
        self._cell_head.setText(self._sentence(scores, cell))
        held = data.cell == cell and len(data.index) > 0
        pictures = held and data.inputs.ndim == 4
        self.examples.setVisible(pictures)
        self._rows.setVisible(held and not pictures)
        if pictures:
            words = picture_words(data.inputs)
            parts = [(words >> shift & 0xFF).astype(np.uint8) for shift in (16, 8, 0)]
            self.examples.set_maps(np.stack(parts, -1))
        elif held:
            rows = data.inputs.reshape(len(data.inputs), -1)[:MOST_ROWS]
            self._rows.setText("\n".join(self._told(row) for row in rows))

    def _told(self, row: Array) -> str:
        """An example that is no picture: its text, or its first numbers."""
        configured = self._bench.configured
        names = configured.data.vocabulary if configured is not None else ()
        if names:
            words = spoken(names, row)
            return ("" if all(len(word) == 1 for word in words) else " ").join(words)
        return "; ".join(i18n.short(float(v)) for v in row[:MOST_ROWS])

    def _sentence(self, scores: ClassScores, cell: tuple[int, int]) -> str:
        """3 of 36 examples of 7 were taken for 1."""
        names, (truth, answer) = self._names(), cell
        count, total = int(scores.confusion[cell]), int(scores.support[truth])
        text = trn(
            "{n} of {total} examples of “{truth}” was taken for “{answer}”.",
            "{n} of {total} examples of “{truth}” were taken for “{answer}”.",
            count,
        )
        truth_name, answer_name = (names[i] if i < len(names) else str(i) for i in (truth, answer))
        return text.format(
            n=i18n.integer(count), total=i18n.integer(total), truth=truth_name, answer=answer_name
        )

    def _tell(self, cell: tuple[int, int] | None) -> None:
        """What is under the pointer."""
        found = self._found()
        if found is None or found.classes is None:
            self._readout.setText("")
        elif cell is None:
            self._readout.setText(tr("The color is the share of the row; right answers lie on the diagonal."))
        else:
            self._readout.setText(self._sentence(found.classes, cell))

    def _show_numbers(self, scores: NumberScores) -> None:
        r2 = i18n.number(scores.r2, 4) if scores.r2 is not None else "–"
        rows = [(tr("Mean absolute error"), i18n.short(scores.mae)), ("R²", r2)]
        self._figures([*rows, (tr("Examples"), i18n.integer(scores.n))])
        self._note.setText(
            tr(
                "R² = 1 − Σ (y − ŷ)² / Σ (y − mean of y)²: 1 is perfect, 0 is no better than always saying "
                "the mean. Of several numbers together both sums go over all of them."
            )
        )
        each = list(zip(scores.mae_each.tolist(), scores.r2_each.tolist(), strict=True))
        lines: list[Line] = [
            (tr("Number {n}").format(n=i + 1),
             (i18n.short(off), i18n.number(own, 4) if np.isfinite(own) else "–"))
            for i, (off, own) in enumerate(each[:MOST_NUMBERS])
        ]  # fmt: skip
        lines.append((tr("All"), (i18n.short(scores.mae), r2)))
        self.table.set_lines((tr("Output"), tr("Mean absolute error"), "R²"), lines, summed=True)
