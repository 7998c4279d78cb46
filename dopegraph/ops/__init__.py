"""The primitive operators, one declaration each: type rule, NumPy kernel, gradient rules, flags.

A primitive is declared in the file of its family; importing this package declares them all.
"""

from dopegraph.ops.creation import constant, full, iota
from dopegraph.ops.elementwise import *  # noqa: F403
from dopegraph.ops.elementwise import __all__ as _elementwise
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
from dopegraph.ops.shape import broadcast_to, concat, flip, reshape, slice_update, strided_slice, transpose, unslice

__all__ = [
    *_elementwise,
    "all",
    "any",
    "argmax",
    "argmin",
    "avg_pool",
    "avg_pool_grad",
    "broadcast_to",
    "concat",
    "constant",
    "conv",
    "conv_grad_data",
    "conv_grad_weight",
    "cumsum",
    "flip",
    "full",
    "iota",
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
    "reshape",
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
