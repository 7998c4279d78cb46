"""Transformations of Python functions: derivatives, the book's ``record`` and ``backward``, ``compile``, reports."""

from dopegraph.transform.cache import CacheInfo, Recompile
from dopegraph.transform.checkpoint import checkpoint
from dopegraph.transform.compiled import Compiled
from dopegraph.transform.compiling import compile
from dopegraph.transform.custom import custom_vjp
from dopegraph.transform.explain import Explanation, Finding, Segment, explain
from dopegraph.transform.gradient import grad, stop_gradient, value_and_grad
from dopegraph.transform.graph_of import trace
from dopegraph.transform.host_call import customop, host_call
from dopegraph.transform.jacobian import hessian, jacobian
from dopegraph.transform.lowered import Lowered, Operations
from dopegraph.transform.products import jvp, vjp
from dopegraph.transform.profiling import profile
from dopegraph.transform.record import attach_methods, record
from dopegraph.transform.vectorize import vmap
from dopegraph.transform.visualize import visualize

attach_methods()

__all__ = [
    "CacheInfo",
    "Compiled",
    "Explanation",
    "Finding",
    "Lowered",
    "Operations",
    "Recompile",
    "Segment",
    "checkpoint",
    "compile",
    "custom_vjp",
    "customop",
    "explain",
    "grad",
    "hessian",
    "host_call",
    "jacobian",
    "jvp",
    "profile",
    "record",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "visualize",
    "vjp",
    "vmap",
]
