"""Functions as files: exported as MXNet symbols, ONNX models or graphs with their arrays, and loaded again."""

from dopegraph.interchange.exporting import export
from dopegraph.interchange.loaded import LoadedFunction
from dopegraph.interchange.loading import load

__all__ = ["LoadedFunction", "export", "load"]
