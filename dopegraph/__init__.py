"""dopegraph: write NumPy, get a compiled graph."""
from dopegraph.version import __version__
from dopegraph.runtime.config import current_policy, policy, set_default_dtype, set_policy
from dopegraph.runtime.device import cpu, device, gpu
from dopegraph.array import ndarray
from dopegraph import numpy
from dopegraph.transform import grad, record, stop_gradient, value_and_grad
