"""Lowering of linear algebra: the determinant; what can refuse a matrix is left to NumPy, which decides so everywhere.

MXNet's potrf and inverse stop at singular matrices as NumPy's do, but by rounding not at the same ones: of 3000 singular
matrices of small integers every fourth is refused by one and not by the other.
"""

from __future__ import annotations

from dopegraph.backends.mxnet.lowering.context import Context, Entry, Rule, carried_shape
from dopegraph.ir.graph import Node

# Why the rest is left to NumPy.
ON_NUMPY = {
    "cholesky": "MXNet's potrf does not refuse the same matrices as NumPy when they are nearly singular",
    "inv": "MXNet's inverse does not refuse the same matrices as NumPy when they are nearly singular",
    "slogdet": "the sign that MXNet's slogdet gives singular matrices is 1 or -1 by rounding, where NumPy's is 0",
    "triangular_solve": "MXNet's trsm divides by zeros on the diagonal, where an error is due",
    "solve": "MXNet has no general solver; the product with an inverse is less exact",
    "pinv": "MXNet has no pseudo-inverse",
    "cofactor": "MXNet has no cofactors, nor the singular value decomposition that they need",
    "qr": "MXNet has the LQ decomposition of wide real matrices only",
    "svd": "MXNet's gesvd takes wide matrices only and chooses other signs than NumPy",
    "svdvals": "MXNet's gesvd takes wide matrices only",
    "eigh": "MXNet's syevd chooses other signs of the vectors than NumPy",
    "eigvalsh": "MXNet's syevd computes the vectors as well",
    "eig": "MXNet has no complex numbers",
    "eigvals": "MXNet has no complex numbers",
    "conj": "MXNet has no complex numbers",
    "real": "MXNet has no complex numbers",
    "imag": "MXNet has no complex numbers",
}


def _det(c: Context, node: Node) -> Entry:
    return c.op("_linalg_det", c[node.inputs[0]], shape=carried_shape(node.outputs[0].shape))


RULES: dict[str, Rule] = {"det": _det}
