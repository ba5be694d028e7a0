"""LSTM and GRU: what one position of a sequence does to the state, gates and all, and the way back.

u is what the input adds (W·x + b), q what the state before adds (W_h·h + b_h): both come in as products.
Gates stand one below the other in PyTorch's order. LSTM: i, f, g, o (Hochreiter and Schmidhuber 1997, Gers et
al. 2000). GRU: r, z, n, the reset gate on q, its bias within (Cho et al. 2014 as in PyTorch and cuDNN).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine.ops.base import (
    Array,
    Attrs,
    Case,
    Context,
    OpRule,
    Out,
    Read,
    Recording,
    Term,
    Terms,
    live,
    normal,
    register,
    value,
)
from engine.ops.functions import FUNCTIONS
from engine.values import Op, Role, Value

LSTM_GATES, GRU_GATES = "ifgo", "rzn"


def sigmoid(z: Array) -> Array:
    return FUNCTIONS["sigmoid"].f(z, {})


def _factor(read: Read, v: Value, cell: tuple[int, ...]) -> tuple[str, tuple[int, ...], float]:
    return v.id, cell, float(read(v)[cell])


def _one(rule: str, factors: Sequence[tuple[str, tuple[int, ...], float]], x: float, engine: float, note: str,
         label: str = "") -> Terms:
    """A cell that one expression gives."""
    return Terms(rule, (Term(tuple(factors), x, label),), x, engine, note)


class Cell(OpRule):
    """What both kinds share. First output the state h (units, N), second the gates."""

    gates: str
    memory: bool
    """Whether a cell state c goes along; it is the third output."""

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        rows, n = ins[0].shape
        units = rows // len(self.gates)
        outs = (Out("h", ("F", "N"), (units, n)), Out("gates", ("F", "N"), (rows, n), role=Role.SAVED))
        return (*outs, Out("c", ("F", "N"), (units, n))) if self.memory else outs

    def cases(self) -> Iterable[Case]:
        for units, n in [(5, 7), (3, 33)]:
            rows = units * len(self.gates)
            yield Case(
                (value("u", "F N", (rows, n)), value("q", "F N", (rows, n)),
                 value("before", "F N", (units, n))),
                (normal(1, rows, n), normal(2, rows, n), normal(3, units, n)), {}, Context(n), f"{units}x{n}",
            )  # fmt: skip


@register
class LSTMCell(Cell):
    """ins u, q (4F, N), c before (F, N) -> h (F, N), gates (4F, N), c (F, N).

    i, f, o = σ(u + q), g = tanh(u + q); c = f ⊙ c before + i ⊙ g; h = o ⊙ tanh c.
    """

    kind = "lstm_cell"
    gates = LSTM_GATES
    memory = True

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        u, q, before = ins
        i, f, g, o = np.split(u + q, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * before + i * g
        return o * np.tanh(c), np.concatenate([i, f, g, o]), c

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        dh, _, dc = grads_out
        _, gates, c = op.outs
        assert dh is not None, "every state of a recurrence is read"
        ins = (dh, gates, op.ins[2], c, *([dc] if dc is not None else []))
        names = (rec.grad_name(op.ins[0]), rec.grad_name(op.ins[2]))
        da, before = rec.emit("lstm_cell_grad", ins, names, attrs=dict(op.attrs))
        return da, da, before

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        units = op.out.shape[0]
        row, s = cell
        engine = float(read(op.outs[out])[cell])
        gates, c = op.outs[1:]

        def gate(name: str) -> tuple[str, tuple[int, ...], float]:
            return _factor(read, gates, (self.gates.index(name) * units + row, s))

        if out == 1:
            name = self.gates[row // units]
            factors = [_factor(read, v, cell) for v in op.ins[:2]]
            z = np.array([factors[0][2] + factors[1][2]])
            x = float((np.tanh(z) if name == "g" else sigmoid(z))[0])
            sign = r"\tanh" if name == "g" else r"\sigma"
            return _one("function", factors, x, engine, rf"{name} = {sign}(u_{name} + q_{name})", name)
        if out == 2:
            old, (f, i, g) = _factor(read, op.ins[2], cell), (gate(k) for k in "fig")
            terms = (Term((f, old), f[2] * old[2], "kept"), Term((i, g), i[2] * g[2], "new"))
            return Terms.sum_of(terms, engine, r"c_t = f \odot c_{t-1} + i \odot g")
        o, now = gate("o"), _factor(read, c, cell)
        return _one("function", (o, now), o[2] * float(np.tanh(now[2])), engine, r"h_t = o \odot \tanh c_t")


@register
class LSTMCellGrad(OpRule):
    """ins dh (F, N), gates (4F, N), c before, c[, dc] (F, N) -> da (4F, N), dc before (F, N).

    da is the gradient of u and of q. dc is what the next position sends back; the last one has none.
    """

    kind = "lstm_cell_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        return (
            Out("da", ("F", "N"), ins[1].shape, role=Role.GRAD),
            Out("dc", ("F", "N"), ins[0].shape, role=Role.GRAD),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dh, gates, before, c = (live(x, ctx.n) for x in ins[:4])
        i, f, g, o = np.split(gates, 4)
        t = np.tanh(c)
        dc = dh * o * (1 - t * t)
        if len(ins) > 4:
            dc = ins[4] + dc
        da = [dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]
        return live(np.concatenate(da), ctx.n), live(dc * f, ctx.n)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        row, s = cell
        units = op.ins[0].shape[0]
        at = (row % units, s)
        (name_i, name_f, name_g, name_o) = (
            _factor(read, op.ins[1], (k * units + at[0], s)) for k in range(4)
        )
        i, f, g, o = name_i[2], name_f[2], name_g[2], name_o[2]
        dh, before, c = (_factor(read, op.ins[k], at) for k in (0, 2, 3))
        t = float(np.tanh(c[2]))
        which = LSTM_GATES[row // units] if out == 0 else "c"
        if which == "o":
            x = dh[2] * t * o * (1 - o)
            note = r"\delta_o = \delta_h \odot \tanh c \odot o (1 - o)"
            return _one("function", (dh, c, name_o), x, float(read(op.out)[cell]), note)
        slope, extra, note = {
            "i": (g * i * (1 - i), (name_i, name_g), r"\delta_i = \delta_c \odot g \odot i (1 - i)"),
            "f": (before[2] * f * (1 - f), (before, name_f),
                  r"\delta_f = \delta_c \odot c_{t-1} \odot f (1 - f)"),
            "g": (i * (1 - g * g), (name_i, name_g), r"\delta_g = \delta_c \odot i (1 - g^2)"),
            "c": (f, (name_f,), r"\partial L/\partial c_{t-1} = \delta_c \odot f"),
        }[which]  # fmt: skip
        terms = [Term((dh, name_o, c, *extra), dh[2] * o * (1 - t * t) * slope, "through h")]
        if len(op.ins) > 4:
            dc = _factor(read, op.ins[4], at)
            terms.insert(0, Term((dc, *extra), dc[2] * slope, "from later"))
        note += r", \quad \delta_c = \partial L/\partial c + \delta_h \odot o (1 - \tanh^2 c)"
        return Terms.sum_of(terms, float(read(op.outs[out])[cell]), note)

    def cases(self) -> Iterable[Case]:
        units, n, alive = 5, 7, 5
        arrays = [live(normal(1, units, n), alive), 0.3 * normal(2, 4 * units, n), normal(3, units, n),
                  normal(4, units, n), live(normal(5, units, n), alive)]  # fmt: skip
        ins = (value("dh", "F N", (units, n), Role.GRAD), value("gates", "F N", (4 * units, n)),
               value("before", "F N", (units, n)), value("c", "F N", (units, n)),
               value("dc", "F N", (units, n), Role.GRAD))  # fmt: skip
        yield Case(ins, tuple(arrays), {}, Context(alive), "5x7, 5 live")
        yield Case(ins[:4], tuple(arrays[:4]), {}, Context(alive), "the last")


@register
class GRUCell(Cell):
    """ins u, q (3F, N), h before (F, N) -> h (F, N), gates (3F, N).

    r, z = σ(u + q), n = tanh(u + r ⊙ q); h = (1 - z) ⊙ n + z ⊙ h before.
    """

    kind = "gru_cell"
    gates = GRU_GATES
    memory = False

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        (ur, uz, un), (qr, qz, qn) = (np.split(x, 3) for x in ins[:2])
        r, z = sigmoid(ur + qr), sigmoid(uz + qz)
        n = np.tanh(un + r * qn)
        return (1 - z) * n + z * ins[2], np.concatenate([r, z, n])

    def gradient(
        self, rec: Recording, op: Op, grads_out: Sequence[Value | None], wanted: Sequence[bool]
    ) -> Sequence[Value | None]:
        dh = grads_out[0]
        assert dh is not None, "every state of a recurrence is read"
        ins = (dh, op.outs[1], op.ins[1], op.ins[2])
        names = [rec.grad_name(v) for v in op.ins]
        return rec.emit("gru_cell_grad", ins, names, attrs=dict(op.attrs))

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        units = op.out.shape[0]
        row, s = cell
        engine, gates = float(read(op.outs[out])[cell]), op.outs[1]
        if out == 1:
            name = self.gates[row // units]
            u, q = (_factor(read, v, cell) for v in op.ins[:2])
            if name == "n":
                r = _factor(read, gates, (row - 2 * units, s))
                x = float(np.tanh(u[2] + r[2] * q[2]))
                return _one("function", (u, r, q), x, engine, r"n = \tanh(u_n + r \odot q_n)", name)
            x = float(sigmoid(np.array([u[2] + q[2]]))[0])
            return _one("function", (u, q), x, engine, rf"{name} = \sigma(u_{name} + q_{name})", name)
        z, n = (_factor(read, gates, (k * units + row, s)) for k in (1, 2))
        old = _factor(read, op.ins[2], cell)
        terms = (Term((z, n), (1 - z[2]) * n[2], "new"), Term((z, old), z[2] * old[2], "kept"))
        return Terms.sum_of(terms, engine, r"h_t = (1 - z) \odot n + z \odot h_{t-1}")


@register
class GRUCellGrad(OpRule):
    """ins dh (F, N), gates, q (3F, N), h before (F, N) -> du, dq (3F, N), what goes past the gates (F, N)."""

    kind = "gru_cell_grad"

    def infer(self, ins: Sequence[Value], attrs: Attrs) -> tuple[Out, ...]:
        wide = ins[1].shape
        return (
            Out("du", ("F", "N"), wide, role=Role.GRAD),
            Out("dq", ("F", "N"), wide, role=Role.GRAD),
            Out("dh", ("F", "N"), ins[0].shape, role=Role.GRAD),
        )

    def reference(self, ins: Sequence[Array], attrs: Attrs, ctx: Context) -> tuple[Array, ...]:
        dh, gates, q, before = (live(x, ctx.n) for x in ins)
        r, z, n = np.split(gates, 3)
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (before - n) * z * (1 - z)
        dr = dn * np.split(q, 3)[2] * r * (1 - r)
        outs = np.concatenate([dr, dz, dn]), np.concatenate([dr, dz, dn * r]), dh * z
        return tuple(live(x, ctx.n) for x in outs)

    def explain(self, op: Op, out: int, cell: tuple[int, ...], read: Read, ctx: Context) -> Terms:
        row, s = cell
        units = op.ins[0].shape[0]
        at, engine = (row % units, s), float(read(op.outs[out])[cell])
        fr, fz, fn = (_factor(read, op.ins[1], (k * units + at[0], s)) for k in range(3))
        dh, before = _factor(read, op.ins[0], at), _factor(read, op.ins[3], at)
        q = _factor(read, op.ins[2], (2 * units + at[0], s))
        r, z, n = fr[2], fz[2], fn[2]
        if out == 2:
            return _one("function", (dh, fz), dh[2] * z, engine, r"\delta_h \odot z")
        which = GRU_GATES[row // units]
        dn = dh[2] * (1 - z) * (1 - n * n)
        if which == "z":
            x = dh[2] * (before[2] - n) * z * (1 - z)
            note = r"\delta_z = \delta_h \odot (h_{t-1} - n) \odot z (1 - z)"
            return _one("function", (dh, before, fn, fz), x, engine, note)
        if which == "r":
            note = r"\delta_r = \delta_n \odot q_n \odot r (1 - r)"
            return _one("function", (dh, fz, fn, q, fr), dn * q[2] * r * (1 - r), engine, note)
        note = r"\delta_n = \delta_h \odot (1 - z) \odot (1 - n^2)"
        if out == 1:
            return _one("function", (dh, fz, fn, fr), dn * r, engine, rf"r \odot \delta_n, \quad {note}")
        return _one("function", (dh, fz, fn), dn, engine, note)

    def cases(self) -> Iterable[Case]:
        units, n, alive = 5, 7, 5
        yield Case(
            (value("dh", "F N", (units, n), Role.GRAD), value("gates", "F N", (3 * units, n)),
             value("q", "F N", (3 * units, n)), value("before", "F N", (units, n))),
            (live(normal(1, units, n), alive), 0.3 * normal(2, 3 * units, n), normal(3, 3 * units, n),
             normal(4, units, n)), {}, Context(alive), "5x7, 5 live",
        )  # fmt: skip
