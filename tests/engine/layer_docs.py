"""docs/layers.md from the layers' own declarations and the engine's own numbers: `tasks.py docs` writes it.

The example of a layer is the first small input that fits it (or one that shows more of it), three times: the
layer behind a PReLU of slope 1, so that the gradient of its input is wanted too, and the mean squared error
behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import GraphError
from engine.fields import Setting
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import LAYERS, Dense, Embedding, Flatten, Input, Layer, Output, PReLU
from engine.layers.base import Shape, elements, shape_text
from engine.network import Network
from engine.ops.base import REGISTRY, Array, context_for
from engine.settings import LOSS_CHOICES, TrainingSpec
from engine.values import Op, Phase, Role

HEAD = """# Layers

Written by `python3 tasks.py docs` from the classes in `engine/layers` and the rules in `engine/ops`; a test
compares. The numbers of the examples are the engine's (NumPy). In a matrix of vectors the columns are
examples; of sequences and pictures the first example is shown. dL/d is the gradient of the mean squared error
to a target of zeros with a 1 in every third place. What is random is that of the first step with seed 1.
"""
NUMBERS = (1.0, -2.0, 0.5, 3.0, -1.0, 2.0, -0.5, 1.5, -3.0)
SHAPES: tuple[Shape, ...] = ((3,), (4,), (2,), (1, 3, 3), (2, 2))
"""A vector, one that can be halved, a point, a picture, a sequence (features × positions)."""
EXAMPLES = 3
BETTER: dict[str, Shape] = {
    "flatten": (2, 2, 2), "global_max_pool": (2, 2, 2), "global_avg_pool": (2, 2, 2),
    "permute": (2, 1, 3), "group_norm": (6,), "spatial_dropout": (4, 1, 2), "concatenate": (2,),
}  # fmt: skip
"""Inputs that show what a layer does, where the first that fits does not."""
SMALL: dict[str, Any] = {
    "units": 2, "filters": 1, "kernel": (2, 2), "conv1d.kernel": 2, "heads": 1, "groups": 1,
    "group_norm.groups": 2, "vocabulary": 5, "width": 2, "reshape.shape": (2, 2, 1), "input.shape": (3,),
    "affine_warp.angle": 90.0, "affine_warp.trained": True, "spatial_dropout.rate": 0.75,
    "augment.shift": 1.0, "input_features.sin_x": True,
}  # fmt: skip
"""Settings of the examples where the default is large, fits nothing, or shows little."""


def document() -> str:
    """The whole page."""
    parts = [HEAD]
    for category in dict.fromkeys(cls.category for cls in LAYERS.values()):
        kinds = [cls for cls in LAYERS.values() if cls.category == category]
        names = ", ".join(f"[{c.label}](#{_anchor(c.label)})" for c in kinds)
        parts.append(f"- {category}: {names}")
    parts += ["- what is made small: [Losses](#losses)", ""]
    for cls in LAYERS.values():
        parts += [*_layer(cls), ""]
    return "\n".join([*parts, *_losses(), ""])


def _anchor(label: str) -> str:
    return label.lower().replace(" ", "-")


def _layer(cls: type[Layer]) -> list[str]:
    lines = [f"## {cls.label}", "", cls.help, "", f"$${cls.formula}$$", ""]
    if cls.settings():
        lines += ["| Setting | | Default | Range |", "|---|---|---|---|"]
        for name, (facts, default) in cls.settings().items():
            lines.append(f"| `{name}` | {facts.help} | {_plain(default)} | {_range(facts)} |")
        lines.append("")
    net = example(cls)
    if net is None:
        return lines[:-1]
    return [*lines, *_numbers(cls, net)]


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " × ".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else f"{value}"


def _choice(value: str, label: str) -> str:
    """The value, with its label where that says more."""
    same = value.replace("_", "") == label.lower().replace(" ", "").replace("-", "")
    return value if same or label in value or value in label else f"{value} ({label})"


def _range(facts: Setting) -> str:
    if facts.kind == "choice":
        return ", ".join(_choice(value, label) for value, label in facts.choices)
    if facts.minimum is None and facts.maximum is None:
        return "yes, no" if facts.kind == "bool" else ""
    unit = f" {facts.unit}" if facts.unit else ""
    return f"{facts.minimum:g} to {facts.maximum:g}{unit}" if facts.maximum is not None else ""


def _losses() -> Iterator[str]:
    """What an output may make small: the formulas of a cell, and what goes back."""
    yield from ("## Losses", "")
    for kind, label in LOSS_CHOICES:
        graph = GraphSpec().add("x", Input((2,))).add("z", Dense(2), after="x")
        graph = graph.add("out", Output(), after="z")
        net = Network(graph, TrainingSpec(kind, "sgd"), batch=2, classes=2)
        net.step(np.ones((2, 2), np.float32), np.array([0, 1]))
        rules = [rule for phase in (Phase.LOSS, Phase.BACKWARD) for rule in _rules(net, phase, "out")]
        yield f"- {label} (`{kind}`): " + "; ".join(rule for rule in rules if "$" in rule)


# ---- the example ------------------------------------------------------------------------------------


def example(cls: type[Layer]) -> Network | None:
    """The network of the example after one step, None for what has no example (input and output)."""
    if cls.kind in ("input", "output"):
        return None
    given = {}
    for name in cls.settings():
        small = SMALL.get(f"{cls.kind}.{name}", SMALL.get(name))
        if small is not None:
            given[name] = small
    for shape in (BETTER[cls.kind],) if cls.kind in BETTER else SHAPES:
        try:
            graph = _graph(cls(**given), shape)
            if not infer(graph).ready:
                continue
        except GraphError:
            continue
        return _stepped(graph)
    raise AssertionError(f"no example fits {cls.kind}: add to SMALL or SHAPES")


def _graph(layer: Layer, shape: Shape) -> GraphSpec:
    sequence = len(shape) == 2
    g = GraphSpec().add("data", Input(shape[1:] if sequence else shape))
    before = "data"
    if layer.on_data:
        return _closed(g.add("layer", layer, after=before))
    if sequence:
        g, before = g.add("table", Embedding(5, shape[0]), after=before), "table"
    g = g.add("x", PReLU(), after=before)
    ins = ["x"]
    if layer.many_inputs or len(layer.ports) > 1:
        g = g.add("x2", PReLU(), after=before)
        ins.append("x2")
    if layer.kind == "spatial_transformer":
        g = g.add("flat", Flatten(), after="x2").add("six", Dense(6), after="flat")
        ins[1] = "six"
    return _closed(g.add("layer", layer, after=ins))


def _closed(g: GraphSpec) -> GraphSpec:
    return g.add("all", Flatten(), after="layer").add("out", Output(), after="all")


def _stepped(graph: GraphSpec) -> Network:
    net = Network(graph, TrainingSpec("mse", "sgd", 0.1), batch=EXAMPLES)
    weights: dict[str, Array] = {}
    for uid, specs in infer(graph).params.items():
        for s in specs:
            if uid == "x":
                weights[f"{uid}.{s.name}"] = np.ones(s.shape, np.float32)
            elif uid in ("six", "table") or (s.initializer not in ("ones", "quarter") and _drawn(s)):
                scale = 0.1 if uid == "six" else 0.5
                cycle = [scale * NUMBERS[k % len(NUMBERS)] for k in range(elements(s.shape))]
                weights[f"{uid}.{s.name}"] = np.reshape(cycle, s.shape).astype(np.float32)
    net.load(weights)
    shape = next(n.layer.shape for n in graph.nodes if isinstance(n.layer, Input))
    size = elements(shape)
    cells = [(n, k) for n in range(EXAMPLES) for k in range(size)]
    x = np.array([NUMBERS[(4 * n + k) % len(NUMBERS)] for n, k in cells], np.float32)
    if any(isinstance(n.layer, Embedding) for n in graph.nodes):
        x = np.arange(EXAMPLES * size, dtype=np.float32) % 5
    width = infer(graph).shapes["all"][0]
    ones = (np.arange(EXAMPLES)[:, None] + np.arange(width)) % 3 == 0
    net.step(x.reshape(EXAMPLES, *shape), ones.astype(np.float32))
    return net


def _drawn(spec: Any) -> bool:
    return spec.trained and not spec.fixed and not spec.start and spec.initializer != "zeros"


# ---- what is written of it ----------------------------------------------------------------------------


def _numbers(cls: type[Layer], net: Network) -> list[str]:
    facts = infer(net.graph)
    specs = facts.params.get("layer", ())
    lines = []
    if specs:
        lines += ["| Parameter | Shape in the example | |", "|---|---|---|"]
        for s in specs:
            learnt = "learnt" if s.trained else "given by a formula" if s.fixed else "a running statistic"
            lines.append(f"| `{s.key}` | {shape_text(s.shape)} | {learnt} |")
        lines.append("")
    for phase, title in ((Phase.FORWARD, "Forward"), (Phase.BACKWARD, "Backward")):
        rules = list(dict.fromkeys(_rules(net, phase)))
        if rules:
            lines += [f"{title}: " + "; ".join(rules) + ".", ""]
    at = net.graph.node("layer").layer
    named = [name for name in cls.settings() if "initializer" not in name]
    given = [f"`{name}` {_plain(getattr(at, name))}" for name in named]
    if given:
        lines += [f"Example with {', '.join(given)}:", ""]
    return [*lines, "```", *_values(net, specs), "```"]


def _rules(net: Network, phase: Phase, node: str = "layer") -> Iterator[str]:
    """The ops of a layer with the formulas by which their cells are explained."""
    program = net.program
    controls = {**program.controls, "n": float(net.live), "step": 0.0}
    for op in program.ops:
        if op.phase is phase and op.node == node:
            note = _note(net, op, controls)
            yield f"`{op.kind}` {note}" if note else f"`{op.kind}`"


def _note(net: Network, op: Op, controls: dict[str, float]) -> str:
    """The formulas of the cells of the first example: mostly one for all. Of a loss that of its number."""
    ctx = context_for(op, controls, net.live, 1, 0)
    out = next((i for i, v in enumerate(op.outs) if v.role is Role.SCALAR), 0)
    shape = op.outs[out].shape
    cells = np.ndindex(*shape[:-1], 1) if op.outs[out].batched else np.ndindex(*shape)
    explain = REGISTRY[op.kind].explain
    notes = dict.fromkeys(explain(op, out, cell, lambda v: net.value(v.id), ctx).note for cell in cells)
    return ", ".join(f"${note}$" for note in notes if note)


def _values(net: Network, specs: Sequence[Any]) -> Iterator[str]:
    program = net.program
    ins = [program.outputs[k.source].id for k in net.graph.inputs_of("layer")]
    out = program.outputs["layer"].id
    shown = [(f"x{i + 1 if len(ins) > 1 else ''}", id) for i, id in enumerate(ins)]
    shown += [(s.key, f"layer.{s.name}@old") for s in specs if f"layer.{s.name}@new" in program.values]
    shown.append(("y", out))
    if out in program.gradients:  # not where nothing before it learns
        shown.append(("dL/dy", program.gradients[out].id))
    for i, id in enumerate(ins):
        if id in program.gradients:
            shown.append((f"dL/dx{i + 1 if len(ins) > 1 else ''}", program.gradients[id].id))
    for s in specs:
        gradient = program.gradients.get(f"layer.{s.name}@old")
        if gradient is not None:
            shown.append((f"dL/d {s.key}", gradient.id))
    for name, id in shown:
        yield from _array(name, net.value(id), program.values[id].batched)


def _array(name: str, a: Array, batched: bool) -> Iterator[str]:
    if batched and a.ndim > 2:
        a = a[..., 0]
    digits = {"float_kind": lambda v: f"{v:.4g}"}
    rounded = np.round(a.astype(np.float64), 5) + 0.0  # smaller is rounding, and another one elsewhere
    text = np.array2string(rounded, separator=", ", formatter=digits, max_line_width=100)
    first, *rest = text.splitlines()
    yield f"{name} = {first}"
    yield from ((" " * (len(name) + 3) + line).rstrip() for line in rest)


if __name__ == "__main__":
    path = Path(__file__).parents[2] / "docs" / "layers.md"
    path.write_text(document(), encoding="utf-8", newline="\n")
