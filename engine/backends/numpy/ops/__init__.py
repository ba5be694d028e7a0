"""How each op kind is computed; one file per family, as in `engine.ops`."""

from engine.backends.numpy.ops import (  # noqa: F401 - importing registers the builders
    activations,
    attention,
    convolution,
    data,
    elementwise,
    functions,
    input_features,
    layer_norm,
    linear,
    losses,
    noise,
    normalization,
    pooling,
    rearranging,
    sequence,
    updates,
    upsample,
    warp,
    warp_grad,
)
