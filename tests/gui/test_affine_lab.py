"""The affine lab in use: typed, dragged, traced, turned, refused, and put into training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from engine import affine
from engine.errors import Message
from engine.layers import Augment
from gui import i18n, theme
from gui.labs import affine_sources
from gui.labs.affine_lab import AffineLab
from gui.labs.affine_sources import Subject
from gui.labs.affine_state import HANDLES, AffineState
from tests.gui.desk import Desk


@pytest.fixture
def lab(desk: Desk) -> Iterator[AffineLab]:
    made = AffineLab(desk.bench)
    made.resize(1500, 900)
    made.show()
    desk.qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()


def squares(h: int = 40, w: int = 60) -> Subject:
    y, x = np.mgrid[0:h, 0:w]
    return Subject(np.stack([x * 4, y * 5, 128 + 0 * x], -1).astype(np.uint8), "squares")


def type_into(lab: AffineLab, step: str, field: str, text: str) -> None:
    editor = lab.steps.cards[step].editors[field]
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_numbers_typed_move_the_picture_and_the_product(lab: AffineLab) -> None:
    lab.show_subject(squares())
    type_into(lab, "rotate", "angle", "90")
    type_into(lab, "shift", "right", "5")
    assert (lab.state.angle, lab.state.right) == (90, 5)
    assert lab.product.face.texts()[0] == ["0.000", i18n.MINUS + "1.000", "5.000"]
    expected = affine.warp(squares().pixels, lab.state.pixels(40, 60))
    shown = lab.plane._result
    assert shown is not None
    for row, column in ((20, 30), (3, 40), (0, 0)):
        color = shown.pixelColor(column, row)
        found = [color.red(), color.green(), color.blue()]
        assert np.abs(np.array(found) - expected[row, column]).max() <= 0.5


def test_text_as_an_angle_is_refused_and_said(lab: AffineLab) -> None:
    lab.show_subject(squares())
    type_into(lab, "rotate", "angle", "steep")
    assert lab.state.angle == 0
    assert "steep" in lab.hint()
    type_into(lab, "rotate", "angle", "1e9")
    assert lab.state.angle == 0 and "100000" in lab.hint()
    type_into(lab, "rotate", "angle", "nan")
    assert lab.state.angle == 0 and "nan" in lab.hint()
    type_into(lab, "rotate", "angle", "12°")
    assert lab.state.angle == 12 and "nan" not in lab.hint()


def test_the_knob_is_dragged(lab: AffineLab) -> None:
    lab.show_subject(squares())
    plane, knob = lab.plane, HANDLES[8]
    start, middle = plane.place_of(knob), plane.to_screen(plane._middle())
    radius = start.x() - middle.x()
    to = middle + QPointF(math.cos(math.radians(40)), math.sin(math.radians(40))) * radius
    QTest.mousePress(plane, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(plane, ((start + to) / 2).toPoint())
    QTest.mouseMove(plane, to.toPoint())
    QTest.mouseRelease(plane, Qt.MouseButton.LeftButton, pos=to.toPoint())
    assert lab.state.angle == pytest.approx(40, abs=1)
    assert lab.steps.cards["rotate"].editors["angle"].value() == lab.state.angle


def test_the_order_is_changed_by_dragging_a_card(lab: AffineLab) -> None:
    lab.show_subject(squares())
    lab.set_state(replace(lab.state, wide=1.1, high=1.1, right=5))
    before = lab.product.face.texts()[0][2]
    cards = lab.steps.cards
    header = cards["shift"].header
    top = cards["scale"].mapToGlobal(QPoint(20, 2))
    QTest.mousePress(header, Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    QTest.mouseMove(header, header.mapFromGlobal(top))
    QTest.mouseRelease(header, Qt.MouseButton.LeftButton, pos=header.mapFromGlobal(top))
    assert lab.state.order[0] == "shift"
    assert (before, lab.product.face.texts()[0][2]) == ("5.000", "5.500")
    assert lab.product.sides[1].texts()[0][2] == "5.00"
    lab.set_state(replace(lab.state, angle=35))
    assert lab.product.inverse.texts()[1][2] == "0.000"  # not what rounding left of it
    cards["scale"]._earlier.click()
    assert lab.state.order[:2] == ("scale", "shift")


def test_a_pixel_is_traced_to_the_engines_number(lab: AffineLab) -> None:
    lab.show_subject(squares())
    for method, count in (("nearest", 1), ("bilinear", 4), ("bicubic", 16)):
        lab.set_state(replace(lab.state, angle=20, interpolation=method, border="reflect"))
        lab.plane.set_pixel((12, 33))
        terms = lab.pixel.terms
        assert terms is not None and len(terms.terms) == count
        assert terms.engine == pytest.approx(terms.total, abs=2e-3)
        lab.pixel.grab()
    lab.plane.setFocus()
    QTest.keyClick(lab.plane, Qt.Key.Key_Right)
    assert lab.plane.pixel == (12, 34)
    assert lab.pixel._failure == ""


def test_the_examples_show_their_digits(lab: AffineLab) -> None:
    lab.show_subject(squares())
    lab.show_example("larger")
    assert lab.product.face.texts() == [
        ["1.100", "0.000", "5.000"], ["0.000", "1.100", "0.000"], ["0.000", "0.000", "1.000"],
    ]  # fmt: skip
    assert lab.product.inverse.texts()[0] == ["0.909", "0.000", i18n.MINUS + "4.545"]
    told = lab.product.facts.text()
    assert "(5, 0)" in told and "(16, 11)" in told and "(5.5, 0.0)" in told
    lab.show_example("quarter")
    assert "(0, 1)" in lab.product.facts.text()
    lab.grab()
    assert lab.plane._failure == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"wide": 0.0}, "determinant is 0"), ({"wide": 0.0, "high": 0.0}, "one point"),
     ({"across": 1.0, "along": 1.0}, "determinant is 0"), ({"wide": 1e5, "along": 1e5}, "too large"),
     ({"wide": 9e4}, "too large")],
)  # fmt: skip
def test_what_cannot_be_undone_is_said_and_harmless(
    lab: AffineLab, changes: dict[str, float], reason: str
) -> None:
    lab.show_subject(squares())
    lab.set_state(replace(AffineState(), **changes))
    assert reason in lab.reason and lab.plane._result is None
    assert lab.product.inverse.texts()[0] == ["–", "–", "–"]
    lab.grab()
    assert (lab.plane._failure, lab.pixel._failure) == ("", "")
    lab.set_state(AffineState())
    assert lab.reason == "" and lab.plane._result is not None


def test_huge_and_tiny_pictures_and_maps(lab: AffineLab) -> None:
    lab.show_subject(Subject(np.full((1, 1, 1), 77, np.uint8), "dot"))
    assert lab.pixel.terms is not None and lab.pixel.terms.total == 77
    lab.turn()
    assert lab.turns.psnr == math.inf
    for changes in ({"wide": 1e5, "high": 1e5}, {"right": 1e5}, {"angle": 1e5}, {"wide": 1e-4, "high": 1e-4}):
        lab.set_state(replace(AffineState(), **changes))
        lab.grab()
        assert lab.plane._failure == ""
        texts = [text for row in lab.product.face.texts() for text in row]
        assert all(len(text) <= 7 or "·10" in text for text in texts), "no number leaves its cell"
    # a picture of one pixel is turned and scaled by hand
    lab.set_state(AffineState())
    for number in (8, 3):
        start = lab.plane.place_of(HANDLES[number]).toPoint()
        QTest.mousePress(lab.plane, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(lab.plane, start + QPoint(20, 40))
        QTest.mouseRelease(lab.plane, Qt.MouseButton.LeftButton, pos=start + QPoint(20, 40))
    assert lab.state.angle and lab.state.wide != 1 and lab.plane._failure == ""


def test_files_that_are_no_pictures_are_refused(lab: AffineLab, desk: Desk, tmp_path: Path) -> None:
    lab.show_subject(squares())
    for name, content, word in (("a.png", b"", "empty"), ("b.png", b"no picture", "b.png")):
        path = tmp_path / name
        path.write_bytes(content)
        lab.loader.file(path)
        desk.qtbot.waitUntil(lambda word=word: word in lab.hint(), timeout=5000)
    assert lab.subject is not None and lab.subject.name == "squares"
    lab.open()
    lab.open(sample="coffee")
    desk.qtbot.waitUntil(lambda: lab.subject is not None and lab.subject.name == "coffee.png", timeout=5000)


def test_36_turns_lose_and_quarter_turns_would_not(lab: AffineLab) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 80, 1)).astype(np.uint8)
    lab.show_subject(Subject(noise, "noise"))
    lab.turn()
    rough = lab.turns.psnr
    lab.show_subject(squares(80, 80))
    assert lab.turns.psnr is None
    lab.turn()
    assert rough is not None and lab.turns.psnr is not None and rough < 15 < lab.turns.psnr


def test_while_a_large_picture_moves_a_small_one_stands_for_it(lab: AffineLab, desk: Desk) -> None:
    lab.show_subject(squares(700, 400))
    lab.warps._exact_seconds = 1.0
    found: list[int] = []
    lab.warps.warped.connect(lambda answer: found.append(answer.factor))
    lab._dragged(replace(lab.state, angle=10), True)
    lab._dragged(replace(lab.state, angle=12), True)
    assert found == [3, 3]
    desk.qtbot.waitUntil(lambda: found[-1] == 1, timeout=2000)


def test_a_feature_map_and_a_training_picture(lab: AffineLab, desk: Desk) -> None:
    desk.open("digits_cnn")
    layers = affine_sources.layers_with_maps(desk.bench)
    conv = next(uid for uid, name, maps in layers if maps > 1)
    lab.open(layer=conv)
    assert lab.subject is not None and "map 1" in lab.subject.name and lab.subject.pixels.shape[2] == 1
    lab.maps.click()
    assert "map 2" in lab.subject.name
    lab.open(layer=layers[0][0])
    assert lab.subject.pixels.shape[:2] == (8, 8)
    lab.open(layer="nothing")
    assert "network" in lab.hint()


def test_the_ranges_go_into_training_and_come_back(lab: AffineLab, desk: Desk) -> None:
    desk.open("digits_cnn")
    document = desk.bench.document
    drawn = document.state
    lab.show_subject(squares(80, 80))
    lab.set_state(replace(lab.state, angle=-12, wide=1.1, right=10, border="edge"))
    lab.augment()
    dialog = lab.dialog
    assert (dialog.layer_.rotation, dialog.layer_.scale, dialog.layer_.shift) == (12, 10, 1)
    assert dialog.batch.count() == 12
    dialog.form.editors["rotation"].setText("steep")
    dialog.form.editors["rotation"].setModified(True)
    dialog.button.click()
    assert document.state == drawn
    dialog.form.editors["rotation"].setText("20")
    dialog.form.editors["rotation"].setModified(True)
    dialog.button.click()
    made = [n.layer for n in document.graph.nodes if isinstance(n.layer, Augment)]
    assert made == [Augment(20, 10, 1, "edge")]
    assert document.inference.ready
    compared: list[object] = []
    lab.compare.connect(compared.append)
    lab.set_state(replace(lab.state, angle=3))
    lab.augment()
    lab.dialog.comparing.click()
    assert not lab.dialog.isVisible() and compared == [replace(made[0], rotation=3.0)]
    lab.augment()
    lab.dialog.button.click()
    assert [n.layer.rotation for n in document.graph.nodes if isinstance(n.layer, Augment)] == [3]
    document.undo()
    document.undo()
    assert document.state == drawn


def test_a_rebuilt_window_finds_it_as_it_was(lab: AffineLab, desk: Desk) -> None:
    lab.show_subject(squares())
    lab.set_state(replace(lab.state, angle=30, border="edge"))
    again = AffineLab(desk.bench)
    again.open(**lab.memory())
    assert (again.state, again.subject) == (lab.state, lab.subject)
    left: list[bool] = []
    again.closed.connect(lambda: left.append(True))
    QTest.keyClick(again, Qt.Key.Key_Escape)
    again.close_lab()
    assert left == [True]
    again.deleteLater()


def test_an_answer_to_a_lab_that_is_gone_is_dropped(desk: Desk) -> None:
    made = AffineLab(desk.bench)
    made.show_subject(squares())
    held: list[Any] = []
    runner = desk.bench.runner
    runner.warp = lambda *asked: held.append(asked[-1])  # type: ignore[method-assign]
    made.set_state(replace(made.state, angle=5))
    shiboken6.delete(made)
    held[0](None, Message("late"))
    desk.runner.status.emit(desk.bench.status)
    desk.runner.restarted.emit(None)
    assert len(held) == 1


def test_a_new_engine_gets_the_picture_once_more(lab: AffineLab, desk: Desk) -> None:
    lab.show_subject(squares())
    desk.runner.session._warping._pictures.clear()
    lab.warps.forget()
    assert desk.runner.session._warping._pictures
    assert lab.plane._result is not None


def test_in_german_commas_and_semicolons(lab: AffineLab) -> None:
    i18n.install("de")
    try:
        lab.show_subject(squares())
        lab.set_state(replace(lab.state, angle=30, right=2.5))
        assert lab.product.face.texts()[0] == ["0,866", i18n.MINUS + "0,500", "2,500"]
        assert ";" in lab.product.facts.text()
        theme.set_theme("light")
        lab.grab()
        assert (lab.plane._failure, lab.pixel._failure) == ("", "")
    finally:
        i18n.install("en")
        theme.set_theme("dark")
