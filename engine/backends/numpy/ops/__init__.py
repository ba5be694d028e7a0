"""How each op kind is computed; one file per family, as in `engine.ops`."""

from engine.backends.numpy.ops import (  # noqa: F401 - importing registers the builders
    activations,
    attention,
    clipping,
    convolution,
    data,
    elementwise,
    functions,
    linear,
    losses,
    normalization,
    penalties,
    pooling,
    rearranging,
    sequence,
    updates,
    warp,
    warp_grad,
)
