"""Forms from declarations: every layer's form can be built, speaks when edited and shows problems."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QPushButton
from pytestqt.qtbot import QtBot

from engine.layers import LAYERS
from engine.layers.base import Layer
from engine.layers.conv2d import Conv2D
from gui import icons
from gui.forms import Choice, Field, Form, ShapeField, fields_of, keep_size
from gui.number_field import NumberField


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda cls: str(cls.kind))
def test_every_layer_has_a_form_that_shows_its_defaults_and_an_icon(layer: type[Layer], qtbot: QtBot) -> None:
    fields = fields_of(layer)
    form = Form(fields)
    qtbot.addWidget(form)
    for field in fields:
        assert field.label and field.help
        if field.default is not None:
            assert form.values()[field.name] == field.default
    assert layer.kind in icons.names()


def _typed(form: Form, editor: NumberField, text: str) -> None:
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_editing_a_convolution(qtbot: QtBot) -> None:
    form = Form(fields_of(Conv2D))
    qtbot.addWidget(form)
    heard: list[tuple[str, Any]] = []
    form.edited.connect(lambda name, value: heard.append((name, value)))
    filters = form.editor("filters")
    assert isinstance(filters, NumberField)
    _typed(form, filters, "16")
    rows = form.editor("kernel").findChildren(NumberField)[0]
    _typed(form, rows, "5")
    keep = next(b for b in form.editor("padding").findChildren(QPushButton) if b.text() == "Keep size")
    keep.click()
    bias = form.editor("bias")
    assert isinstance(bias, QCheckBox)
    bias.click()
    start = form.editor("initializer")
    assert isinstance(start, Choice)
    other = next(i for i in range(start.count()) if start.itemData(i) != "he_normal")
    start.setCurrentIndex(other)
    start.activated.emit(other)
    assert heard == [
        ("filters", 16), ("kernel", (5, 3)), ("padding", (2, 1, 2, 1)), ("bias", False),
        ("initializer", start.itemData(other)),
    ]  # fmt: skip


def test_values_from_outside_are_silent(qtbot: QtBot) -> None:
    form = Form(fields_of(Conv2D))
    qtbot.addWidget(form)
    heard: list[str] = []
    form.edited.connect(lambda name, value: heard.append(name))
    form.set_values({"filters": 32, "kernel": (7, 7), "unknown": 1})
    assert (heard, form.values()["kernel"]) == ([], (7, 7))
    filters = form.editor("filters")
    assert isinstance(filters, NumberField)
    assert filters.text() == "32"


def test_a_wrong_number_is_explained_under_its_field(qtbot: QtBot) -> None:
    form = Form(fields_of(Conv2D))
    qtbot.addWidget(form)
    filters = form.editor("filters")
    assert isinstance(filters, NumberField)
    _typed(form, filters, "0")
    assert "at least 1" in form.problem("filters")
    _typed(form, filters, "4")
    assert form.problem("filters") == ""
    form.set_problem("kernel", "The kernel is larger than the picture.")
    assert form.problem("kernel")
    form.clear_problems()
    assert not form.problem("kernel")


def test_a_shape_is_typed_with_any_separator(qtbot: QtBot) -> None:
    field = ShapeField(1, 4096)
    qtbot.addWidget(field)
    field.set_value((2,))
    heard: list[Any] = []
    problems: list[str] = []
    field.chosen.connect(heard.append)
    field.problem_changed.connect(problems.append)
    for text in ("1x28x28", "3, 8, 8", "a x 3", "5000"):
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert heard == [(1, 28, 28), (3, 8, 8)]
    assert problems[-1]
    assert field.text() == "5000"


@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (5, 4)])
def test_keep_size_keeps_the_size(kernel: tuple[int, int]) -> None:
    top, left, bottom, right = keep_size({"kernel": kernel})
    assert 9 + top + bottom - kernel[0] + 1 == 9
    assert 9 + left + right - kernel[1] + 1 == 9


def test_an_unknown_kind_is_refused(qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match="no editor"):
        Form([Field("x", "X", "color")])
