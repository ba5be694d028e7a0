"""Launches of the features of points, written out feature by feature."""

from __future__ import annotations

from engine.backends.opencl.chain import Site
from engine.backends.opencl.emit import Emission, emits, reads
from engine.backends.opencl.kernel import Launch
from engine.ops.input_features import chosen
from engine.values import Op


def _expressions(name: str, site: Site) -> tuple[str, str, str]:
    """The feature and its slopes in x and y; "" where it does not depend on one."""
    form = "float" if site.target.vw == 1 else "vf"
    return {
        "x": ("x", "(vf)(1.0f)", ""),
        "y": ("y", "", "(vf)(1.0f)"),
        "x2": ("x * x", "(2.0f * x)", ""),
        "y2": ("y * y", "", "(2.0f * y)"),
        "xy": ("x * y", "y", "x"),
        "sin_x": (f"sin_{form}(x)", f"cos_{form}(x)", ""),
        "sin_y": (f"sin_{form}(y)", "", f"cos_{form}(y)"),
    }[name]


@emits("input_features")
def input_features(op: Op, site: Site) -> Emission:
    t = site.target
    rows = [
        f"EPILOGUE({k} * LANES + lane, {_expressions(name, site)[0]})"
        for k, name in enumerate(chosen(op.attrs))
    ]
    defines: dict[str, object] = {"ROWS": " ".join(rows), "BACK": 0}
    return Emission([Launch("input_features", defines, [reads("X", op.ins[0])], (t.lanes // t.vw,))])


@emits("input_features_dx")
def input_features_dx(op: Op, site: Site) -> Emission:
    t = site.target
    rows = []
    for axis in (0, 1):
        parts = [
            f"LOAD(DY + {k} * LANES + lane) * {slope}"
            for k, name in enumerate(chosen(op.attrs))
            if (slope := _expressions(name, site)[1 + axis])
        ]
        total = " + ".join(parts) or "(vf)(0.0f)"
        rows.append(f"EPILOGUE({axis} * LANES + lane, select((vf)(0.0f), {total}, alive))")
    defines: dict[str, object] = {"ROWS": " ".join(rows), "BACK": 1, "LIVE": site.controls["n"]}
    pointers = [reads("DY", op.ins[0]), reads("X", op.ins[1])]
    return Emission([Launch("input_features", defines, pointers, (t.lanes // t.vw,), controls=True)])
