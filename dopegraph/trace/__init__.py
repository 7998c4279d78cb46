"""Recording: operations on arrays become nodes of a graph, which is evaluated when somebody looks, or at the end."""

from dopegraph.trace.look import Escape, Look
from dopegraph.trace.programs import ProgramCache, programs
from dopegraph.trace.recording import Recording, active_recording, suspended

__all__ = ["Escape", "Look", "ProgramCache", "Recording", "active_recording", "programs", "suspended"]
