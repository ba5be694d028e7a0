"""All layers, in palette order. A new layer is one file, one icon and one line here."""

from __future__ import annotations

from engine.fields import Setting
from engine.layers.add import Add
from engine.layers.affine_warp import AffineWarp
from engine.layers.augment import Augment
from engine.layers.average import Average
from engine.layers.avg_pool2d import AvgPool2D
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem, shape_text
from engine.layers.batch_norm import BatchNorm
from engine.layers.concatenate import Concatenate
from engine.layers.conv1d import Conv1D
from engine.layers.conv2d import Conv2D
from engine.layers.conv_transpose2d import ConvTranspose2D
from engine.layers.crop import Crop
from engine.layers.dense import Dense
from engine.layers.dropout import Dropout
from engine.layers.elu import ELU
from engine.layers.embedding import Embedding
from engine.layers.flatten import Flatten
from engine.layers.gaussian_noise import GaussianNoise
from engine.layers.gelu import GELU
from engine.layers.global_avg_pool import GlobalAvgPool
from engine.layers.global_max_pool import GlobalMaxPool
from engine.layers.group_norm import GroupNorm
from engine.layers.gru import GRU
from engine.layers.hard_sigmoid import HardSigmoid
from engine.layers.input import Input
from engine.layers.input_features import InputFeatures
from engine.layers.layer_norm import LayerNorm
from engine.layers.leaky_relu import LeakyReLU
from engine.layers.linear import Linear
from engine.layers.log_softmax import LogSoftmax
from engine.layers.lstm import LSTM
from engine.layers.max_pool2d import MaxPool2D
from engine.layers.maximum import Maximum
from engine.layers.mish import Mish
from engine.layers.multiply import Multiply
from engine.layers.one_position import OnePosition
from engine.layers.output import Output
from engine.layers.pad import Pad
from engine.layers.permute import Permute
from engine.layers.positional_encoding import PositionalEncoding
from engine.layers.prelu import PReLU
from engine.layers.relu import ReLU
from engine.layers.reshape import Reshape
from engine.layers.self_attention import MultiHeadSelfAttention
from engine.layers.selu import SELU
from engine.layers.sigmoid import Sigmoid
from engine.layers.silu import SiLU
from engine.layers.simple_rnn import SimpleRNN
from engine.layers.sine import Sine
from engine.layers.softmax import Softmax
from engine.layers.softplus import Softplus
from engine.layers.softsign import Softsign
from engine.layers.spatial_dropout import SpatialDropout
from engine.layers.spatial_transformer import SpatialTransformer
from engine.layers.split import Split
from engine.layers.step import Step
from engine.layers.subtract import Subtract
from engine.layers.tanh import Tanh
from engine.layers.upsample import Upsample

LAYERS: dict[str, type[Layer]] = {
    cls.kind: cls
    for cls in (
        Input,
        Dense,
        Conv2D,
        Conv1D,
        ConvTranspose2D,
        ReLU,
        LeakyReLU,
        PReLU,
        ELU,
        SELU,
        GELU,
        SiLU,
        Mish,
        Sigmoid,
        HardSigmoid,
        Tanh,
        Softplus,
        Softsign,
        Sine,
        Step,
        Linear,
        Softmax,
        LogSoftmax,
        MaxPool2D,
        AvgPool2D,
        GlobalMaxPool,
        GlobalAvgPool,
        Upsample,
        Flatten,
        Reshape,
        Permute,
        Pad,
        Crop,
        BatchNorm,
        LayerNorm,
        GroupNorm,
        Dropout,
        SpatialDropout,
        GaussianNoise,
        Add,
        Subtract,
        Multiply,
        Average,
        Maximum,
        Concatenate,
        Split,
        Augment,
        InputFeatures,
        AffineWarp,
        SpatialTransformer,
        Embedding,
        PositionalEncoding,
        SimpleRNN,
        GRU,
        LSTM,
        OnePosition,
        MultiHeadSelfAttention,
        Output,
    )
}
"""Kind -> class."""

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LAYERS",
    "LSTM",
    "SELU",
    "Add",
    "AffineWarp",
    "Augment",
    "Average",
    "AvgPool2D",
    "BatchNorm",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Crop",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "HardSigmoid",
    "Input",
    "InputFeatures",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool2D",
    "Maximum",
    "Mish",
    "MultiHeadSelfAttention",
    "Multiply",
    "OnePosition",
    "Output",
    "PReLU",
    "Pad",
    "ParamSpec",
    "Permute",
    "PositionalEncoding",
    "ReLU",
    "Repair",
    "Reshape",
    "Setting",
    "Shape",
    "ShapeProblem",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Sine",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpatialDropout",
    "SpatialTransformer",
    "Split",
    "Step",
    "Subtract",
    "Tanh",
    "Upsample",
    "shape_text",
]
