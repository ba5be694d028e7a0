"""A person's own network as work: its training step, its answer, and the same network in other sizes.

It is computed with start weights and made-up examples of the person's shapes: neither changes what a step
costs, and nothing of the run is touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from engine.errors import N_, GraphError
from engine.graph import GraphSpec
from engine.inference import infer
from engine.initializers import initialize
from engine.optimizers import step_controls
from engine.program import record
from engine.project import graph_from_plain, graph_to_plain
from engine.settings import DataSpec, TrainingSpec
from engine.values import Mode, Op, Program, Role

Array = np.ndarray[Any, Any]
MOST_DATA = 1 << 28
"""Bytes of made-up examples that are laid on a device."""
WIDTHS = {
    **dict.fromkeys(("dense", "simple_rnn", "gru", "lstm"), "units"),
    **dict.fromkeys(("conv1d", "conv2d", "conv_transpose2d"), "filters"), "embedding": "width",
}  # fmt: skip
"""Kinds of layers that can be made wider, and the setting that says how wide."""


@dataclass(frozen=True)
class Net:
    """A network that can run, its settings, and what its examples look like."""

    graph: GraphSpec
    training: TrainingSpec
    data: DataSpec

    def plain(self) -> dict[str, Any]:
        """As JSON, for another process."""
        training = {k: getattr(self.training, k) for k in TrainingSpec.settings()}
        return {"graph": graph_to_plain(self.graph), "training": training, "data": asdict(self.data)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Net:
        graph, _ = graph_from_plain(plain["graph"], "network")
        lists = {k: tuple(plain["data"][k]) for k in ("shape", "counts")}
        data = DataSpec(**{**plain["data"], **lists})
        return cls(graph, TrainingSpec(**plain["training"]), data)

    def with_batch(self, batch: int) -> Net:
        return replace(self, training=replace(self.training, batch=batch))

    def scaled(self, factor: float) -> Net:
        """All hidden layers wider or narrower by this factor. Raises GraphError when that does not fit."""
        fixed = self._fixed()
        graph = self.graph
        for node in graph.nodes:
            field = WIDTHS.get(node.layer.kind)
            if node.uid in fixed or field is None:
                continue
            wide = max(1, round(getattr(node.layer, field) * factor))
            graph = graph.replace_node(node.uid, layer=replace(node.layer, **{field: wide}))
        facts = infer(graph, self.training, self.data)
        if not facts.ready:
            raise GraphError(
                N_("This network cannot be made wider or narrower: its branches need these sizes.")
            )
        return replace(self, graph=graph)

    def _fixed(self) -> frozenset[str]:
        """The layers whose size something behind them sets: an answer, a shape, the numbers of a matrix."""
        found: set[str] = set()
        todo = [link.source for link in self.graph.links
                if (kind := self.graph.node(link.target).layer.kind) in ("output", "reshape")
                or (kind, link.port) == ("spatial_transformer", 1)]  # fmt: skip
        while todo:
            node = self.graph.node(todo.pop())
            if node.layer.kind in WIDTHS:
                found.add(node.uid)
            else:
                todo += [k.source for k in self.graph.inputs_of(node.uid)]
        return frozenset(found)

    @property
    def weights(self) -> int:
        """Trained numbers."""
        return infer(self.graph, self.training, self.data).parameter_count

    def program(self, mode: Mode, batch: int, examples: int = 0) -> Program:
        """Recorded for `batch` examples that are written in, or gathered from `examples` that lie there."""
        data = replace(self.data, count=examples, dtype="f32", scale=1.0, shift=0.0)
        # a lone example is timed like any other batch, though it teaches nothing under batch norm
        training = replace(self.training, batch=max(2, self.training.batch))
        return record(self.graph, training, data, mode, batch)

    def start(self, program: Program) -> dict[str, Array]:
        """Start weights; moments are zero."""
        state = {f"{v.owner}.{v.param}": np.zeros(v.shape, np.float32) for v in program.state()}
        for uid, specs in infer(self.graph, self.training, self.data).params.items():
            for s in specs:
                if f"{uid}.{s.name}" in state:
                    state[f"{uid}.{s.name}"] = initialize(s, self.training.seed, uid)
        return state

    def examples(self, count: int) -> tuple[Array, Array]:
        """Made-up inputs (count, ...) in 0..1, or tokens, and targets: class numbers, or (count, width)."""
        need = 4 * count * math.prod(self.data.shape)
        if need > MOST_DATA:
            raise GraphError(
                N_("These sizes need {need} MB; choose smaller ones, up to {most} MB are measured."),
                need=need >> 20,
                most=MOST_DATA >> 20,
            )
        rng = np.random.default_rng(7)
        shape = (count, *self.data.shape)
        x = rng.random(shape, dtype=np.float32)
        if self.data.tokens:
            x = rng.integers(0, self.data.tokens, shape).astype(np.float32)
        if self.data.classes:
            return x, rng.integers(0, self.data.classes, count).astype(np.int32)
        return x, rng.random((count, self.data.target_width), dtype=np.float32)

    def controls(self, step: int, n: int) -> dict[str, float]:
        """The controls of a step, counted from 0."""
        return {"n": n, "step": step, "pos": 0, **step_controls(self.training.controls(), step + 1)}


PRODUCTS = tuple(f"{kind}{end}" for kind in ("dense", "conv2d", "conv_transpose2d", "conv1d")
                 for end in ("", "_dx", "_dw"))


def flops_of(op: Op) -> float:
    """Two operations for each multiplication of a product or convolution by its definition; else 0."""
    if op.kind == "heads_scores":
        return 2.0 * op.out.size * op.ins[0].shape[0] / int(str(op.attrs["heads"]))
    if op.kind == "heads_mix":
        return 2.0 * op.out.size * op.ins[1].shape[1]
    if op.kind not in PRODUCTS:
        return 0.0
    weights = next(v for v in (*op.ins, *op.outs) if not v.batched and len(v.shape) > 1)
    # each weight meets every place of the maps that come out of the layer, on the way there and back
    far = op.ins[1] if op.kind.endswith("_dx") else op.ins[0] if op.kind.endswith("_dw") else op.out
    if op.kind.startswith("conv_transpose2d"):  # it meets those of the maps that go in
        far = op.out if op.kind.endswith("_dx") else op.ins[not op.kind.endswith("_dw")]
    return 2.0 * weights.size * math.prod(far.shape[1:-1]) * far.shape[-1]


def flops(program: Program) -> float:
    """Operations of all products and convolutions of a program; what is done cell by cell is not counted."""
    return sum(flops_of(op) for op in program.ops)


def input_id(program: Program) -> str:
    """The id of the batch that is written from outside."""
    return next(v.id for v in program.inputs if v.role is Role.INPUT and v.id != "target")
