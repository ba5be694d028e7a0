"""Convolution and pooling as one matrix in the lab: the product, what is said and lit, typing, copying."""

from __future__ import annotations

from typing import cast

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from gui.labs.form_lit import Lit
from gui.labs.matrix_lab import MatrixLab
from tests.gui.desk import Desk


def opened(desk: Desk, node: str) -> MatrixLab:
    if desk.bench.name != "digits_cnn":
        desk.open("digits_cnn")
    desk.window.open_lab("matrix_lab", uid=node)
    desk.settle()
    lab = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
    switch(lab, desk, "matrix")
    return lab


def switch(lab: MatrixLab, desk: Desk, key: str) -> None:
    lab.top.form.set_value(key)
    lab.top.form.chosen.emit(key)
    desk.settle()


def numbers(lab: MatrixLab) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [matrix.values() for matrix in lab.pane.matrices]


def test_a_convolution_is_its_matrix_times_the_picture(desk: Desk) -> None:
    lab = opened(desk, "conv1")
    assert lab.pane.equation is not None and lab.pane.equation.title == r"z = M \cdot x + b"
    m, x, b, z = numbers(lab)
    assert m.shape == (64, 64) and x.shape == (64, 1)
    np.testing.assert_allclose(m @ x + b, z, atol=1e-6)
    # the picture row by row, the layer's own result below
    k, picture, _, own = (v.values() for v in lab.below.matrices)
    np.testing.assert_array_equal(x[:, 0], picture.reshape(-1))
    np.testing.assert_allclose(z[:, 0], own.reshape(-1), atol=1e-6)
    np.testing.assert_array_equal(m[9, [0, 1, 2, 8, 9, 10, 16, 17, 18]], k.reshape(-1))
    empty = lab.pane.matrices[0]._empty
    assert empty is not None and empty.sum() == 64 * 64 - 22 * 22 and not m[empty].any()
    assert "equals the convolution" in lab.form.equal.text() and "·10⁻" in lab.form.equal.text()
    assert "filter 1 of 8" in lab.form.more.text()

    # a cell of the product: its row and what it meets, on both sides
    lab.pane.matrices[-1].cell_clicked.emit(9, 0)
    desk.settle()
    told = lab.card.explanation
    assert told is not None and told.terms is not None and len(told.terms.terms) == 10
    assert abs(told.terms.difference) < 1e-6
    assert lab.pane.matrices[0]._rows == {9}
    assert lab.below.matrices[1]._cells == {(r, c) for r in range(3) for c in range(3)}
    assert lab.below.matrices[-1].selected() is None and lab.below.matrices[-1]._cells == {(1, 1)}
    assert "window at 2, 2" in lab.card._text.text()
    lab.pane.matrices[0].cell_clicked.emit(9, 40)
    desk.settle()
    assert lab.card.explanation is not None and lab.card.explanation.number == 0
    assert "empty" in lab.card._text.text()

    # pointing at a row lights the window, at a weight of the kernel its cells of M
    lab.pane.matrices[-1].cell_hovered.emit(63, 0)
    assert lab.below.matrices[1]._pointed == ((6, 6, 2, 2),)
    lab.below.matrices[0].cell_hovered.emit(1, 1)
    assert lab.pane.matrices[0]._pointed == tuple((i, i, 1, 1) for i in range(64))
    lab.below.matrices[0].cell_hovered.emit(-1, -1)
    assert not lab.pane.matrices[0]._pointed

    # walked and copied like any product
    lab.player.walk(1)
    desk.settle()
    assert lab.story.opened == (lab.pane.equation.out.value, (0, 0))  # type: ignore[union-attr]
    lab.player.stop()
    lab.copier.copy_matrix(lab.pane, 0, "csv")
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 64 and lines[0].count(",") == 63

    # a weight typed into M is the kernel's, and stands in every row
    lab.editor.edit(lab.pane, 0, 9, 9)
    assert lab.editor.field is not None
    lab.editor.field.setText("0,5")
    lab.editor.field.setModified(True)
    desk.qtbot.keyClick(lab.editor.field, Qt.Key.Key_Return)
    desk.settle()
    assert (np.diag(numbers(lab)[0]) == 0.5).all() and lab.below.matrices[0].values()[1, 1] == 0.5
    desk.actions["undo"].trigger()
    desk.settle()

    lab.form.blocks.set_value("all")
    lab.form.blocks.chosen.emit("all")
    desk.settle()
    assert lab.pane.sheets[0].shape == (512, 64)
    np.testing.assert_allclose(numbers(lab)[0] @ x + numbers(lab)[2], numbers(lab)[-1], atol=1e-6)
    # the maps below turn to the filter of a cell
    lab.pane.matrices[-1].cell_clicked.emit(3 * 64 + 10, 0)
    desk.settle()
    assert lab.sight.channel == 3 and lab.below.matrices[-1]._cells == {(1, 2)}
    switch(lab, desk, "windows")
    assert not lab.form.isVisible() and lab.pane.equation is lab.equation()


def test_pooling_chooses_and_the_way_back_is_transposed(desk: Desk) -> None:
    lab = opened(desk, "pool1")
    first, x, y = (a.copy() for a in numbers(lab))
    assert set(np.unique(first)) == {0.0, 1.0} and (first.sum(1) == 1).all()
    np.testing.assert_array_equal(first @ x, y)
    assert "not linear" in lab.form.more.text() and lab.form.equal.text().endswith("difference 0.")
    lab._see(whole=False, example=5)
    desk.settle()
    other, x, y = numbers(lab)
    assert (other != first).any()
    np.testing.assert_array_equal(other @ x, y)
    for node, kind in (("pool1", "maxpool2d_dx"), ("conv2", "conv2d_dx")):
        lab.open(uid=node)
        lab.choose(next(i for i, e in enumerate(lab._equations) if e.kind == kind))
        desk.settle()
        turned, d, dx = (lab.pane.complete(i) for i in range(3))
        if turned is None or d is None:  # sent as means: the whole of it is asked for where it is needed
            lab.copier.copy_matrix(lab.pane, 0, "csv")
            assert len(QGuiApplication.clipboard().text().splitlines()) == 64
        else:
            np.testing.assert_allclose(turned @ d, dx, atol=1e-6)
        lab.pane.matrices[-1].cell_clicked.emit(11, 0)
        desk.settle()
        told = lab.card.explanation
        assert told is not None and told.terms is not None and abs(told.terms.difference) < 1e-6
        form = lab.form.form
        assert form is not None and form.back
        # the windows that a pixel lies in
        assert Lit(form, form.picture.id, form.cell_of_column(11)).blocks(lab.below.sheets[-1]) == ()
        assert "largest difference" in lab.form.equal.text()
