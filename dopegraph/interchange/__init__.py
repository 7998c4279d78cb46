"""Functions as files: exported as MXNet symbols, ONNX models or graphs with their arrays, and loaded again."""

from dopegraph.interchange.export import export
from dopegraph.interchange.load import load
from dopegraph.interchange.loaded import LoadedFunction

__all__ = ["LoadedFunction", "export", "load"]
