"""The ops of a recurrence as they stand in a NumPy proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.values import Op

Lines = Callable[[Sequence[str], Sequence[str], Op], list[str]]
"""(names of the inputs, of the outputs, op) -> lines."""


def _lstm(ins: Sequence[str], outs: Sequence[str], op: Op) -> list[str]:
    u, q, before = ins
    h, gates, c = outs
    return [
        f"i, f, g, o = np.split({u} + {q}, 4)",
        "i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)",
        f"{gates} = np.concatenate((i, f, g, o))",
        f"{c} = f * {before} + i * g",
        f"{h} = o * np.tanh({c})",
    ]


def _lstm_grad(ins: Sequence[str], outs: Sequence[str], op: Op) -> list[str]:
    dh, gates, before, c, *later = ins
    da, dc = outs
    return [
        f"i, f, g, o = np.split({gates}, 4)",
        f"t = np.tanh({c})",
        f"d = {''.join(f'{x} + ' for x in later)}{dh} * o * (1 - t * t)",
        f"{da} = np.concatenate((",
        f"    d * g * i * (1 - i), d * {before} * f * (1 - f), d * i * (1 - g * g), {dh} * t * o * (1 - o)",
        "))",
        f"{dc} = d * f",
    ]


def _gru(ins: Sequence[str], outs: Sequence[str], op: Op) -> list[str]:
    u, q, before = ins
    h, gates = outs
    return [
        f"(ur, uz, un), (qr, qz, qn) = np.split({u}, 3), np.split({q}, 3)",
        "r, z = sigmoid(ur + qr), sigmoid(uz + qz)",
        "g = np.tanh(un + r * qn)",
        f"{gates} = np.concatenate((r, z, g))",
        f"{h} = (1 - z) * g + z * {before}",
    ]


def _gru_grad(ins: Sequence[str], outs: Sequence[str], op: Op) -> list[str]:
    dh, gates, q, before = ins
    du, dq, past = outs
    return [
        f"r, z, g = np.split({gates}, 3)",
        f"dg = {dh} * (1 - z) * (1 - g * g)",
        f"dz = {dh} * ({before} - g) * z * (1 - z)",
        f"dr = dg * np.split({q}, 3)[2] * r * (1 - r)",
        f"{du} = np.concatenate((dr, dz, dg))",
        f"{dq} = np.concatenate((dr, dz, dg * r))",
        f"{past} = {dh} * z",
    ]


def _stack(ins: Sequence[str], outs: Sequence[str], op: Op) -> list[str]:
    rows = [f"    {', '.join(ins[i : i + 4])}," for i in range(0, len(ins), 4)]
    return [f"{outs[0]} = np.stack((", *rows, "), axis=1)"]


RECURRENT_LINES: dict[str, Lines] = {
    "split_time": lambda ins, outs, op: [f"{out} = {ins[0]}[:, {t}]" for t, out in enumerate(outs)],
    "stack_time": _stack,
    "zero_state": lambda ins, outs, op: [f"{outs[0]} = np.zeros(({op.out.shape[0]}, n), {ins[0]}.dtype)"],
    "lstm_cell": _lstm,
    "lstm_cell_grad": _lstm_grad,
    "gru_cell": _gru,
    "gru_cell_grad": _gru_grad,
}

RECURRENT_HELPERS: dict[str, str] = {
    "sigmoid": '''
def sigmoid(z):
    """Between 0 and 1."""
    return 1 / (1 + np.exp(-z))
''',
}
