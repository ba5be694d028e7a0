"""The engine of Matrizen: networks as matrices, computed on OpenCL or NumPy. No Qt in here."""
