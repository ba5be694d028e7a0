"""All op kinds. `REGISTRY` maps a kind to its rule; a new family is one file and one line here."""

from __future__ import annotations

from engine.ops import (  # noqa: F401 - importing registers the kinds
    accumulating,
    activations,
    affine_matrix,
    attention,
    cells,
    clipping,
    conv1d,
    convolution,
    data,
    elementwise,
    group_norm,
    input_features,
    layer_norm,
    linear,
    losses,
    merging,
    noise,
    normalization,
    over_time,
    penalties,
    pointwise_losses,
    pooling,
    prelu,
    rearranging,
    sequence,
    transposed,
    updates,
    upsample,
    warp,
    warp_grad,
    weighted_sum,
    weighted_xent,
)
from engine.ops.base import REGISTRY, Case, Context, OpRule, Term, Terms, rule

__all__ = ["REGISTRY", "Case", "Context", "OpRule", "Term", "Terms", "rule"]
