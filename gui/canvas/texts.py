"""Short texts of a node and the icon of its kind, from the layer's own declaration."""

from __future__ import annotations

from engine.errors import N_
from engine.graph import NodeSpec
from engine.inference import Inference
from engine.layers import Dense, Input, Layer, Output
from engine.layers.base import Shape
from engine.settings import DataSpec, TrainingSpec
from gui.i18n import integer, tr, tr_message, trn
from gui.loss_words import output_text

CATEGORIES: tuple[tuple[str, str], ...] = (
    ("data", N_("Data")),
    ("linear", N_("Linear")),
    ("activation", N_("Activation")),
    ("pooling", N_("Pooling and shape")),
    ("normalize", N_("Normalize")),
    ("merge", N_("Branch and merge")),
    ("transform", N_("Transform")),
    ("recurrent", N_("Text and sequences")),
    ("loss", N_("Loss and output")),
)
# what an activation does, short enough for the line under its name
_PLAIN: dict[str, str] = {
    "relu": "max(0, z)",
    "tanh": "tanh(z)",
    "sigmoid": "1 ∕ (1 + e⁻ᶻ)",
    "softmax": N_("shares, sum 1"),
    "flatten": N_("as one vector"),
}


def icon_of(layer: Layer | type[Layer], data: DataSpec | None = None) -> str:
    """The icon of a layer; an input shows what its data are."""
    if layer.kind == "input":
        shape = data.shape if data is not None else getattr(layer, "shape", ())
        return "picture" if len(shape) == 3 else "points" if tuple(shape) == (2,) else "data"
    return layer.kind


def summary(node: NodeSpec, inference: Inference, training: TrainingSpec, data: DataSpec | None) -> str:
    """The line of key settings under a node's name."""
    layer = node.layer
    arriving = inference.inputs.get(node.uid, ())
    if isinstance(layer, Dense) and arriving and len(arriving[0]) == 1:
        return f"{integer(arriving[0][0])} → {integer(layer.units)}"
    if isinstance(layer, Input) and data is not None and data.count:
        if len(data.shape) == 3:
            return trn("{n} picture", "{n} pictures", data.count).format(n=integer(data.count))
        return trn("{n} example", "{n} examples", data.count).format(n=integer(data.count))
    if isinstance(layer, Output):
        return output_text(node, training)
    plain = _PLAIN.get(layer.kind)
    if plain is not None:
        return tr(plain)
    return tr_message(layer.summary()) or tr(layer.label)


def count(node: NodeSpec, inference: Inference, frozen: bool = False) -> str:
    """The footer of a node: its weights, or what leaves it."""
    n = inference.count(node.owner)
    if node.shares is not None and n:
        return tr("shared weights")
    if n and frozen:
        return trn("{n} frozen weight", "{n} frozen weights", n).format(n=integer(n))
    if n:
        return trn("{n} weight", "{n} weights", n).format(n=integer(n))
    shape = inference.shapes.get(node.uid)
    return compact_shape(shape) if shape is not None else ""


def compact_shape(shape: Shape) -> str:
    """8×28×28, for links and footers."""
    return "×".join(str(n) for n in shape)
