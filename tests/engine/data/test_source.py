"""`SourceSpec`: JSON round trip and refusal of what makes no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.source import FIELDS, KINDS, SourceSpec
from engine.errors import DataError

SPECS = [
    SourceSpec.toy("spiral", count=300, noise=0.25, seed=7, test_share=0.5),
    SourceSpec.sample("fashion"),
    SourceSpec.folder("Fotos/Äpfel", size=(28, 32), channels=3, resize="fill", seed=2),
    replace(SourceSpec.idx("a", "b"), sha256="ab", normalize=True),
    SourceSpec.npz("a.npz"),
    replace(SourceSpec.text("a.txt", "b.txt", window=8, unit="words"), lower=True, most=50, step=3),
    replace(SourceSpec.audio("a.wav", "b.wav", reading="spectrogram", rate=16_000), pitch="linear"),
    SourceSpec.array([[1, 2.5], [3, 4]], [0, 1], [[5, 6]], [1], ["no", "yes"], ["a", "b"]),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_json_round_trip(spec: SourceSpec) -> None:
    text = json.dumps(spec.to_json(), allow_nan=False)
    again = SourceSpec.from_json(json.loads(text))
    assert again == spec and hash(again) == hash(spec)
    assert set(spec.to_json()) == {"kind", *FIELDS[spec.kind]}


def test_every_kind_is_covered() -> None:
    assert {spec.kind for spec in SPECS} == set(KINDS) == set(FIELDS)


@given(
    st.builds(
        SourceSpec.toy, st.text(), st.integers(1, 10**6), st.floats(0, 1), st.integers(0, 2**63 - 1),
        st.floats(0, 0.9),
    )
)  # fmt: skip
def test_round_trip_of_any_toy(spec: SourceSpec) -> None:
    assert SourceSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ([], "an object with a kind"),
        ({"kind": "moon"}, "“kind” is 'moon'; expected toy, sample"),
        ({"kind": "toy", "name": "xor", "path": "/x"}, "holds? path, which “toy” does not know"),
        ({"kind": "toy", "count": 0}, "“count” is 0; expected 1 … 1000000"),
        ({"kind": "toy", "count": True}, "“count” is True"),
        ({"kind": "toy", "count": "5"}, "“count” is '5'"),
        ({"kind": "toy", "noise": float("nan")}, "“noise” is nan"),
        ({"kind": "toy", "test_share": 1.0}, "“test_share” is 1.0; expected 0 … 0.9"),
        ({"kind": "toy", "seed": 10**30}, "“seed”"),
        ({"kind": "folder", "path": "x", "size": [0, 3]}, "“size”"),
        ({"kind": "folder", "path": "x", "channels": 2}, "“channels” is 2; expected 0, 1, 3"),
        ({"kind": "folder", "path": "x", "resize": "crop"}, "expected fit, fill, stretch"),
        ({"kind": "folder", "path": 3}, "“path” is 3"),
        ({"kind": "idx", "paths": "abc"}, "“paths” is 'abc'; expected a list of texts"),
        ({"kind": "array", "x": [[1, "2"]], "y": [0]}, "“x” is '2'; expected finite numbers"),
        ({"kind": "array", "x": [[1e400]], "y": [0]}, "“x” is inf"),
        ({"kind": "array", "x": [0] * 30_000, "y": [0]}, "more than 20000 numbers"),
    ],
)
def test_refusals(data: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        SourceSpec.from_json(data)


def test_case_19_lists_in_lists_in_lists() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(DataError, match="nested deeper"):
        SourceSpec.from_json({"kind": "array", "x": deep, "y": [0]})
