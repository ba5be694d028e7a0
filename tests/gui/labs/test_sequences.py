"""Text in the window: the table, who looks at whom, and every stage of attention as an equation."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from gui.labs.matrix_lab import MatrixLab
from gui.panels import targets
from tests.gui.desk import Desk


def test_attention_is_looked_at_and_opened_stage_by_stage(desk: Desk) -> None:
    desk.open("emma_transformer")
    configured = desk.bench.configured
    assert configured is not None
    program, graph = configured.program, desk.bench.document.graph
    table, looks = (find(program, graph, uid) for find, uid in
                    ((targets.weights_of, "embed"), (targets.output_of, "look")))  # fmt: skip
    assert table is not None and table.shape == (46, 32)
    assert looks is not None and looks.look == "maps" and looks.shape == (4, 16, 16, 64)
    place = targets.output_of(program, graph, "place")
    assert place is not None and place.sequence
    assert targets.logical_cell(place, (3, 5), 2, 0) == (3, 5, 2)

    desk.window.canvas.scene().select(["embed"])
    desk.settle()
    weights, activations = (desk.window.docks[name].numbers.matrix for name in ("weights", "activations"))
    assert weights._row_names == configured.data.vocabulary
    words = "".join(activations._column_names or ())
    tip = desk.window.live._chooser.toolTip()
    assert len(words) == 16 and tip.startswith(f"Example 1 of the batch: {words} → ")

    desk.window.open_lab("matrix_lab", uid="look")
    desk.settle()
    lab = cast(MatrixLab, desk.window.labs.lab("matrix_lab"))
    titles = [e.title for e in lab._equations]
    assert titles[4:8] == [
        r"S = \frac{1}{\sqrt{d}} Q^T \cdot K", r"P = \mathrm{softmax}(S)", r"Y = V \cdot P^T",
        r"Z = W_O \cdot Y + b_O",
    ]  # fmt: skip
    for at, count in ((4, 8), (5, 9), (6, 16), (7, 33)):
        lab._at = at
        lab._show_equation()
        desk.settle()
        last = lab.pane.matrices[-1]
        last.cell_clicked.emit(8, 8)
        desk.settle()
        told = lab.card.explanation
        assert told is not None and told.terms is not None and len(told.terms.terms) == count
        if at == 4:  # 1/√d · q · k
            shown = lab.card._terms._terms[0]
            assert shown.factors[0] == ("1/√d", (), pytest.approx(8**-0.5)) and len(shown.factors) == 3
        assert abs(told.terms.difference) < 1e-6 and np.isclose(told.number, last.values()[8, 8])
