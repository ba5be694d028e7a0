"""Show me the code of this step: the script in plain NumPy, to read, copy, and save with its two files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import Message
from engine.export.numpy_proof import Proof, placed, write_proof
from gui import i18n, theme
from gui.i18n import tr, tr_message
from gui.workbench import Workbench


class ProofDialog(QDialog):
    """Not modal; Escape closes it."""

    def __init__(self, bench: Workbench, node: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("numpy_proof")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("The code of this step"))
        self._bench = bench
        self.proof: Proof | None = None
        self._gone = False
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(20), theme.px(16), theme.px(20), theme.px(16))
        column.setSpacing(theme.px(10))
        head = QHBoxLayout()
        head.addWidget(QLabel(tr("Layer")))
        self.layer = QComboBox()
        self.layer.setAccessibleName(tr("Layer"))
        head.addWidget(self.layer)
        self._words = QLabel()
        self._words.setProperty("role", "muted")
        self._words.setWordWrap(True)
        head.addWidget(self._words, 1)
        column.addLayout(head)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(tr("The code of this step"))
        column.addWidget(self.text, 1)
        row = QHBoxLayout()
        row.addStretch(1)
        self.copy, self.save = QPushButton(tr("Copy")), QPushButton(tr("Save as …"))
        self.save.setProperty("kind", "primary")
        close = QPushButton(tr("Close"))
        self.copy.clicked.connect(self.copy_text)
        self.save.clicked.connect(self.save_as)
        close.clicked.connect(self.close)
        for button in (self.copy, self.save, close):
            row.addWidget(button)
        column.addLayout(row)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.resize(theme.px(860), theme.px(640))
        self._fill(node)

    def _restyle(self) -> None:
        self.text.setFont(theme.mono_font())
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))

    def _fill(self, node: str) -> None:
        configured, graph = self._bench.configured, self._bench.document.graph
        for each in graph.nodes:
            if configured is not None and each.uid in configured.program.outputs:
                self.layer.addItem(each.name, each.uid)
        self.layer.setCurrentIndex(max(0, self.layer.findData(node)))
        self.layer.currentIndexChanged.connect(lambda _index: self._ask())
        self._ask()

    def _ask(self) -> None:
        node = self.layer.currentData()
        for button in (self.copy, self.save):
            button.setEnabled(False)
        if node is None:
            self._words.setText(tr("No network can run yet: there is no step to write out."))
            return
        self._bench.runner.proof(str(node), self._take)

    def done(self, result: int) -> None:
        """Closed: an answer that is still to come finds nobody."""
        self._gone = True
        super().done(result)

    def _take(self, proof: Proof | None, error: Message | None) -> None:
        if self._gone:
            return
        self.proof = proof
        if proof is None:
            self.text.setPlainText("")
            self._words.setText(tr_message(error) if error is not None else "")
            return
        self.text.setPlainText(placed(proof.script, *self._files(proof)))
        words = tr("Step {step} in plain NumPy. It needs nothing of Matrizen, and says how far its numbers "
                   "are from the engine's.").format(step=i18n.integer(proof.step + 1))  # fmt: skip
        if proof.unwritten:
            words += " " + tr("Not written out yet: {kinds}.").format(kinds=", ".join(proof.unwritten))
        self._words.setText(words)
        for button in (self.copy, self.save):
            button.setEnabled(True)

    @staticmethod
    def _files(proof: Proof) -> tuple[str, str]:
        stem = f"{proof.layer}_step{proof.step + 1}"
        return f"{stem}_weights.npz", f"{stem}_batch.npz"

    def copy_text(self) -> None:
        """Put the script on the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        text = tr("The script is on the clipboard; Save as … writes its two files.")
        self._bench.told.emit(text, "ok", "", None)

    def save_as(self) -> None:
        """Choose a place for the script; its two files come beside it."""
        if self.proof is None:
            return
        start = str(Path(self._bench.state.folder) / f"{self.proof.layer}_step{self.proof.step + 1}.py")
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the script"), start, "Python (*.py)")
        if name:
            self.save_to(Path(name if name.lower().endswith(".py") else name + ".py"))

    def save_to(self, path: Path) -> None:
        """Write the three files beside the window's work."""
        proof = self.proof
        if proof is None:
            return
        self._bench.state.folder = str(path.parent)
        self._bench.tasks.run(
            "proof", tr("Writing {file}").format(file=path.name),
            lambda _progress, _canceled: write_proof(path, proof), self._written, self._bench.cannot,
        )  # fmt: skip

    def _written(self, paths: tuple[Path, Path, Path]) -> None:
        text = tr("Saved {file} with its two files; python {file} runs it.").format(file=paths[0].name)
        self._bench.told.emit(text, "ok", "", None)
