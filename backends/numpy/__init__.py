"""The reference backend: runs a graph node by node with NumPy, in the buffers of the memory plan."""

from dopegraph.backends.numpy.executable import NumpyExecutable

__all__ = ["NumpyExecutable"]
