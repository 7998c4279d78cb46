"""The primitive operators, one declaration each: type rule, NumPy kernel, gradient rules, flags.

A primitive is declared in the file of its family; importing this package declares them all.
"""

# ruff: noqa: F401, F403 - what is declared here is imported to be found by name
from dopegraph.ir.primitive import Primitive
from dopegraph.ops.bitwise import *
from dopegraph.ops.circular import bessel_ratio, vonmises_tail
from dopegraph.ops.complex import complex, conj, imag, real
from dopegraph.ops.creation import constant, full, iota
from dopegraph.ops.decompositions import eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from dopegraph.ops.diagonal import diagonal
from dopegraph.ops.elementwise import *
from dopegraph.ops.fft import fft, irfft, rfft
from dopegraph.ops.floating import *
from dopegraph.ops.foreign import mxnet_gradient, mxnet_operator
from dopegraph.ops.host import host_call
from dopegraph.ops.indexing import one_hot, scatter, scatter_add, take, take_scatter
from dopegraph.ops.linalg import cholesky, cofactor, det, inv, pinv, slogdet, solve, triangular_solve
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
from dopegraph.ops.positions import ravel_multi_index, unravel_index
from dopegraph.ops.random import (
    random_advance,
    random_integers,
    random_normal,
    random_permutation,
    random_uniform,
)
from dopegraph.ops.random_continuous import correlated, covariance_inverse, random_gamma, random_vonmises, random_wald
from dopegraph.ops.random_discrete import (
    random_between,
    random_binomial,
    random_categorical,
    random_choice,
    random_geometric,
    random_hypergeometric,
    random_logseries,
    random_multinomial,
    random_multivariate_hypergeometric,
    random_negative_binomial,
    random_permuted,
    random_poisson,
    random_zipf,
)
from dopegraph.ops.recurrence import recurrence
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
from dopegraph.ops.signal import convolve
from dopegraph.ops.sorting import (
    argpartition,
    argsort,
    checked,
    cummax,
    cummin,
    cumprod,
    partition,
    put_along_axis,
    scatter_add_along_axis,
    searchsorted,
    sort,
    take_along_axis,
)
from dopegraph.ops.special import erfcx, gamma_tail, polygamma
from dopegraph.ops.vision import suppress

__all__ = sorted([name for name, value in globals().items() if isinstance(value, Primitive)] + ["sum_to_shape"])
