"""Writes down what is on the screen and where, for the journeys that use the real window from outside.

Only when the environment variable MATRIZEN_PROBE names a file. It reads, it never acts: mouse and
keyboard are the only way in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSizeF, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from gui import i18n, theme
from gui.labs.affine_lab import AffineLab
from gui.labs.affine_state import HANDLES
from gui.labs.matrix_lab import MatrixLab
from gui.main_window import MainWindow
from gui.panels.palette_items import Entry, KindButton
from gui.views.matrix_view import MatrixView

VARIABLE = "MATRIZEN_PROBE"
MILLISECONDS = 150


class Probe(QObject):
    """Rewrites its file several times a second."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        self._count = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._write)
        self._timer.start(MILLISECONDS)

    def _write(self) -> None:
        self._count += 1
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._look()), encoding="utf-8")
        os.replace(temporary, self._path)

    def _look(self) -> dict[str, Any]:
        window = self._window
        bench = window.bench
        status = bench.status
        return {
            "count": self._count,
            "title": window.windowTitle(),
            "language": i18n.language(),
            "theme": theme.theme().name,
            "modified": bench.modified,
            "size": [window.width(), window.height()],
            "running": status.running,
            "step": status.step,
            "epoch": status.epoch,
            "loss": status.loss,
            "accuracy": status.test_accuracy,
            "device": status.device,
            "engine": bench.runner.pid,
            "busy": bench.tasks.busy(),
            "ready": bench.ready,
            "configured": bench.configured is not None,
            "undo": bench.document.undo_stack.canUndo(),
            "status": window.status_bar.texts(),
            "toasts": [toast.text for toast in window.toasts.toasts()],
            "card": self._card(),
            "answer": self._answer(),
            "lab": self._lab(),
            "time_line": self._time_line(),
            "clipboard": QGuiApplication.clipboard().text()[:4000],
            "nodes": self._nodes(),
            "links": len(bench.document.graph.links),
            "palette": self._palette(),
            "affine": self._affine(),
            "docks": {name: self._dock(name) for name in window.docks},
            "widgets": self._widgets(),
        }

    def _card(self) -> dict[str, Any] | None:
        card = self._window.card
        told = card.explanation
        if card.isHidden() or told is None:
            return None
        return {"value": told.value, "cell": list(told.cell), "number": told.number, "rect": place(card)}

    def _lab(self) -> dict[str, Any]:
        """The lab in sight with its matrices, and the cell that is open in the matrix lab."""
        labs = self._window.labs
        page = labs.lab(labs.name) if labs.name else None
        out: dict[str, Any] = {"name": labs.name, "matrices": [], "opened": None, "moment": -1}
        if page is None:
            return out
        called: dict[MatrixView, str] = {}
        if isinstance(page, MatrixLab):
            for pane in (page.pane, page.below):
                called.update(zip(pane.matrices, (s.factor.value for s in pane.sheets), strict=True))
            told = page.card.explanation
            if told is not None:
                out["opened"] = {"value": told.value, "cell": list(told.cell), "number": told.number}
            out["moment"] = page.player.at
        for view in page.findChildren(MatrixView):
            if view.isVisible() and view.values().size:
                out["matrices"].append({"value": called.get(view, ""), "role": view.role} | cells_of(view))
        return out

    def _time_line(self) -> dict[str, Any]:
        """Where step 0 and the newest step lie on the time line, and the step shown."""
        line = self._window.time_line
        rect = place(line)
        first, last = (line.mapToGlobal(QPointF(line.x_of(step), 0)).x() for step in (0, line.newest))
        return {"shown": line.shown, "newest": line.newest, "from": int(first), "to": int(last),
                "y": rect[1] + rect[3] // 2, "visible": line.isVisible()}  # fmt: skip

    def _answer(self) -> str:
        """The likeliest class in the window about a picture."""
        commands = self._window.commands
        pictures = commands.pictures if commands is not None else None
        dialog = (pictures.dialog or pictures.sounds.dialog) if pictures is not None else None
        return dialog.best() if dialog is not None else ""

    def _nodes(self) -> dict[str, Any]:
        canvas = self._window.canvas
        out = {}
        for node in canvas.canvas.visible_nodes():
            graph, blocks = self._window.bench.document.graph, self._window.bench.document.blocks
            if node.uid not in blocks and not graph.has(node.uid):
                continue
            name = blocks[node.uid].name if node.uid in blocks else graph.node(node.uid).name
            rect = node.rect()
            look = node.look
            left = QPointF(rect.left(), rect.top() + look.size.port_y)
            right = QPointF(rect.right(), rect.top() + look.size.port_y)
            out[name] = {
                "rect": self._scene(rect),
                "in": self._point(left),
                "out": self._point(right),
                "problem": look.problem,
            }
        return out

    def _point(self, point: QPointF) -> list[int]:
        canvas = self._window.canvas
        found = canvas.viewport().mapToGlobal(canvas.mapFromScene(point))
        return [found.x(), found.y()]

    def _scene(self, rect: QRectF) -> list[int]:
        left, top = self._point(rect.topLeft())
        right, bottom = self._point(rect.bottomRight())
        return [left, top, right - left, bottom - top]

    def _affine(self) -> dict[str, Any] | None:
        """The affine lab: what it is set to, and where its hands are."""
        lab = self._window.labs.lab("affine_lab")
        if not isinstance(lab, AffineLab) or not lab.isVisible() or lab.subject is None:
            return None
        plane, terms = lab.plane, lab.pixel.terms
        return {
            "angle": lab.state.angle, "order": list(lab.state.order), "product": lab.product.face.texts(),
            "pixel": list(plane.pixel or ()), "reason": lab.reason, "result": plane.result_size(),
            "traced": [terms.total, terms.engine] if terms is not None else None,
            "handles": [local(plane, QRectF(plane.place_of(h), QSizeF())) for h in HANDLES],
        }  # fmt: skip

    def _palette(self) -> dict[str, list[int]]:
        panel = self._window.palette_panel
        out = {entry.kind: place(entry) for entry in panel.findChildren(Entry) if entry.isVisible()}
        for button in panel.findChildren(KindButton):
            if button.isVisible():
                out[f"group:{button.accessibleName()}"] = place(button)
        return out

    def _dock(self, name: str) -> dict[str, Any] | None:
        dock = self._window.docks[name]
        if not dock.isVisible() or dock.target is None:
            return None
        numbers = dock.numbers
        out: dict[str, Any] = {"value": dock.target.value, "look": numbers.look, "rect": place(numbers)}
        if numbers.look == "matrix" and numbers.matrix.values().size:
            out |= cells_of(numbers.matrix)
        elif numbers.look == "maps" and len(numbers.mosaic.maps()):
            out["shape"] = list(numbers.mosaic.maps().shape)
            out["first"] = local(numbers.mosaic, numbers.mosaic.map_rect(0))
        return out

    def _widgets(self) -> list[dict[str, Any]]:
        out = []
        for top in QApplication.topLevelWidgets():
            if not top.isVisible():
                continue
            for widget in (top, *top.findChildren(QWidget)):
                if (
                    not isinstance(widget, QAbstractButton | QComboBox | QLineEdit | QLabel)
                    and widget is not top
                ):
                    continue
                if not widget.isVisible():
                    continue
                text = widget.text() if isinstance(widget, QAbstractButton | QLineEdit | QLabel) else ""
                out.append({
                    "name": widget.objectName(), "text": text.strip(), "label": widget.accessibleName(),
                    "kind": type(widget).__name__, "rect": place(widget), "window": top.objectName(),
                    "enabled": widget.isEnabled(),
                })  # fmt: skip
        return out


def cells_of(view: MatrixView) -> dict[str, Any]:
    """Shape of a matrix, and where its first and last cell lie on the screen."""
    rows, columns = view.shape()
    return {
        "shape": [rows, columns], "first": local(view, view.cell_rect(0, 0)),
        "last": local(view, view.cell_rect(rows - 1, columns - 1)),
    }  # fmt: skip


def place(widget: QWidget) -> list[int]:
    """x, y, width, height on the screen."""
    corner = widget.mapToGlobal(widget.rect().topLeft())
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def local(widget: QWidget, rect: QRectF | QRect) -> list[int]:
    """A rectangle of a widget on the screen."""
    corner = widget.mapToGlobal(QPointF(rect.topLeft()))
    return [int(corner.x()), int(corner.y()), int(rect.width()), int(rect.height())]


def install(window: MainWindow) -> Probe | None:
    """Start writing if somebody asks for it."""
    path = os.environ.get(VARIABLE)
    return Probe(window, Path(path)) if path else None
