"""Every case of every op kind on every backend, without being told which there are."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ops.base import REGISTRY, Array, Terms
from engine.values import Role
from tests.contract.harness import (
    all_cases,
    case_of,
    distance,
    live_part,
    one_op,
    ran,
    random_cells,
    ready_for,
    variants,
)

CASES = all_cases()
TOLERANCE = 1e-5
"""Relative norm of the difference between float32 and the float64 reference, for a single op."""


def farthest(got: Array, expected: Array, places: float) -> float:
    """The largest difference of a cell, in what it may be: 2e-5 of itself and `places` of the largest."""
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    return float((np.abs(got - expected) / (places * scale + 2e-5 * np.abs(expected))).max(initial=0.0))


def test_every_kind_has_cases() -> None:
    assert set(REGISTRY) == {p.values[0] for p in CASES}


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_infer_gives_the_shapes_of_the_reference(kind: str, number: int) -> None:
    for label, case in variants(kind, case_of(kind, number)):
        one = one_op(kind, case)
        outs = one.reference()
        assert [o.shape for o in outs] == [v.shape for v in one.op.outs], label


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_backend_against_reference(backend_name: str, kind: str, number: int) -> None:
    # a coordinate of 28 pixels is known to 2e-6 in float32, and neighboring pixels differ by up to 5
    places = 2e-5 if kind == "affine_warp" else 3e-6
    for r in ran(backend_name, kind, number):
        n = r.one.ctx.n
        for v, got, expected in zip(r.one.op.outs, r.traced, r.one.reference(), strict=True):
            assert got.shape == v.shape, (r.label, v.id)
            got, expected = live_part(v, got, n), live_part(v, expected, n)
            if v.dtype != "f32":
                assert got.dtype == expected.dtype == np.int32
                assert np.array_equal(got, expected), (r.label, v.id)
            else:
                assert got.dtype == np.float32
                assert distance(got, expected) < TOLERANCE, (r.label, v.id)
                assert farthest(got, expected, places) < 1.0, (r.label, v.id)


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_dead_lanes_are_finite_and_zero_in_gradients(backend_name: str, kind: str, number: int) -> None:
    for r in ran(backend_name, kind, number):
        for v, got in zip(r.one.op.outs, r.traced, strict=True):
            assert np.isfinite(got).all(), (r.label, v.id)
            if v.batched and v.role is Role.GRAD:
                assert not got[..., r.one.ctx.n :].any(), (r.label, v.id)


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_poison_changes_no_live_number(backend_name: str, kind: str, number: int) -> None:
    """Live lanes and sums over them are those of the same case with zeros for poison."""
    poisoned = [r for r in ran(backend_name, kind, number) if r.label == "poisoned"]
    assert poisoned or not any(v.batched for v in case_of(kind, number).ins)
    backend = ready_for(backend_name, kind, number)
    for r in poisoned:
        n, clean = r.one.ctx.n, one_op(kind, dict(variants(kind, case_of(kind, number)))["poisoned"])
        for name, array in clean.inputs.items():
            if clean.program.values[name].batched:
                array[..., n:] = 0
        for v, a, b in zip(r.one.op.outs, r.traced, clean.run(backend), strict=True):
            assert np.array_equal(live_part(v, a, n), live_part(v, b, n)), v.id


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_fast_and_traced_are_equal_bit_for_bit(backend_name: str, kind: str, number: int) -> None:
    for r in ran(backend_name, kind, number):
        for v, a, b in zip(r.one.op.outs, r.fast, r.traced, strict=True):
            assert a.tobytes() == b.tobytes(), (r.label, v.id)


def made_of(terms: Terms) -> float:
    """What the terms give by their own rule."""
    values = [t.value for t in terms.terms]
    if terms.rule == "max":
        return max(values)
    if terms.rule == "share":
        (numerator,) = [t.value for t in terms.terms if t.label == "numerator"]
        return numerator / sum(values)
    assert terms.rule in ("sum", "mean", "function"), terms.rule
    if terms.rule == "function":
        assert len(values) == 1
    return sum(values) + terms.left_out[1]


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_explain_gives_the_number_of_the_engine(backend_name: str, kind: str, number: int) -> None:
    for r in ran(backend_name, kind, number):
        op, n = r.one.op, r.one.ctx.n
        for i, (v, array) in enumerate(zip(op.outs, r.traced, strict=True)):
            for cell in random_cells(v.shape, n, v.batched, 4, seed=number):
                terms = r.one.rule.explain(op, i, cell, r.read, r.one.ctx)
                where = (r.label, v.id, cell)
                assert terms.engine == float(array[cell]), where
                size = max(abs(terms.total), sum(abs(t.value) for t in terms.terms), 1e-6)
                assert abs(made_of(terms) - terms.total) <= 1e-9 * size, where
                # 1 - a² near its ends keeps the error of its factors, not of its own size
                factors = max((abs(f) for t in terms.terms for _, _, f in t.factors), default=0.0)
                assert abs(terms.difference) <= 2e-5 * size + 1e-6 * factors, where
                for id, at, factor in (f for t in terms.terms for f in t.factors):
                    source = r.one.program.values[id]
                    if all(0 <= a < s for a, s in zip(at, source.shape, strict=True)):
                        assert factor == float(r.read(source)[at]), (where, id, at)
