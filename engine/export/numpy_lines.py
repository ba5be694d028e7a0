"""How each kind of op is written in plain NumPy: lines of a script, and the functions they call.

A writer gets the names of inputs and outputs, the op and the controls of its step. Arrays in the script hold
the live examples only, so nothing is masked.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.export.numpy_convolution import along, kernels, slid, spread
from engine.export.numpy_functions import FUNCTION_LINES
from engine.export.numpy_helpers import HELPERS
from engine.export.numpy_losses import LOSS_WRITERS
from engine.export.numpy_names import Names, Writer
from engine.export.numpy_names import one as _one
from engine.export.numpy_norms import NORM_DRAWN, NORM_WRITERS
from engine.export.numpy_pictures import PICTURE_WRITERS
from engine.export.numpy_recurrent import RECURRENT_LINES, Lines
from engine.export.numpy_training import TRAINING_LINES
from engine.ops.accumulating import APPLY
from engine.ops.updates import kept_of, lock_of
from engine.values import Value


def _lines(templates: Sequence[str]) -> Writer:
    """A writer of lines as of `_one`; {name} may be a control, too, and {all} is all inputs added,
    {list} all of them listed.
    """

    def write(n: Names) -> list[str]:
        values: dict[str, object] = {name: n.number(name) for name in n.controls} | dict(n.op.attrs)
        values |= {"o": n.outs[0], "o2": n.outs[-1], "all": " + ".join(n.ins), "list": ", ".join(n.ins)}
        return [line.format(*n.ins, **values) for line in templates]

    return write


def _dense(n: Names) -> list[str]:
    w, x = n.ins[:2]
    if len(n.op.ins[1].shape) > 2:  # every position of a sequence
        bias = f" + column({n.ins[2]}, {x})" if len(n.ins) > 2 else ""
        return [f"{n.outs[0]} = np.tensordot({w}, {x}, 1){bias}"]
    bias = f" + {n.ins[2]}[:, None]" if len(n.ins) > 2 else ""
    return [f"{n.outs[0]} = {w} @ {x}{bias}"]


def _dense_dx(n: Names) -> list[str]:
    w, d = n.ins
    if len(n.op.ins[1].shape) > 2:
        return [f"{n.outs[0]} = np.tensordot({w}.T, {d}, 1)"]
    return [f"{n.outs[0]} = {w}.T @ {d}"]


def _dense_dw(n: Names) -> list[str]:
    d, x = n.ins
    if len(n.op.ins[1].shape) > 2:
        return [f"{n.outs[0]} = np.einsum('ith,jth->ij', {d}, {x})"]
    return [f"{n.outs[0]} = {d} @ {x}.T"]


def _embedding_dw(n: Names) -> list[str]:
    tokens, d = n.ins
    dw = n.outs[0]
    return [
        f"{dw} = np.zeros({n.op.outs[0].shape}, {d}.dtype)",
        f"np.add.at({dw}, np.rint({tokens}).astype(int).ravel(), {d}.reshape(len({d}), -1).T)",
    ]


def _layernorm(n: Names) -> list[str]:
    x, w, b = n.ins
    y, mean, invstd = n.outs
    return [
        f"{mean} = {x}.mean(axis=0)",
        f"{invstd} = 1 / np.sqrt((({x} - {mean}) ** 2).mean(axis=0) + {n.attr('epsilon')})",
        f"{y} = ({x} - {mean}) * {invstd} * column({w}, {x}) + column({b}, {x})",
    ]


def _layernorm_dx(n: Names) -> list[str]:
    dy, x, w, mean, invstd = n.ins
    return [
        f"hat = ({x} - {mean}) * {invstd}",
        f"g = {dy} * column({w}, {x})",
        f"{n.outs[0]} = {invstd} * (g - g.mean(axis=0) - hat * (g * hat).mean(axis=0))",
    ]


def _heads(n: Names, how: str) -> list[str]:
    heads, scale = n.attr("heads"), float(str(n.attr("scale")))
    first, second = n.ins
    if how == "scores":
        made = [f"{v} = {x}.reshape({heads}, -1, *{x}.shape[1:])" for v, x in zip("ab", n.ins, strict=True)]
        return [*made, f"{n.outs[0]} = np.einsum('hdin,hdjn->hijn', a, b) * {scale:.9g}"]
    how = "hijn,hdin->hdjn" if n.attr("turned") else "hijn,hdjn->hdin"
    return [
        f"v = {second}.reshape({heads}, -1, *{second}.shape[1:])",
        f"mix = np.einsum('{how}', {first}, v) * {scale:.9g}",
        f"{n.outs[0]} = mix.reshape(-1, *mix.shape[2:])",
    ]


def _softmax_rows(n: Names) -> list[str]:
    s, p = n.ins[0], n.outs[0]
    lines = [f"e = np.exp({s} - {s}.max(axis=2, keepdims=True))"]
    if n.attr("causal"):
        lines = [
            f"seen = np.tri({n.op.outs[0].shape[1]}, dtype=bool)[None, :, :, None]",
            f"e = np.where(seen, {s}, -np.inf)",
            "e = np.exp(e - e.max(axis=2, keepdims=True))",
        ]
    return [*lines, f"{p} = e / e.sum(axis=2, keepdims=True)"]


def _sum_samples(n: Names) -> list[str]:
    return [f"{n.outs[0]} = {n.ins[0]}.sum(axis={_rest(n.op.ins[0])})"]


def _rest(value: Value) -> str:
    """All axes but the first, as an argument."""
    axes = tuple(range(1, len(value.shape)))
    return str(axes) if len(axes) > 1 else "1"


def _softmax_xent(n: Names) -> list[str]:
    z, labels = n.ins
    p, loss = n.outs
    return [
        f"shifted = {z} - {z}.max(axis=0)",
        "e = np.exp(shifted)",
        f"{p} = e / e.sum(axis=0)",
        f"{loss} = (np.log(e.sum(axis=0)) - shifted[{labels}, np.arange(n)]).mean()",
    ]


def _encode(n: Names) -> list[str]:
    units = n.op.attrs["units"]
    rows = "np.arange(1, 2)" if units == 1 else f"np.arange({units})"
    on, off = n.attr("on"), n.attr("off")
    hit = f"{rows}[:, None] == {n.ins[0]}"
    return [f"{n.outs[0]} = np.where({hit}, np.float32({on}), np.float32({off}))"]


def _correct(n: Names) -> list[str]:
    y, labels = n.ins
    one = n.op.ins[0].shape[0] == 1
    guess = f"({y}[0] > {n.attr('threshold')})" if one else f"{y}.argmax(axis=0)"
    return [f"{n.outs[0]} = ({guess} == {labels}).sum()"]


def _pool(name: str, many: bool) -> Writer:
    def write(n: Names) -> list[str]:
        size = f", size=({n.attr('height')}, {n.attr('width')})" if "height" in n.op.attrs else ""
        left = ", ".join(n.outs[:2] if many else n.outs[:1])
        return [f"{left} = {name}({', '.join(n.ins)}, kernel={n.attr('kernel')}, {n.geometry}{size})"]

    return write


def _batchnorm(n: Names) -> list[str]:
    x, w, b, mean_old, var_old = n.ins
    y, mean, invstd, mean_new, var_new = n.outs
    axes = _rest(n.op.ins[0])
    m = float(str(n.attr("momentum")))
    return [
        f"count = {x}[0].size",
        f"{mean} = {x}.mean(axis={axes})",
        f"variance = (({x} - column({mean}, {x})) ** 2).mean(axis={axes})",
        f"{invstd} = 1 / np.sqrt(variance + {n.attr('epsilon')})",
        f"hat = ({x} - column({mean}, {x})) * column({invstd}, {x})",
        f"{y} = column({w}, {x}) * hat + column({b}, {x})",
        f"{mean_new} = {1 - m:.9g} * {mean_old} + {m:.9g} * {mean}",
        f"{var_new} = {1 - m:.9g} * {var_old} + {m:.9g} * variance * (count / max(count - 1, 1))",
    ]


def _batchnorm_grad(n: Names) -> list[str]:
    dy, x, w, mean, invstd = n.ins
    dx, dw, db = n.outs
    axes = _rest(n.op.ins[1])
    return [
        f"hat = ({x} - column({mean}, {x})) * column({invstd}, {x})",
        f"{db} = {dy}.sum(axis={axes})",
        f"{dw} = ({dy} * hat).sum(axis={axes})",
        f"count = {x}[0].size",
        f"{dx} = column({w} * {invstd}, {x}) * (",
        f"    {dy} - column({db} / count, {x}) - hat * column({dw} / count, {x})",
        ")",
    ]


def _batchnorm_eval(n: Names) -> list[str]:
    x, w, b, mean, var = n.ins
    return [
        f"scale = {w} / np.sqrt({var} + {n.attr('epsilon')})",
        f"{n.outs[0]} = ({x} - column({mean}, {x})) * column(scale, {x})",
        f"{n.outs[0]} = {n.outs[0]} + column({b}, {x})",
    ]


def _sgd(n: Names) -> list[str]:
    return [f"{n.outs[0]} = {n.ins[0]} - {n.number('lr')} * {n.ins[1]}"]


def _momentum(n: Names) -> list[str]:
    w, g, v = n.ins
    return [
        f"{n.outs[1]} = {n.number('momentum')} * {v} + {g}",
        f"{n.outs[0]} = {w} - {n.number('lr')} * {n.outs[1]}",
    ]


def _rmsprop(n: Names) -> list[str]:
    w, g, s = n.ins
    rho = n.controls["decay"]
    return [
        f"{n.outs[1]} = {rho:.9g} * {s} + {1 - rho:.9g} * {g} * {g}",
        f"{n.outs[0]} = {w} - {n.number('lr')} * {g} / (np.sqrt({n.outs[1]}) + {n.number('epsilon')})",
    ]


def _adam(n: Names) -> list[str]:
    w, g, m, v = n.ins
    w_new, m_new, v_new = n.outs
    b1, b2 = n.controls["beta1"], n.controls["beta2"]
    return [
        f"{m_new} = {b1:.9g} * {m} + {1 - b1:.9g} * {g}",
        f"{v_new} = {b2:.9g} * {v} + {1 - b2:.9g} * {g} * {g}",
        f"m_hat = {m_new} / {n.number('c1')}",
        f"v_hat = {v_new} / {n.number('c2')}",
        f"{w_new} = {w} - {n.number('lr')} * m_hat / (np.sqrt(v_hat) + {n.number('epsilon')})",
    ]


def _function(template: str) -> Writer:
    return lambda n: [f"{n.outs[0]} = " + template.format(z=n.ins[0], **n.op.attrs)]


def _function_grad(template: str) -> Writer:
    return lambda n: [f"{n.outs[0]} = {n.ins[0]} * " + template.format(a=n.ins[1], z=n.ins[1], **n.op.attrs)]


FUNCTION_WRITERS: dict[str, Writer] = {
    **{kind: _function(f) for kind, (f, _) in FUNCTION_LINES.items()},
    **{f"{kind}_grad": _function_grad(slope) for kind, (_, slope) in FUNCTION_LINES.items()},
}


def _adamw(n: Names) -> list[str]:
    *lines, last = _adam(n)
    shrunk = f"(1 - {n.number('lr')} * {n.number('weight_decay')}) * {n.ins[0]}"
    return [*lines, last.replace(f"= {n.ins[0]} -", f"= {shrunk} -", 1)]


def _nesterov(n: Names) -> list[str]:
    w, g, v = n.ins
    return [
        f"{n.outs[1]} = {n.number('momentum')} * {v} + {g}",
        f"{n.outs[0]} = {w} - {n.number('lr')} * ({g} + {n.number('momentum')} * {n.outs[1]})",
    ]


def _adagrad(n: Names) -> list[str]:
    w, g, s = n.ins
    return [
        f"{n.outs[1]} = {s} + {g} * {g}",
        f"{n.outs[0]} = {w} - {n.number('lr')} * {g} / (np.sqrt({n.outs[1]}) + {n.number('epsilon')})",
    ]


def _adadelta(n: Names) -> list[str]:
    w, g, s, d = n.ins
    rho, epsilon = n.controls["decay"], n.number("epsilon")
    return [
        f"{n.outs[1]} = {rho:.9g} * {s} + {1 - rho:.9g} * {g} * {g}",
        f"u = {g} * np.sqrt({d} + {epsilon}) / np.sqrt({n.outs[1]} + {epsilon})",
        f"{n.outs[2]} = {rho:.9g} * {d} + {1 - rho:.9g} * u * u",
        f"{n.outs[0]} = {w} - {n.number('lr')} * u",
    ]


def _update(free: Writer) -> Writer:
    """An update; what is locked keeps its numbers."""

    def write(n: Names) -> list[str]:
        if not n.controls.get(APPLY, 1.0):
            return [f"{new} = {n.ins[n.op.ins.index(old)]}  # waits for more batches"
                    for new, old in zip(n.outs, kept_of(n.op), strict=True)]  # fmt: skip
        if lock_of(n.op) is None:
            return free(n)
        lines = free(Names(n.ins[:-1], n.outs, n.op, n.controls))
        old = (n.ins[0], *n.ins[2:-1])
        return [*lines, *(f"{new} = np.where({n.ins[-1]} != 0, {before}, {new})  # locked cells stay"
                          for new, before in zip(n.outs, old, strict=True))]  # fmt: skip

    return write


def _plain(lines: Lines) -> Writer:
    return lambda n: lines(n.ins, n.outs, n.op)


WRITERS: dict[str, Writer] = {
    **{kind: _plain(lines) for kind, lines in RECURRENT_LINES.items()},
    "dense": _dense,
    "dense_dx": _dense_dx,
    "dense_dw": _dense_dw,
    "sum_samples": _sum_samples,
    **FUNCTION_WRITERS,
    "softmax": lambda n: [
        f"e = np.exp({n.ins[0]} - {n.ins[0]}.max(axis=0))",
        f"{n.outs[0]} = e / e.sum(axis=0)",
    ],
    "log_softmax": _one("{o} = {0} - np.log(np.exp({0} - {0}.max(axis=0)).sum(axis=0)) - {0}.max(axis=0)"),
    "log_softmax_grad": _one("{o} = {0} - np.exp({1}) * {0}.sum(axis=0)"),
    "prelu": _one("{o} = np.where({0} > 0, {0}, column({1}, {0}) * {0})"),
    "prelu_dz": _one("{o} = np.where({1} > 0, {0}, column({2}, {0}) * {0})"),
    "prelu_below": _one("{o} = {0} * np.minimum({1}, 0)"),
    "softmax_grad": _one("{o} = {1} * ({0} - ({0} * {1}).sum(axis=0))"),
    "softmax_xent": _softmax_xent,
    "softmax_xent_grad": _one("{o} = ({0} - (np.arange(len({0}))[:, None] == {1})) / n"),
    "encode_labels": _encode,
    "mae": _one("{o} = np.abs({0} - {1}).mean()"),
    "mae_grad": _one("{o} = np.sign({0} - {1}) / {0}.size"),
    "huber": _one("{o} = np.where(np.abs({0} - {1}) <= {delta}, ({0} - {1}) ** 2 / 2, "
                  "{delta} * (np.abs({0} - {1}) - {delta} / 2)).mean()"),
    "huber_grad": _one("{o} = np.clip({0} - {1}, -{delta}, {delta}) / {0}.size"),
    "bce_logits": _one("{o} = (np.logaddexp(0, {0}) - {0} * {1}).mean()"),
    "bce_logits_grad": _one("{o} = (1 / (1 + np.exp(-{0})) - {1}) / {0}.size"),
    "hinge": _one("{o} = np.maximum(0, 1 - {1} * {0}).mean()"),
    "hinge_grad": _one("{o} = np.where({1} * {0} < 1, -{1}, 0) / {0}.size"),
    "mse": _one("{o} = (({0} - {1}) ** 2).mean()"),
    "mse_grad": _one("{o} = 2 * ({0} - {1}) / {0}.size"),
    **LOSS_WRITERS,
    "count_correct": _correct,
    "add": lambda n: [f"{n.outs[0]} = {' + '.join(n.ins)}"],
    "multiply": _one("{o} = {0} * {1}"),
    "subtract": _one("{o} = {0} - {1}"),
    "maximum": lambda n: [f"{n.outs[0]} = np.maximum.reduce([{', '.join(n.ins)}])"],
    "maximum_grad": lambda n: [  # a tie is won by the first
        f"first = np.argmax([{', '.join(n.ins[1:])}], axis=0)",
        f"{n.outs[0]} = np.where(first == {n.attr('input')}, {n.ins[0]}, 0)",
    ],
    "concatenate": lambda n: [f"{n.outs[0]} = np.concatenate(({', '.join(n.ins)},), axis=0)"],
    "conv2d": lambda n: slid(n, *n.ins),
    "conv2d_dx": lambda n: spread(n, *n.ins),
    "conv2d_dw": lambda n: kernels(n, *n.ins),
    **dict.fromkeys(("conv1d", "conv1d_dx", "conv1d_dw"), lambda n: along(n, *n.ins)),
    "conv_transpose2d": lambda n: spread(n, *n.ins),
    "conv_transpose2d_dx": lambda n: slid(n, *n.ins),
    "conv_transpose2d_dw": lambda n: kernels(n, *n.ins),
    "maxpool2d": _pool("maxpool2d", True),
    "maxpool2d_dx": _pool("maxpool2d_dx", False),
    "avgpool2d": _pool("avgpool2d", False),
    "avgpool2d_dx": _pool("avgpool2d_dx", False),
    **PICTURE_WRITERS,
    **NORM_WRITERS,
    "batchnorm": _batchnorm,
    "batchnorm_grad": _batchnorm_grad,
    "batchnorm_eval": _batchnorm_eval,
    "embedding": _one("{o} = np.moveaxis({0}[np.rint({1}).astype(int)], -1, 0)"),
    "embedding_dw": _embedding_dw,
    "positions": _one("{o} = {0} + {1}[:, :, None]"),
    "positions_dw": _one("{o} = {0}.sum(axis=2)"),
    "split": lambda n: [f"{', '.join(n.outs)} = np.split({n.ins[0]}, {n.attr('parts')})"],
    "layernorm": _layernorm,
    "layernorm_dx": _layernorm_dx,
    "layernorm_dw": lambda n: [
        f"hat = ({n.ins[1]} - {n.ins[2]}) * {n.ins[3]}",
        f"{n.outs[0]} = ({n.ins[0]} * hat).sum(axis={_rest(n.op.ins[0])})",
    ],
    "heads_scores": lambda n: _heads(n, "scores"),
    "heads_mix": lambda n: _heads(n, "mix"),
    "softmax_rows": _softmax_rows,
    "softmax_rows_grad": _one("{o} = {1} * ({0} - ({0} * {1}).sum(axis=2, keepdims=True))"),
    **{kind: _lines(templates) for kind, templates in TRAINING_LINES.items()},
    "sgd": _update(_sgd),
    "momentum": _update(_momentum),
    "rmsprop": _update(_rmsprop),
    "adam": _update(_adam),
    "adamw": _update(_adamw),
    "nesterov": _update(_nesterov),
    "adagrad": _update(_adagrad),
    "adadelta": _update(_adadelta),
}
"""Kinds that are written out. Any other is taken from the engine, and the script says so."""

DRAWN: dict[str, tuple[int, ...]] = {**NORM_DRAWN}
"""Outputs that are random: they are read from the file of the batch."""


def helpers_for(lines: Sequence[str]) -> list[str]:
    """The functions that these lines call, and those that they call, in an order that works."""
    text, wanted = "\n".join(lines), []
    for name, source in reversed(HELPERS.items()):
        if f"{name}(" in text:
            wanted.append(source)
            text += source
    return wanted[::-1]
