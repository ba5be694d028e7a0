"""Launches of cross-entropy with label smoothing and class weights, and of the weighted sum of losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.backends.opencl.chain import RULES, Cells, Site, number
from engine.backends.opencl.emit import Emission, emits, reads, writes
from engine.backends.opencl.emit_samples import total
from engine.backends.opencl.kernel import Launch, Pointer
from engine.ops.weighted_sum import weights_of
from engine.ops.weighted_xent import class_weights, smoothing
from engine.values import Op


def _weighted_sum(c: Cells, op: Op, x: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    total = c.constant(0.0)
    for weight, part in zip(weights_of(op.attrs), x, strict=True):
        total = f"({total} + {c.constant(weight)} * {part})"
    return (total,)


RULES["weighted_sum"] = _weighted_sum


def _table(numbers: Iterable[float]) -> str:
    return ", ".join(number(x) for x in numbers)


def _shares(op: Op) -> dict[str, object]:
    """What the right class gets of its weight, and what every class gets anyway."""
    weights, eps = class_weights(op.attrs), smoothing(op.attrs)
    even = _table(weights * (eps / len(weights)))
    return {"ROWS": len(weights), "RIGHT": number(1 - eps), "EVEN": even}


@emits("class_weights")
def weights_of_examples(op: Op, site: Site) -> Emission:
    t = site.target
    weights = class_weights(op.attrs)
    each = Launch(
        "class_weights",
        {"ROWS": len(weights), "CLASS_WEIGHTS": _table(weights), "LIVE": site.controls["n"]},
        [reads("LABELS", op.ins[0])],
        (t.lanes // t.vw,),
        controls=True,
    )
    mass = total(site, "1", [writes("OUT", op.outs[1])], "OUT[step_row] = v;")
    mass.pointers[0] = Pointer("X", op.out.id)
    return Emission([each, mass], main=0)


@emits("weighted_xent")
def weighted_xent(op: Op, site: Site) -> Emission:
    t = site.target
    z, labels, w, mass = op.ins
    each = Launch(
        "weighted_xent",
        _shares(op),
        [reads("Z", z), reads("LABELS", labels), reads("W", w), Pointer("LOSS", "losses", write=True)],
        (t.lanes // t.vw,),
    )
    ends = [reads("MASS", mass), writes("OUT", op.outs[1])]
    loss = total(site, "1", ends, "OUT[step_row] = v / MASS[step_row];")
    return Emission([each, loss], main=0, scratch={"losses": t.lanes})


@emits("weighted_xent_grad")
def weighted_xent_grad(op: Op, site: Site) -> Emission:
    t = site.target
    p, labels, w, mass = op.ins
    return Emission(
        [
            Launch(
                "weighted_xent_grad",
                {**_shares(op), "LIVE": site.controls["n"]},
                [reads("P", p), reads("LABELS", labels), reads("W", w), reads("MASS", mass)],
                (t.lanes // t.vw,),
                controls=True,
            )
        ]
    )
