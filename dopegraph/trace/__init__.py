"""Recording: operations on arrays become nodes of a graph, which is evaluated when somebody looks, or at the end."""

from dopegraph.trace.active import active_recording, suspended
from dopegraph.trace.look import Escape, Look
from dopegraph.trace.programs import ProgramCache, programs
from dopegraph.trace.recording import Recording

__all__ = ["Escape", "Look", "ProgramCache", "Recording", "active_recording", "programs", "suspended"]
