"""The matrix view: cells are found where they are drawn, digits say the numbers, signals say the cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui import colormaps, i18n, theme
from gui.tokens import DARK, LIGHT
from gui.views.matrix_paint import choose_digits
from gui.views.matrix_part import Part
from gui.views.matrix_view import MatrixView
from gui.views.scale import Scale


def _word(color: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """A row of a ramp as 0xRRGGBB."""
    return int(color[0]) << 16 | int(color[1]) << 8 | int(color[2])


@pytest.fixture(autouse=True)
def _dark(qtbot: QtBot) -> Iterator[None]:
    theme.set_theme("dark", presentation=False)
    yield
    theme.set_theme("dark", presentation=False)
    i18n.install("en")


def _picture(widget: QWidget) -> QImage:
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(theme.color("panel"))
    widget.render(image)
    return image


def _view(
    qtbot: QtBot, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], role: str = "weights"
) -> MatrixView:
    view = MatrixView(role)
    qtbot.addWidget(view)
    view.resize(460, 300)
    view.show()
    view.set_values(values)
    return view


GRID = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)


def test_cells_have_their_colors_in_both_themes(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID)
    for of in (DARK, LIGHT):
        theme.set_theme(of.name)
        image = _picture(view)
        ramp = colormaps.lut_of(of, "weights")
        for row, column in ((0, 0), (3, 5), (7, 7)):
            rect = view.cell_rect(row, column)
            seen = image.pixelColor(int(rect.left()) + 2, int(rect.top()) + 2).rgb() & 0xFFFFFF
            index = int(view.scale().indices(GRID)[row, column])
            assert seen == _word(ramp[index])


def test_every_cell_is_found_where_it_is_drawn(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID)
    for row in range(8):
        for column in range(8):
            assert view.cell_at(view.cell_rect(row, column).center()) == (row, column)
    assert view.cell_at(QPointF(0, 0)) is None


def test_pointer_and_keys_speak(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID)
    hovered: list[tuple[int, int]] = []
    clicked: list[tuple[int, int]] = []
    view.cell_hovered.connect(lambda r, c: hovered.append((r, c)))
    view.cell_clicked.connect(lambda r, c: clicked.append((r, c)))
    spot = view.cell_rect(2, 3).center().toPoint()
    QTest.mouseMove(view, spot)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=spot)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert hovered[-3:] == [(2, 3), (2, 4), (3, 4)]
    assert clicked == [(2, 3), (3, 4)]
    assert "row 4, column 5" in view.toolTip()
    QTest.mouseMove(view, QPoint(1, 1))
    assert hovered[-1] == (-1, -1)


@pytest.mark.parametrize(
    ("cell", "decimals"),
    [((34, 17), 2), ((34, 20), 2), ((33, 20), 1), ((21, 20), 1), ((20, 20), None), ((60, 16), None)],
)
def test_digits_appear_at_their_sizes(cell: tuple[int, int], decimals: int | None) -> None:
    digits = choose_digits(*cell, biggest=0.9, whole=False)
    assert (None if digits is None else digits.decimals) == decimals


def test_digits_never_round_a_fraction_to_a_whole() -> None:
    tight = choose_digits(23, 24, biggest=1.0, whole=False)
    assert tight
    assert [tight.text(v) for v in (-0.63, 0.3, -1.0, 1.0, -0.96)] == ["−.6", ".3", "−1", "1.0", "−1"]
    assert choose_digits(23, 24, biggest=3.4, whole=False) is None
    assert choose_digits(40, 24, biggest=-0.0, whole=False) is not None
    large = choose_digits(30, 24, biggest=34.0, whole=False)
    assert large and large.text(-34.2) == "−34"


def test_digits_in_words(qtbot: QtBot) -> None:
    narrow = choose_digits(34, 24, biggest=0.64, whole=False)
    wide = choose_digits(60, 24, biggest=4.44, whole=False)
    small = choose_digits(60, 24, biggest=8.31e-4, whole=False)
    whole = choose_digits(40, 40, biggest=255, whole=True)
    assert narrow and wide and small and whole
    assert [narrow.text(v) for v in (0.15, -0.1, -0.002)] == [".15", "−.10", ".00"]
    assert wide.text(-4.44) == "−4.44"
    assert (small.text(-8.31e-4), small.exponent) == ("−8.31", -4)
    assert whole.text(255) == "255"
    i18n.install("de")
    assert narrow.text(-0.1) == "−,10"
    assert wide.text(float("nan")) == "NaN"


def test_small_gradients_name_their_unit(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID * 1e-4, "gradients")
    assert view.unit_text() == "in units of 10⁻⁴"
    assert _view(qtbot, GRID).unit_text() == ""


def test_cells_at_rest_sink_and_the_row_of_the_calculation_stays(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID)
    view.set_highlight(rows=[0], dim_rest=True)
    image = _picture(view)
    ramp = colormaps.lut_of(DARK, "weights")
    lit = view.cell_rect(0, 0)
    seen = image.pixelColor(int(lit.left()) + 4, int(lit.top()) + 4).rgb() & 0xFFFFFF
    assert seen == _word(ramp[0])
    rest = view.cell_rect(7, 7)
    dimmed = image.pixelColor(int(rest.left()) + 2, int(rest.top()) + 2)
    canvas = QColor(DARK.canvas)
    full = QColor(*(int(v) for v in ramp[255]))
    assert abs(dimmed.red() - round(canvas.red() * 0.8 + full.red() * 0.2)) <= 2
    outside = image.pixelColor(int(lit.left()) - 2, int(lit.center().y()))
    assert outside.name().upper() == DARK.trace


def test_not_a_number_is_seen(qtbot: QtBot) -> None:
    values = GRID.copy()
    values[4, 4] = np.nan
    view = _view(qtbot, values)
    rect = view.cell_rect(4, 4)
    seen = _picture(view).pixelColor(int(rect.left()) + 2, int(rect.top()) + 2)
    assert seen.name().upper() == DARK.danger


@pytest.mark.parametrize("shape", [(1, 1), (1, 784), (784, 1), (512, 784), (3, 1000)])
def test_any_shape_is_drawn_inside_its_widget(shape: tuple[int, int], qtbot: QtBot) -> None:
    view = _view(qtbot, np.random.default_rng(0).normal(size=shape).astype(np.float32))
    _picture(view)
    assert view._failure == ""
    last = view.cell_rect(shape[0] - 1, shape[1] - 1)
    assert last.right() <= view.width() and last.bottom() <= view.height()


def test_zoom_keeps_the_cell_under_the_pointer_and_never_leaves(qtbot: QtBot) -> None:
    view = _view(qtbot, np.random.default_rng(0).normal(size=(60, 90)).astype(np.float32))
    spot = view.cell_rect(20, 30).center()
    for _ in range(8):
        view.zoom_about(spot, 1.3)
        assert view.cell_at(spot) == (20, 30)
    wide = view.cell_rect(20, 30).width()
    assert wide > 20
    view.zoom_about(QPointF(60, 40), 1e-9)
    assert view.cell_rect(0, 0).width() < 6
    view.fit()
    assert view.cell_rect(59, 89).right() <= view.width()


def test_names_of_real_things(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID[:2, :3])
    view.set_names(["setosa", "virginica"], ["sepal length", "sepal width", "petal length"])
    assert view.cell_text(1, 2) == "row virginica, column petal length"
    _picture(view)
    view.set_values(GRID)  # other sizes: names that do not fit are left out
    assert view.cell_text(1, 2) == "row 2, column 3"


def test_other_than_two_axes_are_refused_and_nothing_says_so(qtbot: QtBot) -> None:
    view = MatrixView()
    qtbot.addWidget(view)
    _picture(view)
    with pytest.raises(ValueError, match="two axes"):
        view.set_values(np.zeros((2, 2, 2)))


def test_a_failing_paint_is_said_once_and_the_view_lives(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    view = _view(qtbot, GRID)
    view._scale = None  # type: ignore[assignment]
    view._changed()
    for _ in range(3):
        _picture(view)
    assert len([r for r in caplog.records if "painting MatrixView failed" in r.message]) == 1
    view.set_values(GRID)
    _picture(view)


def test_presentation_mode_scales_cells(qtbot: QtBot) -> None:
    view = _view(qtbot, GRID[:2, :2])
    before = view.cell_rect(0, 0).width()
    theme.set_theme("dark", presentation=True)
    assert view.cell_rect(0, 0).width() > before


def _wide(qtbot: QtBot) -> MatrixView:
    """A matrix of 40 x 60 cells, of which means of 4 x 6 cells are at hand."""
    view = _view(qtbot, np.zeros((0, 0), np.float32))
    view.set_values(np.arange(100, dtype=np.float32).reshape(10, 10), part=Part((40, 60), step=(4, 6)))
    return view


def test_places_of_a_large_matrix_are_those_of_the_whole(qtbot: QtBot) -> None:
    view = _wide(qtbot)
    assert view.shape() == (40, 60)
    assert view.value_at(39, 59) == 99.0 and view.value_at(4, 0) == 10.0
    assert view.cell_text(5, 7) == "mean of rows 5–8, columns 7–12"
    seen: list[tuple[int, int]] = []
    view.cell_clicked.connect(lambda r, c: seen.append((r, c)))
    at = view.cell_rect(33, 47).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert seen == [(33, 47)]
    image = _picture(view)
    ramp = colormaps.lut_of(DARK, "weights")
    first, last = view.cell_rect(1, 1).center(), view.cell_rect(38, 58).center()
    words = [image.pixel(int(p.x()), int(p.y())) & 0xFFFFFF for p in (first, last)]
    indices = view.scale().indices(np.array([0.0, 99.0], np.float32))
    assert words == [_word(ramp[indices[0]]), _word(ramp[indices[1]])]


def test_a_part_lies_where_it_belongs_and_what_is_missing_is_left_out(qtbot: QtBot) -> None:
    view = _wide(qtbot)
    asked: list[tuple[int, int, int, int]] = []
    view.part_wanted.connect(lambda: asked.append(view.cells_seen()))
    for _ in range(12):
        view.zoom_about(view.cell_rect(20, 30).center(), 1.2)
    qtbot.waitUntil(lambda: bool(asked) and asked[-1] == view.cells_seen())
    top, bottom, left, right = asked[-1]
    assert top <= 20 < bottom and left <= 30 < right and bottom - top < 40
    cells = np.arange(2400, dtype=np.float32).reshape(40, 60)
    view.set_values(cells[top:bottom, left:right], part=Part((40, 60), top, left))
    assert view.value_at(20, 30) == cells[20, 30] and view.value_at(0, 0) is None
    assert view.cell_text(20, 30) == "row 21, column 31"
    assert view.cells_seen() == (top, bottom, left, right), "new numbers do not move what is seen"
    row, column = view.cell_rect(20, 30).center(), view.cell_rect(20, 31).center()
    assert view.cell_at(row) == (20, 30) and view.cell_at(column) == (20, 31)


def test_heads_are_those_of_the_new_matrix_for_whoever_hears_of_it(qtbot: QtBot) -> None:
    view = MatrixView("weights")
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.part_wanted.connect(view.cells_seen)  # as the labs do: it asks for the heads
    view.set_values(np.zeros((8, 8), np.float32))
    view._part_soon.now()
    view._part_soon._last = -1e9  # long ago: it is told at once
    view.set_values(np.zeros((64, 64), np.float32), Scale(-1, 1), Part((4096, 4096), 0, 0, (64, 64)))
    view.set_values(np.zeros((64, 64), np.float32), Scale(-1, 1), Part((4096, 4096), 4000, 4000))
    assert view.cell_text(4040, 4041) == "row 4041, column 4042"
