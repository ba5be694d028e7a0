"""All views on one page, filled with really trained numbers, to be looked at.

    python -m tests.gui.views.gallery OUT.png [dark|light] [en|de] [--ratio 2]

The network is trained here in a second, with NumPy alone, so that the page needs no engine.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.layers.conv2d import Conv2D
from gui import i18n, icons, resources, theme
from gui.forms import Form, fields_of
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.views.boundary_view import BoundaryView
from gui.views.color_bar import ColorBar
from gui.views.curve_view import CurveView, Mark
from gui.views.histogram import HistogramView
from gui.views.matrix_view import MatrixView
from gui.views.mosaic_view import MosaicView
from gui.views.panel import Panel
from gui.views.picture_view import PictureNumbers
from gui.views.readout import Readout
from gui.views.thumbs import paint_tiles

Array = NDArray[np.float64]


@dataclass
class Spiral:
    """A 2-8-8-1 tanh network learning two arms, trained with Adam by hand-written gradients."""

    steps: int = 1500
    losses: list[float] = field(default_factory=list)
    tests: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(3)
        angle = np.sqrt(rng.uniform(0.04, 1, (2, 150))) * 3.2 * np.pi / 2 + 0.3
        arms = [
            np.stack([a * np.cos(a + s), a * np.sin(a + s)]) / 5.2
            for a, s in zip(angle, (0, np.pi), strict=True)
        ]
        self.x = np.concatenate(arms, axis=1) + rng.normal(0, 0.025, (2, 300))
        self.t = np.repeat([0, 1], 150)
        self.is_test = rng.uniform(size=300) < 0.33
        shapes = ((8, 2), (8, 8), (1, 8))
        self.w = [rng.normal(0, 1 / np.sqrt(n), (m, n)) for m, n in shapes]
        self.b = [np.zeros((m, 1)) for m, _ in shapes]
        self._train(rng)

    def forward(self, x: Array) -> list[Array]:
        a = [x]
        for layer, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            z = w @ a[-1] + b
            a.append(1 / (1 + np.exp(-z)) if layer == 2 else np.tanh(z))
        return a

    def _loss(self, mask: NDArray[np.bool_]) -> float:
        p = np.clip(self.forward(self.x[:, mask])[-1][0], 1e-7, 1 - 1e-7)
        t = self.t[mask]
        return float(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))

    def _train(self, rng: np.random.Generator) -> None:
        parameters = [*self.w, *self.b]
        m1 = [np.zeros_like(p) for p in parameters]
        m2 = [np.zeros_like(p) for p in parameters]
        train = np.nonzero(~self.is_test)[0]
        for step in range(1, self.steps + 1):
            batch = rng.choice(train, 32, replace=False)
            a = self.forward(self.x[:, batch])
            self.deltas = [(a[3] - self.t[batch]) / len(batch)]
            for layer in (2, 1):
                self.deltas.insert(0, (self.w[layer].T @ self.deltas[0]) * (1 - a[layer] ** 2))
            self.gradients = [d @ a[i].T for i, d in enumerate(self.deltas)]
            grads = [*self.gradients, *(d.sum(axis=1, keepdims=True) for d in self.deltas)]
            for p, g, u, v in zip(parameters, grads, m1, m2, strict=True):
                u += 0.1 * (g - u)
                v += 0.001 * (g * g - v)
                p -= 0.02 * (u / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
            mask = np.zeros(300, dtype=bool)
            mask[batch] = True
            self.losses.append(self._loss(mask))
            if step % 25 == 0 or step == 1:
                self.tests.append((step, self._loss(self.is_test)))
        self.accuracy = float(
            np.mean((self.forward(self.x)[-1][0] > 0.5)[self.is_test] == self.t[self.is_test])
        )

    def on_grid(self, g: int = 80) -> list[Array]:
        line = np.linspace(-1.15, 1.15, g)
        xs, ys = np.meshgrid(line, line)
        return [a.reshape(-1, g, g) for a in self.forward(np.stack([xs.ravel(), ys.ravel()]))]


def _pictures() -> NDArray[np.float32]:
    """Eight pictures of clothes if the samples are there, else drawn rings."""
    path = resources.path("samples", "data")
    for file in sorted(path.glob("*fashion*.npz")) if path.is_dir() else []:
        with np.load(file, allow_pickle=False) as data:
            for name in data.files:
                if data[name].ndim >= 3:
                    pictures = np.asarray(data[name][:8], dtype=np.float32).reshape(8, *data[name].shape[-2:])
                    return pictures / max(1.0, float(pictures.max()))
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    rings = [np.exp(-20 * (np.hypot(x, y) - 0.1 * k) ** 2) for k in range(1, 9)]
    return np.asarray(rings, dtype=np.float32)


def _filters(rng: np.random.Generator) -> NDArray[np.float32]:
    """Eight 5 x 5 filters: oriented edges with a little noise, as trained ones look."""
    y, x = np.mgrid[-2:3, -2:3]
    made = []
    for k in range(8):
        across = x * np.cos(k * np.pi / 8) + y * np.sin(k * np.pi / 8)
        made.append(0.5 * np.sin(across * 1.2 + k) * np.exp(-(x**2 + y**2) / 6) + rng.normal(0, 0.09, (5, 5)))
    return np.asarray(made, dtype=np.float32)


def _convolve(picture: NDArray[np.float32], filters: NDArray[np.float32]) -> NDArray[np.float32]:
    padded = np.pad(picture, 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    maps = np.einsum("hwij,kij->khw", windows, filters)
    return np.asarray(np.maximum(0, maps), dtype=np.float32)


class Gallery(QWidget):
    """Every view once or twice."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("gallery")
        self.setAutoFillBackground(True)
        rng = np.random.default_rng(0)
        self.net = Spiral()
        self.pictures, self.filters = _pictures(), _filters(rng)
        self.maps = _convolve(self.pictures[7], self.filters)
        grid = QGridLayout(self)
        grid.setSpacing(1)
        grid.setContentsMargins(0, 0, 0, 0)
        panels = (
            self._weights(), self._activations(), self._gradient_maps(), self._loss(),
            self._matrix("weights"), self._matrix("gradients"), self._boundary(), self._large(),
            self._numbers(), self._form(), self._traced(), self._thumbs(),
        )  # fmt: skip
        for index, panel in enumerate(panels):
            grid.addWidget(panel, index // 4, index % 4)
        for column in range(4):
            grid.setColumnStretch(column, 1)
        for row, stretch in enumerate((10, 10, 11)):
            grid.setRowStretch(row, stretch)

    def _weights(self) -> Panel:
        panel = Panel(tr("Weights"), "of Conv 1 · 8 × 5 × 5")
        matrix, mosaic, readout, bar = (
            MatrixView("weights"),
            MosaicView("weights"),
            Readout(),
            ColorBar("weights"),
        )
        matrix.square = True
        mosaic.labels, mosaic.gap = True, 6
        mosaic.set_maps(self.filters)
        mosaic.set_hovered(3)
        matrix.set_values(self.filters[3], mosaic.scale())
        matrix.set_hovered((1, 3))
        readout.show_value("Filter 4, row 2, column 4", float(self.filters[3, 1, 3]), "Norm 4.10")
        bar.set_values(self.filters, mosaic.scale())
        right = QVBoxLayout()
        right.addWidget(mosaic, 3)
        right.addWidget(readout, 2)
        top = QHBoxLayout()
        top.addWidget(matrix, 5)
        top.addLayout(right, 4)
        panel.set_content(_stacked(top, bar))
        return panel

    def _activations(self) -> Panel:
        panel = Panel(tr("Activations"), "of ReLU 1")
        thumb = QLabel()
        small = np.repeat(self.pictures[7], 1, axis=0)
        image = QImage(22, 22, QImage.Format.Format_RGB32)
        paint_tiles(image, QRect(0, 0, 22, 22), small[None], "pictures", border=False)
        thumb.setPixmap(QPixmap.fromImage(image))
        panel.add_header(thumb)
        mosaic, bar = MosaicView("activations"), ColorBar("activations")
        mosaic.set_maps(self.maps)
        mosaic.set_selected(7)
        mosaic.set_hovered(3)
        bar.set_values(self.maps, mosaic.scale())
        panel.set_content(_stacked(mosaic, bar))
        return panel

    def _gradient_maps(self) -> Panel:
        rng = np.random.default_rng(1)
        panel = Panel(tr("Gradients"), "∂L/∂Z of Conv 1")
        mosaic, bar = MosaicView("gradients"), ColorBar("gradients")
        deltas = (
            rng.laplace(0, 0.02, self.maps.shape)
            * (self.maps > 0)
            * (rng.uniform(size=self.maps.shape) < 0.2)
        )
        mosaic.set_maps(deltas.astype(np.float32))
        mosaic.set_dead([6])
        mosaic.set_trace((3, 20, 11))
        bar.set_values(deltas, mosaic.scale())
        panel.set_content(_stacked(mosaic, bar))
        return panel

    def _loss(self) -> Panel:
        panel = Panel(tr("Loss"), tr("Cross-entropy"))
        curves = CurveView()
        steps = np.arange(1, self.net.steps + 1)
        curves.set_curve("train", steps, np.array(self.net.losses))
        curves.set_curve("test", *(np.array(v) for v in zip(*self.net.tests, strict=True)))
        curves.set_x_axis(tr("Step"), 2400, whole=True)
        curves.set_marks([Mark(float(min(self.net.tests, key=lambda p: p[1])[0]))])
        curves.set_figure(tr("Test accuracy"), i18n.number(self.net.accuracy * 100, 1) + " %")
        panel.set_content(curves)
        return panel

    def _matrix(self, role: str) -> Panel:
        weights = role == "weights"
        panel = Panel(tr("Weights") if weights else tr("Gradients"), "of Hidden 2 · 8 × 8")
        matrix, bar = MatrixView(role), ColorBar(role)
        values = (self.net.w if weights else self.net.gradients)[1].astype(np.float32)
        matrix.set_values(values)
        matrix.set_hovered((2, 4))
        if not weights:
            matrix.set_hovered(None)
            matrix.set_selected((4, 1))
        bar.set_values(values, matrix.scale())
        bar.set_value(float(values[2, 4]))
        panel.set_content(_stacked(matrix, bar))
        return panel

    def _boundary(self) -> Panel:
        panel = Panel(tr("Decision boundary"), "of the whole network")
        view = BoundaryView()
        view.set_field(self.net.on_grid()[3][0], (-1.15, 1.15, -1.15, 1.15))
        view.set_points(self.net.x.T, self.net.t, self.net.is_test)
        view.set_names(("blue", "orange"))
        view._pointer = QPointF(220, 60)
        panel.set_content(view)
        return panel

    def _large(self) -> Panel:
        panel = Panel(tr("Weights"), "of Dense · 256 × 784, really a long subtitle that has to give way")
        rng = np.random.default_rng(5)
        values = (rng.normal(0, 1, (256, 20)) @ rng.normal(0, 1, (20, 784)) * 0.01).astype(np.float32)
        matrix, bar = MatrixView("weights"), ColorBar("weights")
        matrix.set_values(values)
        bar.set_values(values, matrix.scale())
        panel.set_content(_stacked(matrix, bar))
        return panel

    def _numbers(self) -> Panel:
        panel = Panel(tr("Picture"), "as numbers")
        view = PictureNumbers()
        view.set_picture(self.pictures[7][6:16, 8:18])
        panel.set_content(view)
        return panel

    def _form(self) -> Panel:
        panel = Panel("Conv 1", tr("Convolution"))
        form = Form(fields_of(Conv2D))
        form.set_problem("kernel", "The kernel is larger than the picture.")
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(12, 8, 12, 8)
        box.addWidget(FormulaView(Conv2D.formula))
        box.addWidget(form)
        row = QHBoxLayout()
        play = QPushButton(icons.icon("play", "onaccent"), tr("Play"))
        play.setProperty("kind", "primary")
        row.addWidget(play)
        row.addWidget(QPushButton(icons.icon("reset"), tr("Reset")))
        off = QPushButton(tr("Epoch"))
        off.setEnabled(False)
        row.addWidget(off)
        row.addStretch(1)
        box.addLayout(row)
        box.addStretch(1)
        panel.set_content(page)
        return panel

    def _traced(self) -> Panel:
        panel = Panel("W", "3 × 4, row 2 takes part")
        matrix = MatrixView("weights")
        matrix.set_names(["setosa", "versicolor", "virginica"], [
            "sepal length", "sepal width", "petal length", "petal width"])  # fmt: skip
        rows = ([-1.53, 4.03, -10.51, -4.86], [0.42, -2.61, 1.36, -0.68], [1.59, -0.95, 9.10, 5.49])
        matrix.set_values(np.array(rows))
        matrix.set_highlight(rows=[1], dim_rest=True)
        histogram = HistogramView("weights")
        histogram.set_values(np.random.default_rng(2).normal(0, 0.3, 4000))
        empty = MatrixView("activations")
        box = QVBoxLayout()
        box.addWidget(matrix, 3)
        box.addWidget(histogram, 2)
        box.addWidget(empty, 1)
        panel.set_content(_stacked(box))
        return panel

    def _thumbs(self) -> Panel:
        panel = Panel(tr("Thumbnails"), "one atlas")
        page = _Atlas(self)
        panel.set_content(page)
        return panel


class _Atlas(QWidget):
    """Node thumbnails and kind tiles as the canvas would blit them."""

    def __init__(self, gallery: Gallery) -> None:
        super().__init__()
        self.gallery = gallery

    def paintEvent(self, event: object) -> None:
        ratio = self.devicePixelRatioF()
        image = QImage(round(self.width() * ratio), round(self.height() * ratio), QImage.Format.Format_RGB32)
        image.fill(theme.color("canvas"))
        side, high = round(136 * ratio), round(92 * ratio)
        places = [QRect(round(x * ratio), round(y * ratio), side, high) for x, y in
                  ((8, 8), (156, 8), (8, 108), (156, 108))]  # fmt: skip
        net = self.gallery.net
        paint_tiles(image, places[0], self.gallery.filters, "weights")
        paint_tiles(image, places[1], self.gallery.maps, "activations")
        paint_tiles(image, places[2], np.asarray(net.on_grid(40)[2], dtype=np.float32), "weights")
        paint_tiles(image, places[3], self.gallery.pictures, "pictures")
        image.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        painter.drawImage(QPoint(0, 0), image)
        kinds = (("data", "picture"), ("linear", "dense"), ("linear", "conv"), ("activation", "relu"),
                 ("pooling", "pool-max"), ("normalize", "batchnorm"), ("merge", "add"),
                 ("transform", "affine"), ("recurrent", "recurrent"), ("loss", "loss"))  # fmt: skip
        for index, (kind, name) in enumerate(kinds):
            painter.drawPixmap(
                8 + 34 * (index % 8), 214 + 34 * (index // 8), icons.kind_tile(kind, name, ratio=ratio)
            )
        painter.end()


def _stacked(*parts: object) -> QWidget:
    page = QWidget()
    box = QVBoxLayout(page)
    box.setContentsMargins(12, 8, 12, 6)
    box.setSpacing(6)
    for part in parts:
        if isinstance(part, QWidget):
            box.addWidget(part, 0 if isinstance(part, ColorBar) else 1)
        elif isinstance(part, (QVBoxLayout, QHBoxLayout)):
            box.addLayout(part, 1)
    return page


def main() -> None:
    """Write one picture of the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("theme", nargs="?", default="dark")
    parser.add_argument("language", nargs="?", default="en")
    parser.add_argument("--ratio", default="1")
    options = parser.parse_args()
    os.environ["QT_SCALE_FACTOR"] = options.ratio
    application = QApplication([])
    i18n.install(options.language)
    theme.set_theme(options.theme)
    page = Gallery()
    page.resize(1600, 1060)
    page.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen, False)
    page.show()
    for _ in range(5):
        application.processEvents()
    page.grab().save(options.out)


if __name__ == "__main__":
    main()
