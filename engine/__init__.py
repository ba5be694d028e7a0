"""The engine of Matrizen: networks as matrices, computed on OpenCL or NumPy. No Qt in here.

`from engine import GraphSpec, Input, Dense, Output, Network` is all a script needs (see docs/engine.md).
Names are imported when first used, so that a small part of the engine does not load the rest.
"""

from __future__ import annotations

import importlib
from typing import Any

_LAYERS = (
    "Add", "AffineWarp", "Augment", "Average", "AvgPool2D", "BatchNorm", "Concatenate", "Conv1D", "Conv2D",
    "ConvTranspose2D", "Crop", "Dense", "Dropout", "ELU", "Embedding", "Flatten", "GELU", "GRU",
    "GaussianNoise", "GlobalAvgPool", "GlobalMaxPool", "GroupNorm", "HardSigmoid", "Input", "InputFeatures",
    "LSTM", "LayerNorm", "LeakyReLU", "Linear", "LogSoftmax", "MaxPool2D", "Maximum", "Mish",
    "MultiHeadSelfAttention", "Multiply", "OnePosition", "Output", "PReLU", "Pad", "Permute",
    "PositionalEncoding", "ReLU", "Reshape", "SELU", "SiLU", "Sigmoid", "SimpleRNN", "Sine", "Softmax",
    "Softplus", "Softsign", "SpatialDropout", "SpatialTransformer", "Split", "Step", "Subtract", "Tanh",
    "Upsample",
)  # fmt: skip
_HOMES = {
    **dict.fromkeys(_LAYERS, "engine.layers"),
    "GraphSpec": "engine.graph",
    "TrainingSpec": "engine.settings",
    "DataSpec": "engine.settings",
    "Network": "engine.network",
    "Trainer": "engine.training",
    "infer": "engine.inference",
    "record": "engine.program",
    "list_devices": "engine.backends.devices",
    "open_backend": "engine.backends.opening",
    "SourceSpec": "engine.data.source",
    "load_project": "engine.project_file",
    "save_project": "engine.project_file",
    "export_npz": "engine.export.npz",
    "explain": "engine.explain",
    "MatrizenError": "engine.errors",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
