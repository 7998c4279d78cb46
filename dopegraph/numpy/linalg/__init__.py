"""Linear algebra with the names of ``numpy.linalg``, traced and differentiable; also `solve_triangular` and `expm`."""

from dopegraph.numpy.linalg.decompositions import eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from dopegraph.numpy.linalg.exponential import expm
from dopegraph.numpy.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from dopegraph.numpy.linalg.products import (
    cross,
    diagonal,
    matmul,
    matrix_transpose,
    multi_dot,
    outer,
    tensordot,
    trace,
    vecdot,
)
from dopegraph.numpy.linalg.results import EighResult, EigResult, LinAlgError, QRResult, SlogdetResult, SVDResult
from dopegraph.numpy.linalg.systems import (
    cholesky,
    det,
    inv,
    lstsq,
    matrix_power,
    pinv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from dopegraph.numpy.placement import place as _place

__all__ = [
    "EigResult", "EighResult", "LinAlgError", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cond", "cross",
    "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "expm", "inv", "lstsq", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve",
    "solve_triangular", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm",
]  # fmt: skip

_place(globals(), __all__)
