"""Where programs are computed: NumPy always, OpenCL devices that passed their test."""
