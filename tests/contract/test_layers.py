"""Every layer there is: its declaration goes round, and says all that a person needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.errors import GraphError
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import LAYERS, Input, Layer, Setting, Shape, ShapeProblem
from engine.project import graph_from_plain, graph_to_plain

KINDS = sorted(LAYERS)

KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "dense": ("weight", "bias"),
    "conv2d": ("weight", "bias"),
    "conv1d": ("weight", "bias"),
    "conv_transpose2d": ("weight", "bias"),
    "batch_norm": ("weight", "bias", "running_mean", "running_var"),
    "prelu": ("weight",),
    "affine_warp": ("weight",),
    "embedding": ("weight",),
    "layer_norm": ("weight", "bias"),
    "positional_encoding": ("weight",),
    "self_attention": ("weight", "bias", "out_weight", "out_bias"),
    "simple_rnn": ("weight", "bias", "state_weight", "state_bias"),
    "gru": ("weight", "bias", "state_weight", "state_bias"),
    "lstm": ("weight", "bias", "state_weight", "state_bias"),
    "group_norm": ("weight", "bias"),
}
"""Keys in files, kept for ever: a weight saved today must be found tomorrow. Layers not named have none."""

SETTING_NAMES: Mapping[str, tuple[str, ...]] = {
    "input": ("shape",),
    "dense": ("units", "bias", "initializer", "bias_initializer"),
    "conv2d": (
        "filters", "kernel", "stride", "padding", "bias", "initializer", "bias_initializer", "dilation",
        "groups",
    ),
    "conv1d": (
        "filters", "kernel", "stride", "padding", "dilation", "groups", "bias", "initializer",
        "bias_initializer",
    ),
    "conv_transpose2d": (
        "filters", "kernel", "stride", "padding", "output_padding", "bias", "initializer", "bias_initializer",
        "dilation", "groups",
    ),
    "relu": (),
    "leaky_relu": ("slope",),
    "prelu": (),
    "elu": ("alpha",),
    "selu": (),
    "gelu": ("form",),
    "silu": (),
    "mish": (),
    "sigmoid": (),
    "hard_sigmoid": (),
    "tanh": (),
    "softplus": (),
    "softsign": (),
    "sine": (),
    "step": (),
    "linear": (),
    "softmax": (),
    "log_softmax": (),
    "max_pool2d": ("kernel", "stride", "padding"),
    "avg_pool2d": ("kernel", "stride", "padding"),
    "flatten": (),
    "batch_norm": ("epsilon", "momentum"),
    "dropout": ("rate",),
    "global_avg_pool": (),
    "global_max_pool": (),
    "pad": ("sides",),
    "crop": ("sides",),
    "permute": ("order",),
    "reshape": ("shape",),
    "split": ("parts", "part"),
    "subtract": (),
    "multiply": (),
    "average": (),
    "maximum": (),
    "add": (),
    "concatenate": (),
    "augment": ("rotation", "scale", "shift", "border"),
    "affine_warp": ("angle", "scale", "shear", "shift_x", "shift_y", "border", "trained"),
    "spatial_transformer": ("identity", "border"),
    "layer_norm": ("epsilon",),
    "embedding": ("vocabulary", "width"),
    "positional_encoding": ("table",),
    "self_attention": ("heads", "causal"),
    "simple_rnn": ("units", "states", "initializer", "state_initializer", "activation"),
    "gru": ("units", "states", "initializer", "state_initializer"),
    "lstm": ("units", "states", "initializer", "state_initializer"),
    "one_position": ("position",),
    "upsample": ("factor", "mode"),
    "group_norm": ("groups", "epsilon", "affine"),
    "spatial_dropout": ("rate",),
    "gaussian_noise": ("sigma",),
    "input_features": ("x", "y", "x2", "y2", "xy", "sin_x", "sin_y"),
    "output": ("weight", "loss", "target"),
}
"""Names of settings in project files, kept for ever as well."""


def other_value(facts: Setting, value: Any) -> Any:
    """A value of the setting other than `value`, within its range."""
    if facts.kind == "bool":
        return not value
    if facts.kind == "choice":
        return next(c for c, _ in facts.choices if c != value)
    if facts.kind == "float":
        low = 0.0 if facts.minimum is None else facts.minimum
        high = low + 1.0 if facts.maximum is None else facts.maximum
        return (low + value) / 2 if value > low else (value + high) / 2
    step = 1 if facts.maximum is None or facts.maximum > np.max(value) else -1
    return value + step if facts.kind == "int" else tuple(v + step for v in value)


def changed(cls: type[Layer]) -> Layer:
    """The layer with every setting away from its default."""
    return cls(**{name: other_value(facts, default) for name, (facts, default) in cls.settings().items()})


def accepted_shapes(cls: type[Layer]) -> list[tuple[Shape, ...]]:
    """Inputs, vectors or pictures, that a layer of this kind takes as it is drawn first."""
    count = 2 if cls.many_inputs else len(cls.ports)
    found = []
    for shape in ((2,), (12,), (3, 16, 16), (8, 5)):
        for others in (shape, (6,)):
            inputs = (shape, *(others,) * (count - 1))[:count]
            try:
                cls().output_shape(inputs)
            except ShapeProblem:
                continue
            found.append(inputs)
            break
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_declaration_goes_round_through_plain_text(kind: str) -> None:
    cls = LAYERS[kind]
    for layer in (cls(), changed(cls)):
        graph = GraphSpec().add("node", layer)
        text = json.dumps(graph_to_plain(graph), allow_nan=False)
        again, said = graph_from_plain(json.loads(text), "test")
        assert again == graph
        assert said == ()
        assert type(again.node("node").layer) is cls
    for name, (facts, default) in cls.settings().items():
        assert getattr(changed(cls), name) != default, (name, facts.kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_a_setting_with_label_and_help(kind: str) -> None:
    cls = LAYERS[kind]
    settings = cls.settings()
    assert list(settings) == [f.name for f in fields(cls)]
    for name, (facts, default) in settings.items():
        assert facts.label, name
        assert facts.help.endswith("."), name
        assert default is not None, name
        assert bool(facts.choices) == (facts.kind == "choice"), name


@pytest.mark.parametrize("kind", KINDS)
def test_settings_outside_their_range_are_refused(kind: str) -> None:
    cls = LAYERS[kind]
    for name, (facts, default) in cls.settings().items():
        wrong: list[Any] = [None, object(), float("nan")]
        for limit, step in ((facts.minimum, -1), (facts.maximum, 1)):
            if limit is not None:
                beyond = limit + step
                plain = {"int": int(beyond), "float": float(beyond)}
                wrong.append(plain.get(facts.kind) or (int(beyond),) * len(np.atleast_1d(default)))
        for value in wrong:
            with pytest.raises(GraphError) as refusal:
                cls(**{name: value})
            assert kind in str(refusal.value)
            assert name in str(refusal.value)


@pytest.mark.parametrize("kind", KINDS)
def test_help_label_formula_and_icon_exist(kind: str, root: Path) -> None:
    cls = LAYERS[kind]
    assert cls.kind == kind
    assert cls.label
    assert len(cls.help) > 20
    assert cls.help.endswith(".")
    assert cls.formula
    assert cls.formula.count("{") == cls.formula.count("}")
    icon = root / "resources" / "icons" / f"{kind}.svg"
    assert icon.is_file(), f"no icon {icon.name}"
    assert ElementTree.parse(icon).getroot().tag.endswith("svg")


def test_labels_differ() -> None:
    assert len({cls.label for cls in LAYERS.values()}) == len(LAYERS)


def test_names_in_files_are_stable() -> None:
    """Whoever changes a name here must also read the old one, and say so in the change log."""
    assert {kind: tuple(cls.settings()) for kind, cls in LAYERS.items()} == SETTING_NAMES
    found = {}
    for kind, cls in LAYERS.items():
        names = [
            {tuple(p.name for p in layer.params(inputs)) for inputs in accepted_shapes(cls)}
            for layer in (cls(), changed(cls))
        ]
        assert [len(each) for each in names] == [1, 1], kind
        found[kind] = max((each.pop() for each in names), key=len)  # settings may leave some out
    assert {k: v for k, v in found.items() if v} == KEY_NAMES


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_parameters_are_whole_and_positive(kind: str) -> None:
    cls = LAYERS[kind]
    shapes = accepted_shapes(cls)
    assert shapes
    for inputs in shapes:
        layer = cls()
        out = layer.output_shape(inputs)
        assert all(isinstance(n, int) and n > 0 for n in out)
        for p in layer.params(inputs):
            assert all(isinstance(n, int) and n > 0 for n in p.shape)
            assert p.fan_in > 0
            assert p.fan_out > 0
        assert layer.multiplications(inputs) >= 0
        assert str(layer.summary()) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_alone_on_the_canvas_it_breaks_nothing(kind: str) -> None:
    """A node without links, and one fed with either kind of data: a list of problems, never an error."""
    cls = LAYERS[kind]
    assert infer(GraphSpec().add("alone", cls())).order == ("alone",)
    for shape in ((5,), (1, 4, 4), (2, 3)):
        graph = GraphSpec().add("input", Input(shape=shape))
        graph = graph.add("node", cls(), after=["input"] * min(cls.port_limit(), 2))
        found = infer(graph)
        assert isinstance(found.ready, bool)
        for problem in found.problems:
            assert str(problem.message)
