"""The palette: every layer is there, can be found, added by double click or Enter, and dragged."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.layers import LAYERS
from gui.canvas.gestures.drop_layer import MIME
from gui.canvas.layer_search import LayerSearch
from gui.panels.palette import NARROW, WIDE, Palette
from gui.panels.palette_items import KindButton


@pytest.fixture
def palette(qtbot: QtBot) -> Palette:
    window = QWidget()
    qtbot.addWidget(window)
    made = Palette(window)
    row = QHBoxLayout(window)
    row.addWidget(made)
    row.addStretch(1)
    window.resize(700, 700)
    window.show()
    qtbot.waitExposed(window)
    window.made = made  # type: ignore[attr-defined]
    made.owner = window  # type: ignore[attr-defined]
    return made


def shown(palette: Palette) -> list[str]:
    return [kind for kind, entry in palette.entries.items() if entry.isVisible()]


def test_every_layer_has_an_entry_with_its_help(palette: Palette) -> None:
    assert set(palette.entries) == set(LAYERS)
    assert all(e.toolTip() and e.accessibleName() for e in palette.entries.values())


def test_groups_fold(palette: Palette) -> None:
    assert "relu" in shown(palette) and "dropout" not in shown(palette)
    QTest.mouseClick(palette.heads["normalize"], Qt.MouseButton.LeftButton)
    assert "dropout" in shown(palette)
    QTest.mouseClick(palette.heads["activation"], Qt.MouseButton.LeftButton)
    assert "relu" not in shown(palette)


def test_the_filter_finds_by_name_kind_and_category(palette: Palette) -> None:
    for text, expected in (
        ("batch", {"batch_norm"}),
        ("CONV", {"conv1d", "conv2d", "conv_transpose2d"}),
        ("activation", {k for k, cls in LAYERS.items() if cls.category == "activation"}),
    ):
        palette.filter.setText(text)
        assert set(shown(palette)) == expected
    palette.filter.setText("no such layer")
    assert shown(palette) == [] and palette._nothing.isVisible()
    palette.filter.setFocus()
    QTest.keyClick(palette.filter, Qt.Key.Key_Escape)
    assert "dropout" not in shown(palette) and "dense" in shown(palette)
    assert not palette.filter.text() and not palette.filter.hasFocus()


def test_double_click_enter_and_filter_add(palette: Palette, qtbot: QtBot) -> None:
    with qtbot.waitSignal(palette.layer_chosen) as seen:
        QTest.mouseDClick(palette.entries["dense"], Qt.MouseButton.LeftButton)
    assert seen.args == ["dense"]
    with qtbot.waitSignal(palette.layer_chosen) as seen:
        QTest.keyClick(palette.entries["relu"], Qt.Key.Key_Return)
    assert seen.args == ["relu"]
    palette.filter.setText("flat")
    with qtbot.waitSignal(palette.layer_chosen) as seen:
        QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert seen.args == ["flatten"]


def test_arrows_go_through_the_entries(palette: Palette) -> None:
    palette.entries["dense"].setFocus()
    QTest.keyClick(palette.entries["dense"], Qt.Key.Key_Down)
    assert palette.entries["conv2d"].hasFocus()
    QTest.keyClick(palette.entries["conv2d"], Qt.Key.Key_Up)
    assert palette.entries["dense"].hasFocus()


def test_a_drag_carries_the_kind(palette: Palette) -> None:
    assert bytes(palette.entries["tanh"].mime().data(MIME).data()) == b"tanh"


def test_the_narrow_palette_opens_a_list_beside_it(palette: Palette, qtbot: QtBot) -> None:
    assert palette.width() == WIDE
    palette.set_compact(True)
    assert palette.width() == NARROW and shown(palette) == []
    button = next(b for b in palette.findChildren(KindButton) if b.category == "pooling")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    flyout = palette._flyout
    assert flyout is not None and flyout.isVisible()
    pooling = [kind for kind, cls in LAYERS.items() if cls.category == "pooling"]
    assert [e.kind for e in flyout.entries] == pooling  # type: ignore[attr-defined]
    with qtbot.waitSignal(palette.layer_chosen) as seen:
        QTest.keyClick(flyout.entries[2], Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert seen.args == [pooling[2]]
    assert palette._flyout is None
    palette.grab()


def test_the_narrow_palette_finds_a_layer_by_typing(palette: Palette, qtbot: QtBot) -> None:
    palette.set_compact(True)
    button = next(b for b in palette.findChildren(KindButton) if not b.category)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)  # the second takes the place of the first
    search = next(s for s in palette.window().findChildren(LayerSearch) if s.isVisible())
    search.field.setText("lstm")
    with qtbot.waitSignal(palette.layer_chosen) as seen:
        QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert seen.args == ["lstm"]


def test_the_tiles_of_a_low_palette_move_together(palette: Palette, qtbot: QtBot) -> None:
    palette.set_compact(True)
    tiles = palette.findChildren(KindButton)
    palette.window().resize(700, 400)
    qtbot.waitUntil(lambda: palette.height() < 400)
    qtbot.waitUntil(
        lambda: all(t.mapTo(palette, QPoint(0, t.height())).y() <= palette.height() for t in tiles)
    )
