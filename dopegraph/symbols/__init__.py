"""MXNet's symbols as functions among NumPy calls: reading their JSON, and a table from its operators to ours."""

from dopegraph.symbols.errors import SymbolError
from dopegraph.symbols.function import SymbolFunction, from_symbol

__all__ = ["SymbolError", "SymbolFunction", "from_symbol"]
