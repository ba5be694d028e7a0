"""All layers, in palette order. A new layer is one file, one icon and one line here."""

from __future__ import annotations

from engine.fields import Setting
from engine.layers.add import Add
from engine.layers.affine_warp import AffineWarp
from engine.layers.augment import Augment
from engine.layers.avg_pool2d import AvgPool2D
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem, shape_text
from engine.layers.batch_norm import BatchNorm
from engine.layers.concatenate import Concatenate
from engine.layers.conv2d import Conv2D
from engine.layers.dense import Dense
from engine.layers.dropout import Dropout
from engine.layers.embedding import Embedding
from engine.layers.flatten import Flatten
from engine.layers.input import Input
from engine.layers.layer_norm import LayerNorm
from engine.layers.leaky_relu import LeakyReLU
from engine.layers.max_pool2d import MaxPool2D
from engine.layers.output import Output
from engine.layers.positional_encoding import PositionalEncoding
from engine.layers.relu import ReLU
from engine.layers.self_attention import MultiHeadSelfAttention
from engine.layers.sigmoid import Sigmoid
from engine.layers.softmax import Softmax
from engine.layers.spatial_transformer import SpatialTransformer
from engine.layers.tanh import Tanh

LAYERS: dict[str, type[Layer]] = {
    cls.kind: cls
    for cls in (
        Input,
        Dense,
        Conv2D,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        Softmax,
        MaxPool2D,
        AvgPool2D,
        Flatten,
        BatchNorm,
        LayerNorm,
        Dropout,
        Add,
        Concatenate,
        Augment,
        AffineWarp,
        SpatialTransformer,
        Embedding,
        PositionalEncoding,
        MultiHeadSelfAttention,
        Output,
    )
}
"""Kind -> class."""

__all__ = [
    "LAYERS",
    "Add",
    "AffineWarp",
    "Augment",
    "AvgPool2D",
    "BatchNorm",
    "Concatenate",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool2D",
    "MultiHeadSelfAttention",
    "Output",
    "ParamSpec",
    "PositionalEncoding",
    "ReLU",
    "Repair",
    "Setting",
    "Shape",
    "ShapeProblem",
    "Sigmoid",
    "Softmax",
    "SpatialTransformer",
    "Tanh",
    "shape_text",
]
