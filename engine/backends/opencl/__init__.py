"""The OpenCL backend. `pyopencl` is imported in here only, and only by `runtime`."""
