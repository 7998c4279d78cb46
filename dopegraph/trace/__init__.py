"""Recording: operations on arrays become nodes of a graph, which is evaluated when somebody looks, or at the end."""

from dopegraph.trace.programs import ProgramCache, programs
from dopegraph.trace.recording import Escape, Recording, active_recording, suspended

__all__ = ["Escape", "ProgramCache", "Recording", "active_recording", "programs", "suspended"]
