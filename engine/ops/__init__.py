"""All op kinds. `REGISTRY` maps a kind to its rule; a new family is one file and one line here."""

from __future__ import annotations

from engine.ops import (  # noqa: F401 - importing registers the kinds
    accumulating,
    activations,
    affine_matrix,
    attention,
    clipping,
    convolution,
    data,
    elementwise,
    layer_norm,
    linear,
    losses,
    merging,
    normalization,
    penalties,
    pointwise_losses,
    pooling,
    prelu,
    rearranging,
    sequence,
    updates,
    warp,
    warp_grad,
)
from engine.ops.base import REGISTRY, Case, Context, OpRule, Term, Terms, rule

__all__ = ["REGISTRY", "Case", "Context", "OpRule", "Term", "Terms", "rule"]
