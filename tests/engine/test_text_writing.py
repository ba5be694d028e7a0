"""A text is written on the same way whenever it is asked for, by the shares and the temperature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.layers import GRU, Dense, Embedding, Input, Output
from engine.settings import TrainingSpec
from engine.text_writing import next_token, write_on
from engine.training import Trainer


def trained(tmp_path: Path) -> Trainer:
    """A network that has learnt a text of one line by heart."""
    (tmp_path / "line.txt").write_text("the cat sat on the mat\n" * 60, encoding="utf-8")
    data = load(replace(SourceSpec.text(str(tmp_path / "line.txt"), window=6), test_share=0.0))
    count = len(data.vocabulary)
    g = GraphSpec().add("x", Input((6,))).add("embed", Embedding(count, 8), after="x")
    g = g.add("gru", GRU(16), after="embed").add("next", Dense(count), after="gru")
    graph = g.add("output", Output(), after="next")
    trainer = Trainer(graph, TrainingSpec("cross_entropy", "adam", 0.02, 32), data, open_backend("numpy"))
    while trainer.epoch < 4:
        trainer.run(100, 1e6)
    return trainer


def test_a_text_learnt_by_heart_goes_on(tmp_path: Path) -> None:
    trainer = trained(tmp_path)
    found = write_on(trainer, "the cat sat", 12, 0.0, 1)
    assert found.added == " on the mat\n"
    assert found.choices[0][0] == "t"
    assert sum(share for _, share in found.choices) <= 1 + 1e-6
    hot = [write_on(trainer, "the ", 24, 3.0, seed).added for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2]
    first = write_on(trainer, "the ", 10, 3.0, 1).added
    assert first + write_on(trainer, "the " + first, 14, 3.0, 1).added == hot[0], "in pieces it is the same"
    assert len(write_on(trainer, "", 3, 1.0, 1).added) == 3
    assert len(write_on(trainer, "ÄÖ猫", 3, 1.0, 1).added) == 3


def test_temperature_sharpens_and_flattens() -> None:
    shares = np.array([0.5, 0.3, 0.2, 0.0])
    u = (np.arange(1000) + 0.5) / 1000
    drawn = {t: [next_token(shares, t, float(x)) for x in u] for t in (0.0, 0.5, 1.0, 100.0)}
    assert set(drawn[0.0]) == {0}
    assert drawn[1.0].count(0) == 500
    assert drawn[1.0].count(1) == 300
    assert drawn[0.5].count(0) == pytest.approx(1000 * 0.25 / 0.38, abs=1)
    assert drawn[100.0].count(0) == pytest.approx(1000 / 3, abs=4)
    assert all(3 not in each for each in drawn.values())
    assert next_token(shares, 1.0, 1 - 2**-24) == 2


def test_other_data_are_refused(root: Path) -> None:
    from tests.engine.number_nets import square

    with pytest.raises(GraphError, match="does not guess the next token"):
        write_on(square(), "a", 1, 1.0, 1)
