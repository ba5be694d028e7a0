"""Op kinds on every OpenCL device against the op's reference, all that they read written from outside.

One case of every kind; marked thorough, all. tests/contract takes all cases, with parameters in the store.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.ops import REGISTRY, Case
from tests.engine.backends.opencl_help import all_cases, compute, device_ids, odd_cases

pytestmark = pytest.mark.skipif(not device_ids(), reason="no OpenCL device here")
ODD = {(kind, number) for kind, number, _ in odd_cases()}
CASES = [
    pytest.param(*case, marks=() if case[:2] in ODD else pytest.mark.thorough, id=f"{case[0]}-{case[1]}")
    for case in all_cases()
]


@pytest.mark.parametrize("device", device_ids())
@pytest.mark.parametrize(("kind", "number", "case"), CASES)
def test_matches_reference(device: str, kind: str, number: int, case: Case) -> None:
    arrays = [
        np.asarray(a, np.float32) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in case.arrays
    ]
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
    found = compute(device, kind, case)
    expected = REGISTRY[kind].reference(wide, case.attrs, case.ctx)
    for out, (got, want) in enumerate(zip(found, expected, strict=True)):
        assert got.shape == want.shape
        if want.ndim and want.shape[-1] > case.ctx.n and any(v.batched for v in case.ins):
            # beyond n an activation may be anything finite
            assert np.isfinite(got[..., case.ctx.n :]).all() or not np.isfinite(want[..., case.ctx.n :]).all()
            got, want = got[..., : case.ctx.n], want[..., : case.ctx.n]
        if want.dtype.kind != "f":
            np.testing.assert_array_equal(got, want)
            continue
        scale = max(1.0, float(np.abs(want[np.isfinite(want)]).max(initial=0.0)))
        # a coordinate of 28 pixels is known to 2e-6 in float32, and neighboring pixels differ by up to 5
        places = 2e-5 if kind == "affine_warp" else 3e-6
        np.testing.assert_allclose(
            got, want, rtol=2e-5, atol=places * scale, err_msg=f"{kind} {case.label} output {out}"
        )
