"""Gives parameters their first values: initializers with MXNet's names and arguments, for `nn.Parameter` and `Block`.

Stands beside `nn`, on `dopegraph.numpy` alone.
"""

from dopegraph.init.initializer import Initializer, create, register
from dopegraph.init.patterns import Load, LSTMBias, Mixed
from dopegraph.init.scaled import Bilinear, MSRAPrelu, Orthogonal, Xavier
from dopegraph.init.simple import Constant, Normal, One, Uniform, Zero

__all__ = [
    "Bilinear",
    "Constant",
    "Initializer",
    "LSTMBias",
    "Load",
    "MSRAPrelu",
    "Mixed",
    "Normal",
    "One",
    "Orthogonal",
    "Uniform",
    "Xavier",
    "Zero",
    "create",
    "register",
]
