"""The most a device computes: fused multiply-adds on registers, nothing read or written."""

from __future__ import annotations

import time

from engine.backends.opencl.programs import build
from engine.backends.opencl.runtime import open_device, translated

ACCUMULATORS = 12
"""Independent chains: enough to hide the latency of a multiply-add."""
ROUNDS = 20_000
WIDTH = 16

_CHAINS = "\n".join(f"    float16 a{k} = (float16)({k}.0f) + x;" for k in range(ACCUMULATORS))
_STEPS = " ".join(f"a{k} = fma(a{k}, m, x);" for k in range(ACCUMULATORS))
_SUM = " + ".join(f"a{k}" for k in range(ACCUMULATORS))
SOURCE = f"""
__kernel void peak(__global float16 *out, float start) {{
    const float16 x = (float16)(start), m = (float16)(0.999f);
{_CHAINS}
    for (int r = 0; r < {ROUNDS}; r++) {{ {_STEPS} }}
    out[get_global_id(0)] = {_SUM};
}}
"""


def peak_gflops(id: str) -> float:
    """Largest GFLOP/s measured on a device (two operations per multiply-add). Raises DeviceError."""
    import numpy as np

    device = open_device(id)
    items = max(1, device.found.units) * (4 if device.cpu else 4096)
    (kernel,) = build(device, SOURCE, ["peak"])
    queue, cl = device.queue(), device.cl
    with translated(device.found.name):
        out = cl.Buffer(device.context, cl.mem_flags.WRITE_ONLY, items * WIDTH * 4)
        kernel.set_args(out, np.float32(1e-3))
        best = 0.0
        for _ in range(8):
            start = time.perf_counter()
            cl.enqueue_nd_range_kernel(queue, kernel, (items,), (1,) if device.cpu else None)
            queue.finish()
            seconds = time.perf_counter() - start
            best = max(best, 2.0 * WIDTH * ACCUMULATORS * ROUNDS * items / seconds / 1e9)
    return best
