"""Every kind of op as it stands in a NumPy proof, beside its reference in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.export.numpy_lines import DRAWN, WRITERS, helpers_for
from engine.export.numpy_names import Names
from engine.ops.base import REGISTRY, Case
from tests.contract.harness import lanes_of, one_op, with_lanes

BEFORE = {"gather", "gather_labels", "random_affine"}
"""Kinds that come before the forward pass: their results are the batch, which lies in the file."""


def alive(case: Case) -> Case:
    """The case with its live examples only, as arrays of a script are."""
    batched = any(v.batched for v in case.ins) or "capacity" in case.attrs
    return with_lanes(case, case.ctx.n, case.ctx.n) if batched and case.ctx.n < lanes_of(case) else case


def written(kind: str, case: Case) -> tuple[list[Any], list[Any]]:
    """(What the lines make, what the reference makes), output by output."""
    one = one_op(kind, case)
    ins, outs = [f"x{i}" for i in range(len(one.op.ins))], [f"y{i}" for i in range(len(one.op.outs))]
    lines = WRITERS[kind](Names(ins, outs, one.op, case.ctx.controls))
    expected = one.reference()
    names: dict[str, Any] = {"n": case.ctx.n}
    for name, a in zip(ins, one.arrays(), strict=True):
        names[name] = a.astype(np.float64) if a.dtype == np.float32 else a
    for i in DRAWN.get(kind, ()):
        names[outs[i]] = expected[i]
    exec("import numpy as np\n" + "\n".join([*helpers_for(lines), *lines]), names)
    return [names[name] for name in outs], list(expected)


@pytest.mark.parametrize("kind", sorted(set(REGISTRY) - BEFORE))
def test_the_lines_of_every_kind_are_its_rule(kind: str) -> None:
    for case in REGISTRY[kind].cases():
        found, expected = written(kind, alive(case))
        for got, wanted in zip(found, expected, strict=True):
            assert np.shape(got) == wanted.shape, case.label
            size = max(1.0, float(np.abs(wanted).max(initial=0.0)))
            assert np.allclose(got, wanted, rtol=1e-6, atol=1e-7 * size), case.label


def test_only_what_makes_the_batch_is_left_out() -> None:
    assert set(WRITERS) == set(REGISTRY) - BEFORE
