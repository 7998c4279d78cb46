"""The primitive operators, one declaration each: type rule, NumPy kernel, gradient rules, flags.

A primitive is declared in the file of its family; importing this package declares them all.
"""

from dopegraph.ops.bitwise import *  # noqa: F403
from dopegraph.ops.bitwise import __all__ as _bitwise
from dopegraph.ops.complex import complex, conj, imag, real
from dopegraph.ops.creation import constant, full, iota
from dopegraph.ops.elementwise import *  # noqa: F403
from dopegraph.ops.elementwise import __all__ as _elementwise
from dopegraph.ops.fft import fft, irfft, rfft
from dopegraph.ops.floating import *  # noqa: F403
from dopegraph.ops.floating import __all__ as _floating
from dopegraph.ops.indexing import one_hot, scatter, scatter_add, take, take_scatter
from dopegraph.ops.matmul import matmul
from dopegraph.ops.nn import (
    avg_pool,
    avg_pool_grad,
    conv,
    conv_grad_data,
    conv_grad_weight,
    log_softmax,
    max_pool,
    max_pool_grad,
    max_pool_take,
    softmax,
)
from dopegraph.ops.random import (
    random_advance,
    random_integers,
    random_normal,
    random_permutation,
    random_uniform,
)
from dopegraph.ops.reduction import all, any, argmax, argmin, cumsum, max, min, prod, sum, sum_to_shape
from dopegraph.ops.shape import (
    bitcast,
    broadcast_to,
    concat,
    flip,
    reshape,
    slice_update,
    strided_slice,
    transpose,
    unslice,
)

__all__ = [
    *_bitwise,
    *_elementwise,
    *_floating,
    "all",
    "any",
    "argmax",
    "argmin",
    "avg_pool",
    "avg_pool_grad",
    "bitcast",
    "broadcast_to",
    "complex",
    "concat",
    "conj",
    "constant",
    "conv",
    "conv_grad_data",
    "conv_grad_weight",
    "cumsum",
    "fft",
    "flip",
    "full",
    "imag",
    "iota",
    "irfft",
    "log_softmax",
    "matmul",
    "max",
    "max_pool",
    "max_pool_grad",
    "max_pool_take",
    "min",
    "one_hot",
    "prod",
    "random_advance",
    "random_integers",
    "random_normal",
    "random_permutation",
    "random_uniform",
    "real",
    "reshape",
    "rfft",
    "scatter",
    "scatter_add",
    "slice_update",
    "softmax",
    "strided_slice",
    "sum",
    "sum_to_shape",
    "take",
    "take_scatter",
    "transpose",
    "unslice",
]
