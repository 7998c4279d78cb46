"""The named tuples that functions of `linalg` return, with NumPy's names; they may go in and out of compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy

from dopegraph.array import ndarray

LinAlgError = numpy.linalg.LinAlgError
Result = TypeVar("Result", bound=tuple)  # type: ignore[type-arg]


def result_of(kind: type[Result], arrays: Iterable[ndarray]) -> Result:
    """A named tuple; not by its constructor, generated Python that a recording cannot tell from anybody's."""
    return tuple.__new__(kind, arrays)


class EigResult(NamedTuple):
    """What `eig` returns; column ``[..., :, i]`` of the vectors belongs to the value ``[..., i]``."""

    eigenvalues: ndarray
    eigenvectors: ndarray


class EighResult(NamedTuple):
    """What `eigh` returns; the values ascend."""

    eigenvalues: ndarray
    eigenvectors: ndarray


class QRResult(NamedTuple):
    """What `qr` returns: orthonormal columns, and an upper triangle."""

    Q: ndarray
    R: ndarray


class SlogdetResult(NamedTuple):
    """What `slogdet` returns: the determinant is ``sign * exp(logabsdet)``."""

    sign: ndarray
    logabsdet: ndarray


class SVDResult(NamedTuple):
    """What `svd` returns: the matrix is ``(U * S[..., None, :]) @ Vh``; the singular values descend."""

    U: ndarray
    S: ndarray
    Vh: ndarray
