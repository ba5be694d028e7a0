"""The German catalog as pupils and teachers read it: complete, exact, and in the house's manner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import translations

# what is the same word, name or formula in both languages
SAME = {
    "AdaDelta", "AdaGrad", "Adam", "AdamW", "Alpha", "Alt", "Autoencoder", "Beta 1", "Beta 2", "Bias",
    "Bilinear", "Block", "Dense", "Dropout", "ELU", "Epsilon", "Filter", "Form", "GELU", "GRU", "Hinge",
    "Huber", "LSTM",
    "Jane Austen, Emma", "Leaky ReLU", "Linear", "Matrix", "Maximum", "Mish", "Momentum", "Name",
    "Nesterov", "PReLU", "Pause", "Phase", "RMSProp", "ReLU", "SELU", "SGD", "SiLU", "Sigmoid",
    "Recall", "Softmax", "Softplus", "Softsign", "Tanh", "Test", "Test, {output}", "Text", "Top {k}",
    "Training", "Version {version}", "labels",
    "lin", "log", "orthogonal", "{file}: {problem}", "{filters} × {rows}×{columns}",
    "{filters} × {rows}", "{layer}: {problem}", "{n} / s", "α {alpha}",
}  # fmt: skip
ADDRESS = re.compile(r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]eine?[mnrs]?|Sie bitte|Ihre?[mnrs]?|Ihnen|en Sie)\b")
FIELD = re.compile(r"\{[^{}]*\}")
Pair = tuple[str, str]


@pytest.fixture(scope="module")
def pairs(root: Path) -> list[Pair]:
    """Every English text with its German, both forms of a plural."""
    po = translations.folder(root) / "de" / "LC_MESSAGES" / "matrizen.po"
    return list(_pairs(translations._read(po, "de")))


def _pairs(catalog: Any) -> Iterator[Pair]:
    for message in catalog:
        if not message.id:
            continue
        if isinstance(message.id, str):
            yield message.id, message.string
        else:
            yield from zip(message.id, message.string, strict=True)


def test_the_catalog_is_complete_and_compiled(root: Path) -> None:
    assert translations.check(root) == []


def test_every_form_names_the_same_fields(pairs: list[Pair]) -> None:
    assert len(pairs) > 500
    wrong = [e for e, g in pairs if set(FIELD.findall(e)) != set(FIELD.findall(g))]
    assert wrong == []


def test_nothing_is_left_in_english_but_equal_words(pairs: list[Pair]) -> None:
    assert {e for e, g in pairs if e == g} - SAME == set()


def test_nobody_is_addressed(pairs: list[Pair]) -> None:
    assert [g for _, g in pairs if ADDRESS.search(g)] == []


def test_texts_begin_and_end_like_the_english_ones(pairs: list[Pair]) -> None:
    ends = re.compile(r"(\s*…|[.:?!]|\s*)$")
    wrong = []
    for english, german in pairs:
        edges = [(t[: len(t) - len(t.lstrip())], ends.search(t).group()) for t in (english, german)]  # type: ignore[union-attr]
        if edges[0] != edges[1]:
            wrong.append((english, german))
    assert wrong == []


def test_quotes_and_signs_are_german(pairs: list[Pair]) -> None:
    assert [g for _, g in pairs if "”" in g or g.count("„") != g.count("“") or '"' in g] == []
    assert [g for _, g in pairs if re.search(r"(?<![\w.])-\d", g)] == []  # a true minus before numbers
    assert [g for _, g in pairs if re.search(r"\d\.\d(?!\d\d\b)", g)] == []  # a decimal comma
    assert [g for _, g in pairs if "  " in g or "..." in g] == []


def test_no_text_names_a_key_by_its_english_name(pairs: list[Pair]) -> None:
    assert [g for _, g in pairs if re.search(r"\b(Ctrl|Shift|Space|Del)\b", g)] == []


def test_terms_are_the_same_everywhere(pairs: list[Pair]) -> None:
    """A term of the field has one German word, whatever the sentence."""
    terms = {
        "learning rate": "Lernrate",
        "cross-entropy": "Kreuzentropie",
        "batch size": "Stapelgröße",
        "epoch": "Epoche",
        "gradient": "Gradient",
        "layer": "chicht",
        "weights": "ewicht",
        "activation function": "Aktivierungsfunktion",
    }
    wrong = []
    for english, german in pairs:
        for term, word in terms.items():
            if re.search(rf"\b{term}s?\b", FIELD.sub("", english), re.IGNORECASE) and word not in german:
                wrong.append((english, german))
    assert wrong == []
