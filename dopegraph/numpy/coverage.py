"""`coverage`: which of NumPy's functions are traced, differentiable, run by MXNet, or run on the host."""

from __future__ import annotations

from typing import NamedTuple

import numpy

from dopegraph.numpy.coverage_table import DIFFERENTIABLE, MXNET, TRACED

__all__ = ["coverage"]

_NAMESPACES = ("fft", "linalg", "random")


class Coverage(NamedTuple):
    """What holds for a function; of one that is not traced, nothing: it runs in NumPy, on the host."""

    traced: bool
    differentiable: bool
    mxnet: bool

    def __str__(self) -> str:
        held = [name for name, yes in zip(("traced", "differentiable", "MXNet"), self) if yes]
        return ", ".join(held) or "host"


def coverage() -> dict[str, Coverage]:
    """What holds for each public function of NumPy; measured by ``docs/coverage.py``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> print(np.coverage()["tanh"])
    traced, differentiable, MXNet
    >>> print(np.coverage()["linalg.inv"])
    traced, differentiable
    >>> print(np.coverage()["unique"])
    host
    """
    return {name: Coverage(name in TRACED, name in DIFFERENTIABLE, name in MXNET) for name in public_functions()}


def public_functions() -> list[str]:
    """Names of NumPy's public functions, those of its namespaces with the namespace in front."""
    names = []
    for prefix, module in [("", numpy), *((f"{one}.", getattr(numpy, one)) for one in _NAMESPACES)]:
        for name in getattr(module, "__all__", dir(module)):
            value = getattr(module, name, None)
            if not name.startswith("_") and callable(value) and not isinstance(value, type):
                names.append(prefix + name)
    return sorted(names)
