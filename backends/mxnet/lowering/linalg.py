"""Lowering of linear algebra: the determinant; what can refuse a matrix is left to NumPy, which decides so everywhere.

MXNet's potrf and inverse stop at singular matrices as NumPy's do, but not at the same ones: of 3000
singular matrices of small integers, by rounding, every fourth is refused by one and accepted by the other.
"""

from __future__ import annotations

from dopegraph.backends.mxnet.lowering.context import Context, Entry, Rule, carried_shape
from dopegraph.ir.graph import Node

_REFUSED = "which nearly singular matrices are refused is a matter of rounding, so NumPy decides, as it does eagerly"
_SIGNS = "the signs of vectors are a matter of rounding (MXNet's svd has others), so NumPy decides, as it does eagerly"
_COMPLEX = "MXNet has no complex numbers"

# Why the rest is left to NumPy.
ON_NUMPY = {
    **dict.fromkeys(("cholesky", "inv", "solve"), _REFUSED),
    "slogdet": "the sign that MXNet's slogdet gives singular matrices is 1 or -1 by rounding, where NumPy's is 0",
    "triangular_solve": "MXNet's trsm divides by zeros on the diagonal, where an error is due",
    "cofactor": "MXNet has no operator for cofactors",
    "qr": "MXNet has no QR, only the LQ decomposition of wide matrices",
    **dict.fromkeys(("svd", "eigh"), _SIGNS),
    **dict.fromkeys(("svdvals", "eigvalsh", "pinv"), "decompositions run on NumPy, which refuses the same matrices"),
    **dict.fromkeys(("eig", "eigvals", "conj", "real", "imag"), _COMPLEX),
}


def _det(c: Context, node: Node) -> Entry:
    return c.op("_linalg_det", c[node.inputs[0]], shape=carried_shape(node.outputs[0].shape))


RULES: dict[str, Rule] = {"det": _det}
