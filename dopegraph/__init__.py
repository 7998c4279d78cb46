"""dopegraph: write NumPy, get a compiled graph.

Four uses: ``import dopegraph.numpy as np`` in place of NumPy; ``compile`` and ``grad`` functions; look at their graphs
with ``trace``, ``visualize`` and ``explain``; ``export`` them as MXNet symbols that run without dopegraph.
"""

from dopegraph import init, metrics, nn, numpy, optim, parallel
from dopegraph.array import ndarray
from dopegraph.interchange import export, load
from dopegraph.numpy.params import save
from dopegraph.runtime import errors
from dopegraph.runtime.config import (
    codegen,
    current_policy,
    default_dtype,
    is_training,
    policy,
    predict_mode,
    set_default_dtype,
    set_policy,
    train_mode,
)
from dopegraph.runtime.device import Device, cpu, current_device, device, gpu
from dopegraph.runtime.statistics import OpStats, op_stats
from dopegraph.show import diff, from_networkx
from dopegraph.symbols import from_symbol
from dopegraph.trace import programs
from dopegraph.trace.tree import register
from dopegraph.transform import (
    checkpoint,
    compile,
    custom_vjp,
    customop,
    explain,
    grad,
    hessian,
    host_call,
    jacobian,
    jvp,
    profile,
    record,
    stop_gradient,
    trace,
    value_and_grad,
    visualize,
    vjp,
    vmap,
)
from dopegraph.version import __version__

__all__ = [
    "Device",
    "OpStats",
    "__version__",
    "checkpoint",
    "codegen",
    "compile",
    "cpu",
    "current_device",
    "current_policy",
    "custom_vjp",
    "customop",
    "default_dtype",
    "device",
    "diff",
    "errors",
    "explain",
    "export",
    "from_networkx",
    "from_symbol",
    "gpu",
    "grad",
    "hessian",
    "host_call",
    "init",
    "is_training",
    "jacobian",
    "jvp",
    "load",
    "metrics",
    "ndarray",
    "nn",
    "numpy",
    "op_stats",
    "optim",
    "parallel",
    "policy",
    "predict_mode",
    "profile",
    "programs",
    "record",
    "register",
    "save",
    "set_default_dtype",
    "set_policy",
    "stop_gradient",
    "trace",
    "train_mode",
    "value_and_grad",
    "visualize",
    "vjp",
    "vmap",
]
