"""Launches of what looks at whole samples or whole batches: data, softmax, losses, normalization, dropout."""

from __future__ import annotations

from engine.backends.opencl.chain import Site, number
from engine.backends.opencl.emit import Emission, ceil_div, emits, reads, writes
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.base import REGISTRY, stream_number
from engine.values import Op


def _stream(op: Op) -> int:
    """The number of the op's stream; "#12" is number 12 itself."""
    name = op.stream or ""
    return int(name[1:]) if name.startswith("#") else stream_number(name)


def own_controls(op: Op) -> tuple[str, ...]:
    """Controls named for this op, behind those of its kind."""
    return op.controls[len(REGISTRY[op.kind].controls) :]


def random_numbers(op: Op, site: Site) -> dict[str, object]:
    """Where a kernel finds its random numbers."""
    c = site.controls
    return {
        "STREAM": f"{_stream(op)}u",
        "STEP": c["step"],
        "SEED_LOW": c["seed low"],
        "SEED_HIGH": c["seed high"],
    }


@emits("gather")
def gather(op: Op, site: Site) -> Emission:
    t = site.target
    data, order = op.ins
    rows = op.out.rows
    return Emission(
        [
            Launch(
                "gather",
                {
                    "ROWS": rows,
                    "DATA_TYPE": "uchar" if data.dtype == "u8" else "float",
                    "SCALE": number(op.attrs["scale"]),
                    "SHIFT": number(op.attrs["shift"]),
                    "LIVE": site.controls["n"],
                    "POSITION": site.controls["pos"],
                    "ALSO_ROWS": 0,
                    "STRIDE": 0,
                },
                [reads("DATA", data), reads("ORDER", order)],
                (t.lanes // t.vw, ceil_div(rows, t.vw)),
                controls=True,
            )
        ]
    )


@emits("gather_labels")
def gather_labels(op: Op, site: Site) -> Emission:
    labels, order = op.ins
    return Emission(
        [
            Launch(
                "gather_labels",
                {"LIVE": site.controls["n"], "POSITION": site.controls["pos"]},
                [reads("LABELS", labels), reads("ORDER", order), writes("OUT", op.out)],
                (1,),
                controls=True,
            )
        ],
        "none",
    )


@emits("random_affine")
def random_affine(op: Op, site: Site) -> Emission:
    t = site.target
    rotation, scale, shift = (site.controls[name] for name in own_controls(op))
    return Emission(
        [
            Launch(
                "random_affine",
                {
                    **random_numbers(op, site),
                    "WIDTH": op.attrs["width"],
                    "HEIGHT": op.attrs["height"],
                    "ROTATION": rotation,
                    "SCALE": scale,
                    "SHIFT": shift,
                },
                [writes("OUT", op.out)],
                (t.lanes // t.vw,),
                controls=True,
            )
        ],
        "none",
    )


@emits("dropout")
def dropout(op: Op, site: Site) -> Emission:
    t = site.target
    x = op.ins[0]
    return Emission(
        [
            Launch(
                "dropout",
                {**random_numbers(op, site), "ROWS": x.rows, "RATE": site.controls[own_controls(op)[0]]},
                [reads("X", x), writes("MASK", op.outs[1])],
                (t.lanes // t.vw, ceil_div(x.rows, 4)),
                controls=True,
            )
        ]
    )


@emits("softmax", "log_softmax")
def softmax(op: Op, site: Site) -> Emission:
    t = site.target
    return Emission(
        [
            Launch(
                "softmax",
                {"ROWS": op.ins[0].rows, "LOSSES": 0, "LOGS": int(op.kind == "log_softmax")},
                [reads("Z", op.ins[0])],
                (t.lanes // t.vw,),
            )
        ]
    )


@emits("softmax_grad", "log_softmax_grad")
def softmax_grad(op: Op, site: Site) -> Emission:
    t = site.target
    return Emission(
        [
            Launch(
                "softmax_grad",
                {
                    "ROWS": op.ins[0].rows,
                    "LIVE": site.controls["n"],
                    "LOGS": int(op.kind == "log_softmax_grad"),
                },
                [reads("DP", op.ins[0]), reads("P", op.ins[1])],
                (t.lanes // t.vw,),
                controls=True,
            )
        ]
    )


def total(site: Site, divisor: str, out: list[Pointer], result: str = "") -> Launch:
    """The sum over the live lanes of the scratch array, divided."""
    defines: dict[str, object] = {"LIVE": site.controls["n"], "DIVISOR(n)": divisor}
    if result:
        defines["EPILOGUE_S(at, v)"] = result
    return Launch("total", defines, [Pointer("X", "losses"), *out], (1,), controls=True)


@emits("softmax_xent")
def softmax_xent(op: Op, site: Site) -> Emission:
    t = site.target
    z, labels = op.ins
    each = Launch(
        "softmax",
        {"ROWS": z.rows, "LOSSES": 1, "LOGS": 0},
        [reads("Z", z), reads("LABELS", labels), Pointer("LOSS", "losses", write=True)],
        (t.lanes // t.vw,),
    )
    return Emission(
        [each, total(site, "(n)", [writes("OUT", op.outs[1])], "OUT[step_row] = v;")],
        main=0,
        scratch={"losses": t.lanes},
    )


@emits("count_correct")
def count_correct(op: Op, site: Site) -> Emission:
    t = site.target
    y, labels = op.ins
    each = Launch(
        "hits",
        {"ROWS": y.rows, "THRESHOLD": number(op.attrs["threshold"])},
        [reads("Y", y), reads("LABELS", labels), Pointer("LOSS", "losses", write=True)],
        (t.lanes // t.vw,),
    )
    return Emission([each, total(site, "1", [])], "cell", scratch={"losses": t.lanes})


@emits("batchnorm")
def batchnorm(op: Op, site: Site) -> Emission:
    x, w, b, mean, var = op.ins
    channels = x.shape[0]
    return Emission(
        [
            Launch(
                "batchnorm",
                {
                    "CELLS": x.rows // channels,
                    "LIVE": site.controls["n"],
                    "EPSILON": number(op.attrs["epsilon"]),
                    "MOMENTUM": number(op.attrs["momentum"]),
                },
                [
                    reads("X", x),
                    reads("WEIGHT", w),
                    reads("BIAS", b),
                    _may_alias("OLD_MEAN", mean.id),
                    _may_alias("OLD_VAR", var.id),
                    writes("MEAN", op.outs[1]),
                    writes("INVSTD", op.outs[2]),
                    writes("NEW_MEAN", op.outs[3]),
                    writes("NEW_VAR", op.outs[4]),
                ],
                (channels,),
                controls=True,
            )
        ]
    )


def _may_alias(name: str, value: str) -> Pointer:
    return Pointer(name, value, restrict=False)


@emits("batchnorm_grad")
def batchnorm_grad(op: Op, site: Site) -> Emission:
    dy, x, w, mean, invstd = op.ins
    channels = x.shape[0]
    return Emission(
        [
            Launch(
                "batchnorm_grad",
                {"CELLS": x.rows // channels, "LIVE": site.controls["n"]},
                [
                    reads("DY", dy),
                    reads("X", x),
                    reads("WEIGHT", w),
                    reads("MEAN", mean),
                    reads("INVSTD", invstd),
                    writes("DW", op.outs[1]),
                    writes("DB", op.outs[2]),
                ],
                (channels,),
                controls=True,
            )
        ]
    )
