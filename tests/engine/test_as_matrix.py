"""Convolution and pooling as matrices, against the ops' references."""

from __future__ import annotations

import numpy as np
import pytest

from engine.as_matrix import Form, form_of, is_named, named
from engine.as_matrix_terms import explain
from engine.ops.base import REGISTRY, Array, Context
from engine.values import Op, Program, Role, Value

RNG = np.random.default_rng(5)
EXAMPLE = 2


def value(id: str, shape: tuple[int, ...], role: Role = Role.ACT) -> Value:
    axes = ("out",) if len(shape) == 1 else ("C", "H", "W", "N")
    return Value(id, ("out", "in", "kH", "kW") if id == "k" else axes, shape, role=role)


class Made:
    """Forward and backward op of one case, with every array by its id."""

    def __init__(self, kind: str, c: int, o: int, size: tuple[int, int], kernel: tuple[int, int],
                 stride: tuple[int, int], padding: tuple[int, int, int, int], bias: bool = True,
                 **more: object) -> None:
        attrs = {"stride": stride, "padding": padding, "kernel": kernel, **more}
        x = RNG.standard_normal((c, *size, 4)).astype(np.float32)
        slides = kind in ("conv2d", "conv_transpose2d")
        if kind == "conv_transpose2d":  # of the convolution that makes x's picture this one's maps
            k = np.zeros((o, c // int(more.get("groups", 1)), *kernel))  # type: ignore[call-overload]
            (maps,) = REGISTRY["conv2d"].reference([k, x], attrs, Context(4))
            x = RNG.standard_normal(maps.shape).astype(np.float32)
            attrs |= {"height": size[0], "width": size[1]}
        self.arrays: dict[str, Array] = {"x": x}
        ins = [value("x", x.shape)]
        if slides:
            shape = (o, c // int(more.get("groups", 1)), *kernel)  # type: ignore[call-overload]
            self.arrays["k"] = RNG.standard_normal(shape).astype(np.float32)
            ins = [value("k", self.arrays["k"].shape, Role.PARAM), *ins]
            if bias:
                outs = c if kind == "conv_transpose2d" else o
                self.arrays["b"] = RNG.standard_normal(outs).astype(np.float32)
                ins.append(value("b", (outs,), Role.PARAM))
        outs = REGISTRY[kind].reference([self.arrays[v.id] for v in ins], attrs, Context(4))
        names = ("y", "where")[: len(outs)]
        self.arrays |= dict(zip(names, outs, strict=True))
        forward = Op(kind, tuple(ins), tuple(value(n, self.arrays[n].shape) for n in names), attrs)
        d = RNG.standard_normal(outs[0].shape).astype(np.float32)
        self.arrays["d"] = d
        back_ins = [value("d", d.shape, Role.GRAD)]
        if slides:
            back_ins = [ins[0], *back_ins]
        if kind == "maxpool2d":
            back_ins.append(forward.outs[1])
        more = {**attrs, "height": size[0], "width": size[1]}
        (dx,) = REGISTRY[f"{kind}_dx"].reference([self.arrays[v.id] for v in back_ins], more, Context(4))
        self.arrays["dx"] = dx
        back = Op(f"{kind}_dx", tuple(back_ins), (value("dx", dx.shape, Role.GRAD),), more)
        self.program = Program("train", 4, (forward, back), tuple(ins), {})

    def form(self, out: str, channel: int | None) -> Form:
        found = form_of(self.program, out, channel, EXAMPLE)
        assert found is not None
        return found

    def read(self, id: str) -> Array:
        return self.arrays[id]


def random_case(kind: str, seed: int) -> Made:
    rng = np.random.default_rng(seed)
    kernel = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    size = (int(rng.integers(3, 8)), int(rng.integers(3, 8)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    # a window never lies in the padding alone, as in every layer that makes sense
    padding = tuple(int(rng.integers(0, k)) for k in (*kernel, *kernel))
    c, o = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    more: dict[str, object] = {}
    if kind.startswith("conv") and seed % 3 == 0:  # dilation, groups, both
        more = ({"dilation": (2, 1)}, {"groups": 2}, {"groups": 2, "dilation": (1, 2)})[seed // 3 % 3]
        size, c, o = (size[0] + 3, size[1] + 3), 2 * c, 2 * o
    return Made(kind, c, o, size, kernel, stride, padding, bool(seed % 2), **more)  # type: ignore[arg-type]


def own(made: Made, form: Form) -> Array:
    """The op's own result as a column."""
    array = made.arrays[form.op.out.id]
    part = array if form.channel is None else array[form.channel : form.channel + 1]
    return part[..., EXAMPLE].reshape(-1, 1)


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d", "avgpool2d", "maxpool2d"])
@pytest.mark.parametrize("seed", range(12))
def test_the_matrix_times_the_column_is_what_the_op_makes(kind: str, seed: int) -> None:
    made = random_case(kind, seed)
    for out in ("y", "dx"):
        for channel in (None, 0, 1):
            form = made.form(out, channel)
            m, x = form.matrix(made.read).dense(), form.array("in", made.read)
            product = (m.T if form.back else m).astype(np.float64) @ x
            if form.biased:
                product = product + form.array("bias", made.read)
            np.testing.assert_allclose(product, own(made, form), atol=2e-5)
            np.testing.assert_allclose(form.array("out", made.read), product, atol=2e-6)
            assert np.abs(form.array("off", made.read)).max() < 2e-5
            assert m.shape == form.shape and not m[form.empty((0, m.shape[0]), (0, m.shape[1]))].any()
            assert np.count_nonzero(m) <= len(form.places()[0]) <= form.work


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d", "avgpool2d", "maxpool2d"])
def test_cells_are_opened_and_places_lead_back(kind: str) -> None:
    made = random_case(kind, 7)
    for out in ("y", "dx"):
        form = made.form(out, 1)
        m = form.matrix(made.read).dense()
        product = form.array("out", made.read)
        for at in {0, len(product) // 2, len(product) - 1}:
            terms = explain(form, "out", (at, 0), made.read)
            assert terms.engine == product[at, 0] and abs(terms.difference) < 1e-5
            for term in terms.terms:
                numbers = []
                for name, cell, number in term.factors:
                    found = named(made.program, name)
                    assert found is not None and found[0] == form
                    array = m if found[1] == "matrix" else form.array(found[1], made.read)
                    assert array[cell] == np.float32(number)
                    numbers.append(number)
                assert term.value == pytest.approx(np.prod(numbers))
        rng = np.random.default_rng(0)
        for row, column in zip(rng.integers(0, m.shape[0], 30), rng.integers(0, m.shape[1], 30), strict=True):
            cell = (int(row), int(column))
            assert explain(form, "matrix", cell, made.read).total == m[cell]
            assert form.row_of(form.cell_of_row(cell[0])) == row
            assert form.column_of(form.cell_of_column(cell[1])) == column
            top, left, height, width = form.window(cell[0])
            _, y, x, _ = form.cell_of_column(cell[1])
            if m[cell]:
                assert top <= y < top + height and left <= x < left + width


def test_average_pooling_of_4x4_is_4x16() -> None:
    form = Made("avgpool2d", 1, 1, (4, 4), (2, 2), (2, 2), (0, 0, 0, 0)).form("y", None)
    made = np.zeros((4, 16))
    for row, corner in enumerate((0, 2, 8, 10)):
        made[row, [corner, corner + 1, corner + 4, corner + 5]] = 0.25
    np.testing.assert_array_equal(form.matrix({}.__getitem__).dense(), made)


def test_max_pooling_chooses_for_every_example_and_is_not_linear() -> None:
    case = Made("maxpool2d", 1, 1, (4, 4), (2, 2), (2, 2), (0, 0, 0, 0))
    matrices = [form_of(case.program, "y", 0, e) for e in range(4)]
    dense = [f.matrix(case.read).dense() for f in matrices if f is not None]
    assert all((m.sum(1) == 1).all() for m in dense)
    assert any((m != dense[0]).any() for m in dense[1:])


def test_what_is_not_a_number_stays_in_its_windows() -> None:
    case = Made("conv2d", 1, 1, (5, 5), (3, 3), (1, 1), (1, 1, 1, 1))
    case.arrays["x"][0, 0, 0, EXAMPLE] = np.nan
    case.arrays["y"], = REGISTRY["conv2d"].reference(
        [case.arrays[n] for n in ("k", "x", "b")], case.program.ops[0].attrs, Context(4))  # fmt: skip
    form = case.form("y", 0)
    assert np.isnan(form.array("out", case.read)).sum() == 4
    assert np.abs(form.array("off", case.read)).max() < 1e-5
    case.arrays["y"][0, 4, 4, EXAMPLE] = np.inf
    assert np.abs(form.array("off", case.read)).max() > 1e30


def test_means_of_a_large_matrix_are_those_of_all_its_cells() -> None:
    case = Made("conv2d", 2, 3, (9, 7), (3, 3), (1, 1), (1, 1, 1, 1))
    sparse = case.form("y", None).matrix(case.read)
    dense = sparse.dense()
    np.testing.assert_array_equal(sparse.means((4, 90), (3, 60), (1, 1)), dense[4:90, 3:60])
    small = sparse.means((0, dense.shape[0]), (0, dense.shape[1]), (5, 4))
    np.testing.assert_allclose(small[0, 0], dense[:5, :4].mean(), rtol=1e-5)
    last = dense[small.shape[0] * 5 - 5 :, small.shape[1] * 4 - 4 :]
    np.testing.assert_allclose(small[-1, -1], last.mean(), rtol=1e-5)


def test_names_and_what_is_too_large() -> None:
    case = random_case("conv2d", 3)
    form = case.form("y", 0)
    assert is_named(form.name("matrix")) and not is_named("conv1.z@grad")
    assert named(case.program, form.name("in")) == (form, "in")
    assert named(case.program, "k~matrix:0:0") is None and named(case.program, "gone~in:*:1") is None
    extended = form.extended(case.program)
    assert extended.ops[-1].out.id == form.name("out") and form.name("matrix") in extended.values
    k, x, z = value("k", (64, 64, 5, 5)), value("x", (64, 64, 64, 4)), value("y", (64, 64, 64, 4))
    op = Op("conv2d", (k, x), (z,), {"stride": (1, 1), "padding": (2, 2, 2, 2)})
    large = Program("train", 4, (op,), (k, x), {})
    assert named(large, "y~matrix:0:0") is None


def test_along_a_sequence_cells_are_those_of_the_sequence() -> None:
    attrs = {"stride": 1, "padding": (4, 0), "dilation": 2, "groups": 2}
    shapes = {"k": (4, 3, 3), "x": (6, 7, 4), "d": (4, 7, 4), "b": (4,)}
    arrays = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    k = Value("k", ("out", "in", "k"), (4, 3, 3), role=Role.PARAM)
    b = Value("b", ("out",), (4,), role=Role.PARAM)
    x, y, d, dx = (Value(n, ("F", "T", "N"), (c, 7, 4)) for n, c in (("x", 6), ("y", 4), ("d", 4), ("dx", 6)))
    ops = (Op("conv1d", (k, x, b), (y,), attrs), Op("conv1d_dx", (k, d), (dx,), {**attrs, "length": 7}))
    for op in ops:
        ins = [arrays[v.id] for v in op.ins]
        (arrays[op.out.id],) = REGISTRY[op.kind].reference(ins, op.attrs, Context(4))
    program = Program("train", 4, ops, (k, x, b), {})
    for out, shape in (("y", (7, 21)), ("dx", (14, 7))):
        form = form_of(program, out, 2, EXAMPLE)
        assert form is not None and form.shape == shape
        assert np.abs(form.array("off", arrays.__getitem__)).max() < 2e-6
        made = form.column("out", arrays.__getitem__)
        np.testing.assert_allclose(made, arrays[out][2, :, EXAMPLE], atol=1e-5)
        rows, columns, _ = form.line()
        for r, c in zip(rows[::5].tolist(), columns[::5].tolist(), strict=True):
            row, column = form.cell_of_row(r), form.cell_of_column(c)
            assert (form.row_of(row), form.column_of(column)) == (r, c) and len(row) == len(column) == 3
            (term,) = explain(form, "matrix", (r, c), arrays.__getitem__).terms
            (name, cell, number), = term.factors
            assert name == "k" and arrays["k"][cell] == np.float32(number)
            assert cell == (row[0], column[0] % 3, (column[1] - row[1] + 4) // 2)
