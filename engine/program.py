"""Recording a drawn network into a program: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from engine.clipping import NORM
from engine.errors import N_, GraphError, Message
from engine.graph import GraphSpec, Uid
from engine.inference import infer
from engine.layers import Augment
from engine.layers.base import ParamSpec
from engine.losses import record_losses
from engine.optimizers import record_updates
from engine.outputs import leads_on
from engine.penalties import record_penalties
from engine.recorder import Recorder
from engine.settings import DataSpec, TrainingSpec
from engine.values import Mode, Phase, Program, Role, Value, state_id


def record(
    graph: GraphSpec,
    training: TrainingSpec,
    data: DataSpec,
    mode: Mode,
    capacity: int,
    locked: Collection[str] = (),
) -> Program:
    """Write the network as a flat list of ops.

    mode "train": one whole step. "gradients": without the update. "update": the update alone, gradients
    written from outside. "eval": forward with fixed statistics, loss and hits. "predict": forward only.
    `capacity` is the largest batch. With `data.count` > 0 (not in predict) the batch is gathered on the
    device from resident data `data.x`, `data.y` in the order `data.order` (`test.` for the test set); else
    `<input>.x` and `target` are written from outside. Parameters in `locked` ("<node>.<name>") are updated
    with a mask of cells that stay as they are. Raises GraphError, naming the first problem, when the
    network is not ready.
    """
    facts = infer(graph, training, data)
    problem = next((p for p in facts.problems if not p.warning), None)
    if problem is not None:
        where = graph.node(problem.node).name if problem.node else Message(N_("The network"))
        raise GraphError(N_("{layer}: {problem}"), layer=where, problem=problem.message)
    if mode == "predict":
        data = replace(data, count=0)
    train = mode in ("train", "gradients")
    rec = Recorder(capacity, train, data if data.count else None)
    parameters = _declare_state(rec, graph, facts.params)
    if mode == "update":
        for w in parameters:
            rec.node = w.owner
            rec.gradients[w.id] = rec.input(f"{w.owner}.{w.param}@grad", w.axes, w.shape, role=Role.GRAD)
        record_updates(rec, training, graph, parameters, locked)
        return _finish(rec, mode, {}, (), {})
    learnt = [w for w in parameters if not graph.node(w.owner).frozen]
    outputs: dict[str, Value] = {}
    # only what leads to an output is computed when training; the rest could not learn
    for uid in facts.order:
        node = graph.node(uid)
        if uid not in facts.shapes or not leads_on(graph, uid):
            continue
        rec.node = uid
        rec.phase = Phase.AUGMENT if isinstance(node.layer, Augment) else Phase.FORWARD
        inputs = [outputs[k.source] for k in graph.inputs_of(uid)]
        state = {s.name: rec.newest(_old(rec, node.owner, s.name)) for s in facts.params.get(node.owner, ())}
        outputs[uid] = node.layer.record(rec, inputs, state)
    losses: tuple[Value, ...] = ()
    metrics: dict[str, Value] = {}
    if mode != "predict":
        losses, metrics = record_losses(rec, graph, outputs, training, data, train)
        loss, added = record_penalties(rec, graph, parameters, losses[0], train)
        losses, metrics = (loss, *losses[1:]), {**metrics, **added}
    if train:
        rec.backward([w.id for w in parameters])
    if mode == "train":
        record_updates(rec, training, graph, learnt, locked)
        norm = next((op.out for op in rec.ops if op.kind == NORM), None)
        metrics |= {NORM: norm} if norm is not None else {}
    return _finish(rec, mode, outputs, losses, metrics)


def _declare_state(
    rec: Recorder, graph: GraphSpec, params: Mapping[Uid, tuple[ParamSpec, ...]]
) -> list[Value]:
    """Old values of all parameters and running statistics; returns the trained ones."""
    trained = []
    for node in graph.nodes:
        for s in params.get(node.uid, ()):
            axes = ("out", "in", *{4: ("kH", "kW"), 3: ("k",)}.get(len(s.shape), ()))[: len(s.shape)]
            v = rec.input(
                state_id(node.uid, s.name),
                axes,
                s.shape,
                role=Role.PARAM if s.trained else Role.STATE,
                owner=node.uid,
                param=s.name,
            )
            if s.trained:
                trained.append(v)
    return trained


def _old(rec: Recorder, owner: str, name: str) -> Value:
    return next(v for v in rec.inputs if v.id == state_id(owner, name))


def _finish(
    rec: Recorder, mode: Mode, outputs: dict[str, Value], losses: tuple[Value, ...], metrics: dict[str, Value]
) -> Program:
    ops = sorted(rec.ops, key=lambda op: op.phase)  # data first; penalties stand with the loss
    read = [*(v for op in rec.ops for v in op.ins), *outputs.values()]
    used = {v.view.base if v.view else v.id for v in read}
    inputs = tuple(v for v in rec.inputs if v.id in used or v.role in (Role.PARAM, Role.STATE))
    controls = {"n": float(rec.capacity), "pos": 0.0, "step": 0.0, **rec.controls}
    return Program(
        mode,
        rec.capacity,
        tuple(ops),
        inputs,
        outputs,
        losses,
        metrics,
        rec.commits() if mode in ("train", "update") else (),
        controls,
        dict(rec.gradients),
        any(v.id.endswith(".order") and v.axes == ("S",) for v in inputs),
    )
