"""Text as tokens: windows and what follows, vocabularies, and texts that cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.data.drop import recognize, whole_characters
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import DataError
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Embedding
from engine.run import data_spec
from tests.contract.networks import chain

ALL = {"test_share": 0.0, "window": 3}


def text(folder: Path, content: str | bytes, name: str = "a.txt", **more: object) -> SourceSpec:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return replace(SourceSpec.text(str(path)), **{**ALL, **more})  # type: ignore[arg-type]


def words_of(data, x):
    return [" ".join(data.vocabulary[int(t)] for t in row) for row in x]


def test_every_window_is_followed_by_its_next_character(tmp_path):
    data = load(text(tmp_path, "abcabcab"))
    rows = ["".join(w.split()) for w in words_of(data, data.x_train)]
    assert rows == ["abc", "bca", "cab", "abc", "bca"]
    assert [data.vocabulary[y] for y in data.y_train] == ["a", "b", "c", "a", "b"]
    assert data.class_names == data.vocabulary == ("a", "b", "c")  # the most frequent first, then by order
    assert data.x_train.dtype == np.uint8 and data.shape == (3,) and data_spec(data).tokens == 3
    assert len(load(text(tmp_path, "abcabcab", step=2)).x_train) == 3


def test_words_and_small_letters(tmp_path):
    data = load(text(tmp_path, "It's so. It's THE end, so\r\nthe end.", unit="words", lower=True))
    assert words_of(data, data.x_train)[:2] == ["it's so .", "so . it's"]
    assert "the" in data.vocabulary and "THE" not in data.vocabulary


def test_the_end_is_held_back_and_no_window_reaches_over(tmp_path):
    data = load(text(tmp_path, "ab" * 50 + "ba" * 50, test_share=0.25, window=4))
    assert (data.n_train, data.n_test) == (150 - 4, 50 - 4)


def test_what_the_vocabulary_does_not_hold_is_unknown_and_never_asked_for(tmp_path):
    data = load(text(tmp_path, "aaaabbbbcab" * 3 + "xyz", most=2, test_share=0.1))
    assert data.vocabulary == ("a", "b", "\ufffd")
    assert set(data.y_train) <= {0, 1} and set(data.y_test) <= {0, 1}
    assert 2 in data.x_train
    (note,) = data.notes
    assert "are not among the 2" in str(note)


def test_several_texts_are_told_apart(tmp_path):
    for name in ("one", "two"):
        text(tmp_path, f"{name} is a text of its own, {name}.", f"{name}.txt")
    paths = [str(tmp_path / f"{name}.txt") for name in ("one", "two")]
    found = recognize(paths)
    assert found.kind == "data" and found.spec == SourceSpec.text(*paths)
    data = load(replace(found.spec, test_share=0.0))
    assert data.class_names == ("one", "two") and data.vocabulary != data.class_names
    assert set(data.y_train) == {0, 1} and data.shape == (16,)


def test_a_dropped_text_is_recognized_even_cut_inside_a_letter(tmp_path):
    spec = text(tmp_path, "x" * 1023 + "ä and more")
    found = recognize([spec.paths[0]])
    assert found.kind == "data" and found.spec is not None and found.spec.kind == "text"
    assert whole_characters("aä€😀".encode()[:-1]) == "aä€".encode()


BAD = {
    "no UTF-8": (b"Stra\xdfe und noch mehr", "not UTF-8 text: byte 0xdf at 4"),
    "UTF-16": ("\ufeffab".encode("utf-16"), "not UTF-8 text: byte 0xff at 0"),
    "control characters": (b"PK\x03\x04 and so on", "is no text: character 3"),
    "empty": (b"", "is empty"),
    "only a mark": (b"\xef\xbb\xbf", "has 0 tokens"),
    "one letter": (b"aaaaaaaa", "holds 1 different tokens"),
    "short": (b"abc", "has 3 tokens to train on; a window of 3 needs at least 4"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_texts_that_cannot_be_used_say_why(tmp_path, name):
    content, words = BAD[name]
    spec = text(tmp_path, content)
    with pytest.raises(DataError) as refusal:
        load(spec)
    assert "a.txt" in str(refusal.value) and words in str(refusal.value)
    if name in ("no UTF-8", "UTF-16", "control characters", "empty"):
        assert recognize([spec.paths[0]]).kind == "refused"


def test_too_many_windows_are_refused_with_a_step_that_fits(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.data.text.MAX_CELLS", 60)
    with pytest.raises(DataError, match="let them start every 4 tokens"):
        load(text(tmp_path, "ab" * 40, window=3, step=1))
    assert load(text(tmp_path, "ab" * 40, window=3, step=5)).n_train == 16


def test_settings_that_make_no_sense(tmp_path):
    for wrong in ({"window": 0}, {"unit": "letters"}, {"most": 1}, {"step": 0}, {"lower": 1}):
        with pytest.raises(DataError):
            text(tmp_path, "abc", **wrong)
    spec = text(tmp_path, "abcabcab")
    assert SourceSpec.from_json(spec.to_json()) == spec
    with pytest.raises(DataError, match="no sample text"):
        load(SourceSpec.text(name="nobody"))


def test_a_vocabulary_that_is_too_small_is_painted_with_its_repair(tmp_path):
    data = data_spec(load(text(tmp_path, "abcabcab")))
    graph = chain(Embedding(2, 4), shape=(3,))
    problem = next(p for p in infer(graph, data=data).problems if p.field == "vocabulary")
    assert str(problem.message) == "The data has 3 different tokens, the vocabulary only 2."
    assert problem.repairs[0].value == 3
    warned = [p for p in infer(graph, data=replace(data, tokens=0)).problems if p.warning]
    assert any("no tokens" in str(p.message) for p in warned)
    late = GraphSpec(graph.nodes[:1]).add("d", chain(Embedding(), shape=(3,)).nodes[1].layer)
    assert not infer(late).ready
