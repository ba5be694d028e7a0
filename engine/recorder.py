"""Recording: layers and the loss write ops; the backward half comes from each op's gradient rule."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from engine.ops.base import REGISTRY
from engine.settings import DataSpec
from engine.values import Axes, DType, Op, Phase, Role, Uid, Value, View, grad_id


class Recorder:
    """Collects the ops of one program. Layers see `emit` and `view`; `backward` walks the list back."""

    def __init__(self, capacity: int, train: bool, data: DataSpec | None = None) -> None:
        self.capacity = capacity
        self.train = train
        self.ops: list[Op] = []
        self.inputs: list[Value] = []
        self.gradients: dict[str, Value] = {}
        self.controls: dict[str, float] = {}
        self.node: Uid = ""
        self.phase = Phase.FORWARD
        self._ids: set[str] = set()
        self._by_id: dict[str, Value] = {}
        self._partials: dict[str, list[Value]] = {}
        self._viewed: dict[str, Value] = {}  # view id -> the value it was made from
        self._latest: dict[str, Value] = {}  # old state id -> its newest version
        self._uses: dict[tuple[str, Uid], list[tuple[Op, Value]]] = {}
        self._data: DataSpec | None = data

    # ---- writing ops --------------------------------------------------------------------------------

    def input(
        self,
        id: str,
        axes: Axes,
        shape: tuple[int, ...],
        dtype: DType = "f32",
        role: Role = Role.INPUT,
        owner: Uid = "",
        param: str = "",
    ) -> Value:
        """A value written from outside before the step; asking twice gives the same one."""
        if id in self._by_id:
            return self._by_id[id]
        v = self._new(Value(id, axes, shape, dtype, role, owner or self.node, param))
        self.inputs.append(v)
        return v

    def emit(
        self,
        kind: str,
        ins: Sequence[Value],
        names: Sequence[str] | str = (),
        *,
        attrs: dict[str, Hashable] | None = None,
        controls: Sequence[str] = (),
        stream: str | None = None,
        role: Role | None = None,
    ) -> tuple[Value, ...]:
        """Append an op and return its outputs.

        `names` gives ids to the outputs, in order ("" or missing: `<node>.<name from the rule>`);
        a name with a dot or @ is a whole id.
        """
        rule = REGISTRY[kind]
        attrs = dict(attrs or {})
        wanted = [names] if isinstance(names, str) else list(names)
        outs = []
        for i, o in enumerate(rule.infer(ins, attrs)):
            name = (wanted[i] if i < len(wanted) else "") or o.name
            id = name if "." in name or "@" in name else f"{self.node}.{name}"
            outs.append(self._new(Value(id, o.axes, o.shape, o.dtype, role or o.role, self.node)))
        controls = (*rule.controls, *controls)
        self.ops.append(Op(kind, tuple(ins), tuple(outs), attrs, self.node, self.phase, controls, stream))
        return tuple(outs)

    def emit1(self, kind: str, ins: Sequence[Value], name: str = "", **more: object) -> Value:
        """`emit` for ops with one output."""
        return self.emit(kind, ins, name, **more)[0]  # type: ignore[arg-type]

    def view(self, value: Value, name: str, axes: Axes, shape: tuple[int, ...], offset: int = 0) -> Value:
        """A view of `value` (or of what it views), `offset` feature rows in."""
        base, more = (value.view.base, value.view.offset) if value.view else (value.id, 0)
        id = name if "." in name or "@" in name else f"{self.node}.{name}"
        return self._new(
            Value(id, axes, shape, value.dtype, value.role, self.node, view=View(base, more + offset)),
            viewed=value,
        )

    def control(self, name: str, value: float) -> str:
        """Declare a control with its value at the start."""
        self.controls[name] = value
        return name

    def _new(self, v: Value, viewed: Value | None = None) -> Value:
        id, number = v.id, 2
        while id in self._ids:
            id, number = f"{v.id}~{number}", number + 1
        if id != v.id:
            v = Value(id, v.axes, v.shape, v.dtype, v.role, v.owner, v.param, v.view)
        self._ids.add(id)
        self._by_id[id] = v
        if viewed is not None:
            self._viewed[id] = viewed
        return v

    def advance(self, old: Value, new: Value) -> None:
        """Say that `new` is the next version of a parameter or state; committed when the step ends."""
        root = next((k for k, v in self._latest.items() if v.id == old.id), old.id)
        self._latest[root] = new

    def newest(self, old: Value) -> Value:
        """The newest version of a state within this step (a shared layer advances it more than once)."""
        return self._latest.get(old.id, old)

    def commits(self) -> tuple[tuple[Value, Value], ...]:
        """(old, new) of everything that advanced."""
        return tuple((self._by_id[k], v) for k, v in self._latest.items())

    def batch_input(self, shape: tuple[int, ...]) -> Value:
        """The batch X of one input node: gathered from resident data, or written from outside."""
        axes: Axes = ("F", "N") if len(shape) == 1 else ("C", "H", "W", "N")
        if self._data is None:
            return self.input(f"{self.node}.x", axes, (*shape, self.capacity))
        d = self._data
        self.phase, before = Phase.AUGMENT, self.phase
        source = self.input(
            f"{d.source}.x", ("S", *axes[:-1]), (d.count, *shape), "u8" if d.dtype == "u8" else "f32"
        )
        order = self.input(f"{d.source}.order", ("S",), (d.count,), "i32")
        x = self.emit1(
            "gather",
            (source, order),
            "x",
            attrs={"scale": d.scale, "shift": d.shift, "capacity": self.capacity, "axes": axes},
        )
        self.phase = before
        return x

    # ---- the backward half --------------------------------------------------------------------------

    def contribute(self, value: Value, grad: Value) -> None:
        """Add a contribution to dL/d(value); contributions are summed in the order they arrive."""
        self._partials.setdefault(value.id, []).append(grad)

    def backward(self, wanted: Sequence[str]) -> None:
        """Record gradients for every value on a path to `wanted` (ids), from contributions made so far."""
        self.phase = Phase.BACKWARD
        forward = [op for op in self.ops if op.phase == Phase.FORWARD]
        needs = self._needing(forward, set(wanted))
        # a view made after an op is undone before it: walk ops and views in the order they were made
        order = list(self._by_id)
        position = {id: i for i, id in enumerate(order)}
        events: list[tuple[int, Op | Value]] = [(position[op.outs[0].id], op) for op in forward]
        events += [
            (position[id], self._by_id[id]) for id in self._viewed if self._by_id[id].role is not Role.GRAD
        ]
        for _, event in sorted(events, key=lambda e: -e[0]):
            if isinstance(event, Op):
                self._backward_op(event, needs)
            elif event.id in needs and event.id in self._partials:
                base = self._viewed[event.id]
                grad = self.gradient_of(event)
                self.node = base.owner
                self.contribute(base, self.view(grad, self.grad_name(base), base.axes, base.shape))
        self._join_uses()
        for id in wanted:
            if id in self._partials:
                self.gradient_of(self._by_id[id])

    def use(self, op: Op, delta: Value) -> None:
        """Note δ of a product at one position of a recurrence: dW is one product over all of them."""
        self._uses.setdefault((op.ins[0].id, op.node), []).append((op, delta))

    def _join_uses(self) -> None:
        """dW and db of recurrences: summed over positions and examples in one product, in order of time."""
        for (_, node), noted in self._uses.items():
            self.node, uses = node, noted[::-1]  # the way back met the last position first
            w, *bias = (v for i, v in enumerate(uses[0][0].ins) if i != 1)
            delta = self._stacked([d for _, d in uses])
            states = self._stacked([op.ins[1] for op, _ in uses])
            self.contribute(w, self.emit1("dense_dw", (delta, states), self._sum_name(w)))
            for b in bias:
                self.contribute(b, self.emit1("sum_samples", (delta,), self._sum_name(b)))

    def _stacked(self, parts: Sequence[Value]) -> Value:
        """These values as one sequence, which the way back may have made already."""
        made = (op.out for op in self.ops if op.kind == "stack_time" and op.ins == tuple(parts))
        return next(made, None) or self.emit1("stack_time", parts, f"{parts[0].id}/all")

    def _sum_name(self, weight: Value) -> str:
        """As `grad_name`, of a weight that one node reads at every position."""
        before = len(self._partials.get(weight.id, ()))
        alone = sum(weight in uses[0][0].ins for uses in self._uses.values()) <= 1
        return grad_id(weight.id) if alone else f"{grad_id(weight.id)}/{before}"

    def _needing(self, forward: list[Op], wanted: set[str]) -> set[str]:
        """Ids of values that depend on a wanted value, the wanted included."""
        needs = set(wanted)
        changed = True
        while changed:
            changed = False
            for op in forward:
                if any(v.id in needs for v in op.ins):
                    for v in op.outs:
                        changed |= v.id not in needs
                        needs.add(v.id)
            for id, base in self._viewed.items():
                if base.id in needs and id not in needs:
                    changed = True
                    needs.add(id)
        return needs

    def _backward_op(self, op: Op, needs: set[str]) -> None:
        flags = [v.id in needs for v in op.ins]
        if not any(flags) or not any(v.id in self._partials for v in op.outs):
            return
        grads = [self.gradient_of(v) if v.id in self._partials else None for v in op.outs]
        self.node = op.node
        for v, wanted, grad in zip(
            op.ins, flags, REGISTRY[op.kind].gradient(self, op, grads, flags), strict=True
        ):
            if wanted and grad is not None:
                self.contribute(v, grad)

    def gradient_of(self, value: Value) -> Value:
        """dL/d(value), summing the contributions the first time it is asked for."""
        if value.id in self.gradients:
            return self.gradients[value.id]
        parts = self._partials[value.id]
        if len(parts) == 1:
            total = parts[0]
        else:
            self.node = value.owner
            maker = next((op for op in self.ops if value in op.outs), None)
            place = {k: v for k, v in maker.attrs.items() if k in ("t", "length")} if maker else {}
            total = self.emit1("add", parts, grad_id(value.id), role=Role.GRAD, attrs=place)
        self.gradients[value.id] = total
        return total

    def grad_name(self, value: Value) -> str:
        """Id for a contribution to dL/d(value): the complete gradient's own id when it is the only one."""
        readers = sum(v.id == value.id for op in self.ops if op.phase == Phase.FORWARD for v in op.ins)
        readers += sum(b.id == value.id for b in self._viewed.values())
        readers += sum(v.id == value.id for op in self.ops if op.phase == Phase.LOSS for v in op.ins)
        return (
            grad_id(value.id)
            if readers <= 1
            else f"{grad_id(value.id)}/{len(self._partials.get(value.id, ()))}"
        )
