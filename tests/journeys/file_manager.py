"""A file manager in small, a program of its own: its window shows files, and the mouse drags them away.

`python file_manager.py PLACES X Y FILE...`; where each file's icon lies on the screen is written to PLACES.
It offers what real ones offer: text/uri-list, with copy, move and link as possible actions.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

ROW = QSize(150, 40)
Actions = Qt.DropAction


class File(QLabel):
    """The icon of one file, or of several that are dragged together."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(", ".join(path.name for path in paths))
        self.paths = paths
        self.setFixedSize(ROW)
        self.setStyleSheet("background: #dde; border: 1px solid #889; color: black")
        self._pressed = QPoint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        far = (event.position().toPoint() - self._pressed).manhattanLength()
        if far < QApplication.startDragDistance():
            return
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in self.paths])
        picture = QPixmap(24, 24)
        picture.fill(Qt.GlobalColor.darkCyan)
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.setPixmap(picture)
        drag.setHotSpot(QPoint(-8, -8))
        done = drag.exec(Actions.CopyAction | Actions.MoveAction | Actions.LinkAction, Actions.MoveAction)
        print(f"{self.text()}: {done.name}", flush=True)


def main(places: Path, x: int, y: int, rows: list[str]) -> int:
    """Show the files until the program is ended; several files of one row are divided by `|`."""
    app = QApplication(sys.argv[:1])
    window = QWidget()
    window.setWindowTitle("Files")
    column = QVBoxLayout(window)
    files = [File([Path(name) for name in row.split("|")]) for row in rows]
    for file in files:
        column.addWidget(file)
    window.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
    window.move(x, y)
    window.show()

    def write() -> None:
        found = {}
        for file, row in zip(files, rows, strict=True):
            at = file.mapToGlobal(file.rect().center())
            found[row] = [at.x(), at.y()]
        temporary = places.with_suffix(".tmp")
        temporary.write_text(json.dumps(found), encoding="utf-8")
        os.replace(temporary, places)

    timer = QTimer()
    timer.timeout.connect(write)
    timer.start(200)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
