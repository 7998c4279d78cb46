"""From our graphs to MXNet symbols: a table of rules, one for each primitive, and what has no rule and why."""

from dopegraph.backends.mxnet.lowering.lacking import Lacking, lacking
from dopegraph.backends.mxnet.lowering.lower import RULES, LoweredSymbol, lower
from dopegraph.backends.mxnet.lowering.without import WITHOUT_LOWERING

__all__ = ["RULES", "WITHOUT_LOWERING", "Lacking", "LoweredSymbol", "lacking", "lower"]
