"""Mosaic, curves, boundary, histogram, picture, panel: places, numbers and words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from engine.layers import LAYERS, Layer
from gui import colormaps, formulas, theme
from gui.tokens import DARK
from gui.views.axes import log_ticks, tick_text, ticks
from gui.views.base import View
from gui.views.boundary_view import BoundaryView
from gui.views.color_bar import ColorBar
from gui.views.contour import chains, segments
from gui.views.curve_view import CurveView, Mark
from gui.views.histogram import HistogramView, heights
from gui.views.mosaic_view import MosaicView
from gui.views.panel import Panel
from gui.views.picture_view import PictureNumbers
from gui.views.readout import Readout
from gui.views.scale import Scale
from gui.views.series import smooth, thin


def _word(color: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """A row of a ramp as 0xRRGGBB."""
    return int(color[0]) << 16 | int(color[1]) << 8 | int(color[2])


@pytest.fixture(autouse=True)
def _dark(qtbot: QtBot) -> Iterator[None]:
    theme.set_theme("dark", presentation=False)
    yield


def _picture(widget: QWidget) -> QImage:
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(theme.color("panel"))
    widget.render(image)
    if isinstance(widget, View):
        assert widget._failure == ""
    return image


def _differs(one: QImage, other: QImage) -> bool:
    return bool(one != other)


# -- mosaic ---------------------------------------------------------------------------------------


def test_a_mosaic_finds_and_speaks_cells(qtbot: QtBot) -> None:
    view = MosaicView("activations")
    qtbot.addWidget(view)
    view.resize(330, 200)
    view.show()
    maps = np.random.default_rng(0).random((8, 28, 28)).astype(np.float32)
    view.set_maps(maps)
    _picture(view)
    hovered: list[int] = []
    clicked: list[tuple[int, int, int]] = []
    view.map_hovered.connect(hovered.append)
    view.cell_clicked.connect(lambda *cell: clicked.append(cell))
    tile = view.map_rect(3)
    spot = QPointF(tile.left() + tile.width() * 0.51, tile.top() + tile.height() * 0.26).toPoint()
    QTest.mouseMove(view, spot)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=spot)
    assert hovered == [3]
    assert clicked[0][0] == 3 and abs(clicked[0][1] - 7) <= 1 and abs(clicked[0][2] - 14) <= 1
    assert view.selected() == 3
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.selected() == 4


def test_a_mosaic_shows_the_ramp_the_rings_and_silent_maps(qtbot: QtBot) -> None:
    view = MosaicView("activations")
    qtbot.addWidget(view)
    view.resize(330, 200)
    maps = np.zeros((4, 4, 4), dtype=np.float32)
    maps[1] = 1.0
    view.set_maps(maps, Scale(0.0, 1.0))
    image = _picture(view)
    ramp = colormaps.lut_of(DARK, "activations")
    for index, place in ((0, 0), (1, 255)):
        middle = view.map_rect(index).center().toPoint()
        assert image.pixelColor(middle).rgb() & 0xFFFFFF == _word(ramp[place])
    view.set_hovered(2)
    hovered = _picture(view)
    view.set_hovered(-1)
    view.set_dead([0])
    view.labels = True
    assert _differs(image, hovered) and _differs(image, _picture(view))


def test_colored_pictures_and_wrong_shapes(qtbot: QtBot) -> None:
    view = MosaicView("pictures")
    qtbot.addWidget(view)
    view.resize(200, 200)
    picture = np.zeros((1, 6, 6, 3), dtype=np.uint8)
    picture[..., 0] = 200
    view.set_maps(picture)
    assert _picture(view).pixelColor(view.map_rect(0).center().toPoint()).rgb() & 0xFFFFFF == 200 << 16
    with pytest.raises(ValueError, match="three axes"):
        view.set_maps(np.zeros((3, 3)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (64, 28, 28), (300, 1, 1), (2, 1, 500)])
def test_any_number_of_maps_fits(shape: tuple[int, int, int], qtbot: QtBot) -> None:
    view = MosaicView("weights")
    qtbot.addWidget(view)
    view.resize(300, 180)
    view.set_maps(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    _picture(view)
    last = view.map_rect(shape[0] - 1)
    assert last.right() <= 300 and last.bottom() <= 180


# -- curves ---------------------------------------------------------------------------------------


def test_thinning_keeps_every_peak() -> None:
    y = np.zeros(100_000)
    y[[13, 5000, 99_990]] = (5.0, -7.0, 3.0)
    x, short = thin(np.arange(100_000.0), y, 400)
    assert len(short) == 800
    assert (short.max(), short.min()) == (5.0, -7.0)
    assert 3.0 in short
    assert np.all(np.diff(x) >= 0)


def test_smoothing_leaves_a_constant_alone_and_skips_gaps() -> None:
    assert smooth(np.full(50, 2.5), 9) == pytest.approx(np.full(50, 2.5))
    gap = np.ones(20)
    gap[5] = np.nan
    assert smooth(gap, 5) == pytest.approx(np.ones(20))
    ramp = np.arange(40.0)
    assert smooth(ramp, 5)[10:30] == pytest.approx(ramp[10:30])


def test_curves_are_drawn_in_their_colors_with_labels_and_log(qtbot: QtBot) -> None:
    view = CurveView()
    qtbot.addWidget(view)
    view.resize(360, 240)
    empty = _picture(view)
    x = np.arange(1.0, 2000.0)
    view.set_curve("train", x, 0.4 + np.exp(-x / 400) + np.random.default_rng(0).normal(0, 0.02, len(x)) ** 2)
    view.set_curve("test", x[::50], np.exp(-x[::50] / 500))
    view.set_x_axis("Step", 4000, whole=True)
    view.set_figure("Test accuracy", "84.0 %")
    view.set_marks([Mark(800.0, "best")])
    image = _picture(view)
    assert _differs(empty, image)
    seen = {
        image.pixelColor(c, r).name().upper() for c in range(image.width()) for r in range(image.height())
    }
    assert {DARK.train, DARK.test} <= seen
    linear = view.axes()
    for end, value, ink in ((x[-1], None, DARK.train), (x[::50][-1], np.exp(-x[::50][-1] / 500), DARK.test)):
        value = view._curves["train"].shown[-1] if value is None else value
        dot = QPointF(linear.x(end), linear.y(float(value))).toPoint()
        assert image.pixelColor(dot).name().upper() == ink  # the dot stands at the line's end
    view.set_log(True)
    log = view.axes()
    assert log.log_y and log.y0 > 0
    assert _differs(image, _picture(view))
    assert linear.value_y(linear.y(0.4)) == pytest.approx(0.4)
    assert log.value_y(log.y(0.4)) == pytest.approx(0.4)
    view.clear()
    assert not _differs(empty, _picture(view))


def test_strange_losses_do_not_break_the_plot(qtbot: QtBot) -> None:
    view = CurveView()
    qtbot.addWidget(view)
    view.resize(300, 200)
    for y in ([np.nan], [np.inf, 1.0], [0.0, 0.0], [-1.0, 1e30], [np.nan, np.nan]):
        view.set_curve("train", np.arange(float(len(y))), np.array(y))
        for log in (False, True):
            view.set_log(log)
            _picture(view)
    with pytest.raises(ValueError, match="3 places for 2"):
        view.set_curve("train", np.zeros(3), np.zeros(2))


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.9), (0.0, 24_000.0), (1e-5, 3e-5)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high, 6)
    assert 2 <= len(found) <= 8
    assert all(low - 1e-9 <= v <= high + 1e-9 for v in found)
    assert len({tick_text(v, found[1] - found[0]) for v in found}) == len(found)


def test_ticks_of_nothing_and_log_ticks() -> None:
    assert ticks(1.0, 1.0, 5) == []
    assert ticks(0.0, float("inf"), 5) == []
    assert log_ticks(0.001, 1.0)[0] == pytest.approx(0.001)
    assert len(log_ticks(1e-9, 1e9)) <= 19


# -- boundary -------------------------------------------------------------------------------------


def test_marching_squares_follow_a_circle() -> None:
    y, x = np.mgrid[0:41, 0:41]
    radius = np.hypot(x - 20.0, y - 20.0)
    lines = segments(radius, 12.0)
    ends = np.concatenate([lines[:, :2], lines[:, 2:]])
    assert np.hypot(ends[:, 0] - 20, ends[:, 1] - 20) == pytest.approx(np.full(len(ends), 12.0), abs=0.05)
    length = np.hypot(lines[:, 0] - lines[:, 2], lines[:, 1] - lines[:, 3]).sum()
    assert length == pytest.approx(2 * np.pi * 12, rel=0.01)


def test_pieces_are_joined_into_one_closed_line() -> None:
    y, x = np.mgrid[0:31, 0:31]
    pieces = segments(np.hypot(x - 15.0, y - 15.0), 9.5)
    (run,) = chains(pieces)
    assert len(run) == len(pieces) + 1
    assert run[0] == run[-1]
    assert len(chains(segments(np.abs(x - 15.3) - 4.0))) == 2
    assert chains(np.zeros((0, 4))) == []


@pytest.mark.parametrize("corners", range(16))
def test_every_case_of_a_square_separates_high_from_low(corners: int) -> None:
    signs = [1.0 if corners >> k & 1 else -1.0 for k in range(4)]
    field = np.array([[signs[0], signs[1]], [signs[3], signs[2]]])
    count = len(segments(field))
    changes = sum(signs[k] != signs[(k + 1) % 4] for k in range(4))
    assert count == changes // 2
    assert len(segments(np.full((2, 2), np.nan))) == 0


def test_the_boundary_has_y_up_class_colors_and_a_line(qtbot: QtBot) -> None:
    view = BoundaryView()
    qtbot.addWidget(view)
    view.resize(380, 420)
    _picture(view)
    line = np.linspace(-1, 1, 50)
    _, ys = np.meshgrid(line, line)
    view.set_field(1 / (1 + np.exp(-20 * ys)), (-1.0, 1.0, -1.0, 1.0))
    image = _picture(view)
    axes = view.axes()
    top = image.pixelColor(QPointF(axes.x(0.5), axes.y(0.8)).toPoint())
    bottom = image.pixelColor(QPointF(axes.x(0.5), axes.y(-0.8)).toPoint())
    assert top.red() > top.blue() and bottom.blue() > bottom.red()  # class 1 is orange, class 0 blue
    middle = image.pixelColor(QPointF(axes.x(0.5), axes.y(0.0)).toPoint())
    assert middle.lightness() > 150


def test_points_are_drawn_where_they_are_and_hollow_for_test(qtbot: QtBot) -> None:
    view = BoundaryView()
    qtbot.addWidget(view)
    view.resize(380, 420)
    view.set_extent((-1.0, 1.0, -1.0, 1.0))
    view.set_points(np.array([[-0.5, 0.5], [0.5, 0.5]]), np.array([1, 1]), np.array([False, True]))
    image = _picture(view)
    axes = view.axes()
    filled, hollow = (image.pixelColor(QPointF(axes.x(x), axes.y(0.5)).toPoint()) for x in (-0.5, 0.5))
    assert filled.name().upper() == theme.class_color(1).name().upper()
    assert hollow.name().upper() == DARK.canvas
    with pytest.raises(ValueError, match="differ in number"):
        view.set_points(np.zeros((2, 2)), np.zeros(3))


def test_many_classes_signed_fields_and_clearing(qtbot: QtBot) -> None:
    view = BoundaryView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    field = np.random.default_rng(0).random((7, 20, 20))
    view.set_field(field / field.sum(axis=0), (0.0, 4.0, 0.0, 2.0))
    view.set_points(
        np.random.default_rng(1).uniform(0, 2, (60, 2)), np.arange(60) % 7, np.arange(60) % 3 == 0
    )
    _picture(view)
    view.set_signed_field(np.random.default_rng(0).normal(size=(20, 20)), (0.0, 4.0, 0.0, 2.0))
    _picture(view)
    view.clear()
    _picture(view)
    with pytest.raises(ValueError, match="axes"):
        view.set_field(np.zeros(3), (0.0, 1.0, 0.0, 1.0))


# -- the small ones -------------------------------------------------------------------------------


def test_histograms_have_a_root_scale_and_count_everything(qtbot: QtBot) -> None:
    bars = heights(np.array([0.0] * 100 + [0.9] * 25), Scale(-1.0, 1.0), bins=4)
    assert bars.tolist() == [0.0, 0.0, 1.0, 0.5]
    assert heights(np.array([9.0, -9.0]), Scale(-1.0, 1.0), bins=4).tolist() == [1.0, 0.0, 0.0, 1.0]
    assert heights(np.array([np.nan]), Scale(-1.0, 1.0)).sum() == 0
    view, bar = HistogramView("weights"), ColorBar("weights")
    for widget in (view, bar):
        qtbot.addWidget(widget)
        widget.resize(300, 60)
    before = _picture(bar)
    values = np.random.default_rng(0).normal(size=500)
    view.set_values(values)
    bar.set_values(values, Scale(-2.0, 2.0))
    bar.set_value(1.0)
    _picture(view)
    assert _differs(before, _picture(bar))
    bar.set_values(np.zeros(0), Scale(-2.0, 2.0))
    assert not _differs(before, _picture(bar))


def test_a_picture_as_numbers(qtbot: QtBot) -> None:
    view = PictureNumbers()
    qtbot.addWidget(view)
    view.resize(500, 420)
    color = np.zeros((5, 6, 3), dtype=np.uint8)
    color[..., 1] = 128
    view.set_picture(color)
    assert view.numbers().max() == 0
    view.set_channel(1)
    assert view.numbers()[0, 0] == 128
    view.set_unit_range(True)
    assert view.numbers()[0, 0] == pytest.approx(128 / 255)
    _picture(view)
    view.set_picture(np.array([[0.0, 0.5, 1.0, np.nan]]))
    view.set_unit_range(False)
    assert view.numbers().tolist() == [[0, 128, 255, 0]]
    _picture(view)
    with pytest.raises(ValueError, match="a picture is"):
        view.set_picture(np.zeros((2, 2, 4)))


def test_a_panel_shows_content_or_says_why_not(qtbot: QtBot) -> None:
    panel = Panel("Weights", "of Conv 1")
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    panel.set_content(QLabel("numbers"))
    assert not panel.is_empty()
    panel.set_empty("Select a layer.")
    assert panel.is_empty()
    panel.set_empty(None)
    assert not panel.is_empty()
    pinned: list[bool] = []
    panel.pinned.connect(pinned.append)
    panel.set_pinned(True)
    assert pinned == [True] and panel.is_pinned()
    panel.set_title("Gradients", "of a layer with a very long name that cannot fit into the title row at all")
    panel.show()
    _picture(panel)
    assert panel.title() == "Gradients"
    assert panel.width() == 300


def test_the_readout_writes_signs_and_powers(qtbot: QtBot) -> None:
    readout = Readout()
    qtbot.addWidget(readout)
    readout.show_value("Filter 4, row 2, column 4", 0.0481)
    assert readout.text() == "+0.0481"
    readout.show_value("x", -3.2e-7)
    assert readout.text() == "−3.200·10⁻⁷"


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda cls: str(cls.kind))
def test_every_layers_formula_can_be_typeset(layer: type[Layer], caplog: pytest.LogCaptureFixture) -> None:
    assert formulas.formula_size(layer.formula, 15).height() > 8
    assert not caplog.records


def test_formulas_are_typeset_and_broken_ones_shown_as_text(qtbot: QtBot) -> None:
    size = formulas.formula_size(r"Z = W \cdot X + b")
    assert size.width() > 60 and size.height() > 10
    picture = formulas.formula_pixmap(r"Z = W \cdot X + b", 16, "text1", 2.0)
    assert picture.width() > 1.5 * size.width()
    image = picture.toImage()
    inked = sum(
        image.pixelColor(x, y).alpha() > 100 for x in range(image.width()) for y in range(image.height())
    )
    assert inked > 100
    assert formulas.formula_size(r"\frac{1}{").width() > 0
    view = formulas.FormulaView(r"\frac{1}{n} \sum_i x_i")
    qtbot.addWidget(view)
    view.resize(view.sizeHint())
    empty = QImage(view.size(), QImage.Format.Format_RGB32)
    empty.fill(theme.color("panel"))
    assert _differs(empty, _picture(view))
