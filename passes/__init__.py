"""Transformations of graphs into better graphs; the order they run in is in `dopegraph.passes.pipeline`."""

from dopegraph.passes.memory import MemoryPlan, MemoryReport, memory_report, plan_memory
from dopegraph.passes.pass_ import Pass
from dopegraph.passes.pipeline import PIPELINE, optimize

__all__ = ["PIPELINE", "MemoryPlan", "MemoryReport", "Pass", "memory_report", "optimize", "plan_memory"]
