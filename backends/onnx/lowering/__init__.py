"""From our graphs to ONNX operators: a table of rules, one for each primitive, and what has no rule and why."""

from dopegraph.backends.onnx.lowering.table import RULES, lacking
from dopegraph.backends.onnx.lowering.without import WITHOUT_LOWERING

__all__ = ["RULES", "WITHOUT_LOWERING", "lacking"]
