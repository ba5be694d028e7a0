"""Losses that are sums, or that weigh classes, as lines of NumPy."""

from __future__ import annotations

from engine.export.numpy_names import Names, Writer, one
from engine.ops.base import Array
from engine.ops.weighted_sum import weights_of
from engine.ops.weighted_xent import class_weights, smoothing


def _weighted_sum(n: Names) -> list[str]:
    parts = (f"{weight:.9g} * {name}" for weight, name in zip(weights_of(n.op.attrs), n.ins, strict=True))
    return [f"{n.outs[0]} = {' + '.join(parts)}"]


def _numbers(numbers: Array) -> str:
    return f"np.array([{', '.join(f'{w:.9g}' for w in numbers)}])"


def _class_weights(n: Names) -> list[str]:
    w, mass = n.outs
    return [f"{w} = {_numbers(class_weights(n.op.attrs))}[{n.ins[0]}]", f"{mass} = {w}.sum()"]


def _targets(n: Names) -> list[str]:
    weights, eps = class_weights(n.op.attrs), smoothing(n.op.attrs)
    return [
        f"q = {eps:.9g} / {len(weights)} * {_numbers(weights)}[:, None] + np.zeros((1, n))",
        f"q += {1 - eps:.9g} * {n.ins[2]} * (np.arange({len(weights)})[:, None] == {n.ins[1]})",
    ]


def _weighted_xent(n: Names) -> list[str]:
    z, _, _, mass = n.ins
    p, loss = n.outs
    return [
        *_targets(n),
        f"shifted = {z} - {z}.max(axis=0)",
        f"{p} = np.exp(shifted) / np.exp(shifted).sum(axis=0)",
        f"{loss} = (q * (np.log(np.exp(shifted).sum(axis=0)) - shifted)).sum() / {mass}",
    ]


def _weighted_xent_grad(n: Names) -> list[str]:
    return [*_targets(n), f"{n.outs[0]} = ({n.ins[0]} * q.sum(axis=0) - q) / {n.ins[3]}"]


LOSS_WRITERS: dict[str, Writer] = {
    "scale": one("{o} = {factor:.9g} * {0}"),
    "weighted_sum": _weighted_sum,
    "class_weights": _class_weights,
    "weighted_xent": _weighted_xent,
    "weighted_xent_grad": _weighted_xent_grad,
}
