"""Files that hang on the pointer are told what a drop would do."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent
from PySide6.QtWidgets import QApplication

from gui.canvas.view import CanvasView
from gui.document import Document


def test_the_canvas_says_when_files_hover_and_when_they_leave(qtbot, tmp_path):
    view = CanvasView(Document())
    qtbot.addWidget(view)
    view.resize(400, 300)
    told: list[bool] = []
    view.files_hovering.connect(told.append)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    enter = QDragEnterEvent(
        QPoint(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(view.viewport(), enter)
    assert enter.isAccepted() and told[-1] is True
    QApplication.sendEvent(view.viewport(), QDragLeaveEvent())
    assert told[-1] is False
