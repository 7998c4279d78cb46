"""dopegraph: write NumPy, get a compiled graph.

Four uses: ``import dopegraph.numpy as np`` in place of NumPy; ``compile`` and ``grad`` functions; look at their graphs
with ``trace``, ``visualize`` and ``explain``; ``export`` them as MXNet symbols that run without dopegraph.
"""

from dopegraph import nn, numpy
from dopegraph.array import ndarray
from dopegraph.numpy.params import load, save
from dopegraph.runtime import errors
from dopegraph.runtime.config import (
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
from dopegraph.trace import programs
from dopegraph.trace.tree import register
from dopegraph.transform import (
    checkpoint,
    compile,
    custom_vjp,
    customop,
    explain,
    export,
    grad,
    hessian,
    host_call,
    jacobian,
    jvp,
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
    "compile",
    "cpu",
    "current_device",
    "current_policy",
    "custom_vjp",
    "customop",
    "default_dtype",
    "device",
    "errors",
    "explain",
    "export",
    "gpu",
    "grad",
    "hessian",
    "host_call",
    "is_training",
    "jacobian",
    "jvp",
    "load",
    "ndarray",
    "nn",
    "numpy",
    "op_stats",
    "policy",
    "predict_mode",
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
