"""Decompositions: QR, singular values, eigenvalues. Vectors have derivatives for losses that ignore their phases.

Derivatives of vectors divide by the gaps between the values; where two values are equal what belongs to the gap counts
as 0, so that derivatives stay finite. They are right then if the loss does not depend on these vectors.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy import host
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.linalg.operands import adjoint, matrix
from dopegraph.numpy.linalg.results import EighResult, EigResult, QRResult, SVDResult, result_of
from dopegraph.numpy.promotion import convert
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording


def qr(a: Any, mode: str = "reduced") -> Any:
    """Factors of matrices: orthonormal columns times an upper triangle.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., m, n)``; k is the smaller of m and n.
    mode : {"reduced", "complete", "r", "raw"}, optional
        Q of shape ``(..., m, k)`` and R of ``(..., k, n)``; of ``(..., m, m)`` and ``(..., m, n)``; R alone; LAPACK's
        own arrays ``(h, tau)``, on the host.

    Returns
    -------
    QRResult
        ``(Q, R)``, or what the mode says.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> abs(np.linalg.qr(np.array([[3., 0.], [4., 5.]])).R)
    array([[5., 4.],
           [0., 3.]], dtype=float32)
    """
    if mode not in ("reduced", "complete", "r", "raw"):
        raise ValueError(located(f"qr: the mode must be 'reduced', 'complete', 'r' or 'raw', not {mode!r}", here()))
    x = matrix(a, "qr")
    if mode == "raw":
        return tuple(host.call("qr", numpy.linalg.qr, x, "raw"))
    q, r = apply(ops.qr, x, complete=mode == "complete")
    return r if mode == "r" else result_of(QRResult, (q, r))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition of matrices.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., m, n)``; k is the smaller of m and n.
    full_matrices : bool, optional
        Whether the vectors are square matrices, ``(..., m, m)`` and ``(..., n, n)``, or have k columns and k rows. Only
        the latter have derivatives when m and n differ.
    compute_uv : bool, optional
        Whether the vectors are wanted, or the singular values alone.
    hermitian : bool, optional
        Whether the matrices are Hermitian; only the lower triangle is read then.

    Returns
    -------
    SVDResult or ndarray
        ``(U, S, Vh)``, or S, in descending order.

    Raises
    ------
    LinAlgError
        If it does not converge, as with NaN.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.svd(np.array([[3., 0.], [0., 4.]])).S
    array([4., 3.], dtype=float32)
    """
    x = matrix(a, "svd", square=hermitian)
    if not hermitian:
        if not compute_uv:
            return apply(ops.svdvals, x)
        return result_of(SVDResult, apply(ops.svd, x, full_matrices=bool(full_matrices)))
    import dopegraph.numpy as np

    if not compute_uv:
        return np.flip(np.sort(call("absolute", (apply(ops.eigvalsh, x),)), axis=-1), -1)
    w, v = apply(ops.eigh, x)
    order = np.flip(np.argsort(call("absolute", (w,)), axis=-1), -1)
    w = np.take_along_axis(w, order, axis=-1)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    signs = np.where(w < 0, -1.0, 1.0)
    vh = adjoint(u * convert(signs, x.dtype)[..., None, :])
    return result_of(SVDResult, (u, call("absolute", (w,)), vh))


def svdvals(x: Any, /) -> ndarray:
    """Singular values of matrices, in descending order.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.svdvals(np.array([[3., 0.], [0., 4.]]))
    array([4., 3.], dtype=float32)
    """
    return apply(ops.svdvals, matrix(x, "svdvals"))


def _is_lower(name: str, UPLO: Any) -> bool:
    letter = UPLO.upper() if isinstance(UPLO, str) else UPLO
    if letter not in ("L", "U"):
        raise ValueError(located(f"{name}: UPLO argument must be 'L' or 'U', not {UPLO!r}", here()))
    return letter == "L"


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices.

    Parameters
    ----------
    a : array_like
        Of shape ``(..., n, n)``.
    UPLO : {"L", "U"}, optional
        The triangle that is read. Derivatives are those by a Hermitian matrix: they are shared by the triangles.

    Returns
    -------
    EighResult
        ``(eigenvalues, eigenvectors)``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.eigh(np.array([[2., 0.], [0., 1.]])).eigenvalues
    array([1., 2.], dtype=float32)
    """
    lower = _is_lower("eigh", UPLO)
    return result_of(EighResult, apply(ops.eigh, matrix(a, "eigh", square=True), lower=lower))


def eigvalsh(a: Any, UPLO: str = "L") -> ndarray:
    """Eigenvalues of Hermitian matrices, ascending; see `eigh`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.eigvalsh(np.array([[2., 0.], [0., 1.]]))
    array([1., 2.], dtype=float32)
    """
    lower = _is_lower("eigvalsh", UPLO)
    return apply(ops.eigvalsh, matrix(a, "eigvalsh", square=True), lower=lower)


# Since NumPy 2.5 results are complex, always; before, they are real when they happen to be.
_ALWAYS_COMPLEX = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 5)


def _is_traced(x: ndarray) -> bool:
    """Whether the dtype of eigenvalues is known without a look at them: NumPy computes the others."""
    recording = active_recording()
    return _ALWAYS_COMPLEX or x.dtype.kind == "c" or (recording is not None and recording.differentiating)


def eig(a: Any) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices.

    Of real matrices the results are complex since NumPy 2.5; with an older NumPy they are real when they happen to be,
    and computed on the host. Where derivatives are recorded they are complex with every NumPy.

    Returns
    -------
    EigResult
        ``(eigenvalues, eigenvectors)``; the vectors have length 1.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.eig(np.array([[0., 1.], [-1., 0.]])).eigenvalues
    array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    x = matrix(a, "eig", square=True)
    return result_of(EigResult, apply(ops.eig, x) if _is_traced(x) else host.call("eig", numpy.linalg.eig, x))


def eigvals(a: Any) -> ndarray:
    """Eigenvalues of square matrices; see `eig`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.eigvals(np.array([[0., 2.], [-2., 0.]]))
    array([0.+2.j, 0.-2.j], dtype=complex64)
    """
    x = matrix(a, "eigvals", square=True)
    return apply(ops.eigvals, x) if _is_traced(x) else host.call("eigvals", numpy.linalg.eigvals, x)
