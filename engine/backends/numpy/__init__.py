"""Fast NumPy: every op compiled once into calls that write preallocated arrays."""

from engine.backends.numpy.backend import NumpyBackend

__all__ = ["NumpyBackend"]
