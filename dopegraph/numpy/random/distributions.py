"""What `Generator` and `RandomState` have in common: distributions, copying and pickling, and what a seed may be."""

from __future__ import annotations

import copy
from typing import Any

import numpy

from dopegraph.numpy.random.continuous import Continuous
from dopegraph.numpy.random.discrete import Discrete
from dopegraph.numpy.random.gammas import Gammas
from dopegraph.numpy.random.permuting import Permuting
from dopegraph.numpy.random.state import BitGenerator, Philox
from dopegraph.numpy.random.vectors import Vectors
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


class Distributions(Continuous, Gammas, Discrete, Permuting, Vectors):
    """What `Generator` and `RandomState` have in common."""

    def __init__(self, bits: Philox) -> None:
        self._bits = bits

    def __copy__(self) -> Any:
        """Another object that goes on drawing from the same state."""
        twin = object.__new__(type(self))
        twin._bits = self._bits
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = object.__new__(type(self))
        twin._bits = copy.deepcopy(self._bits, memo)
        return twin

    def __reduce__(self) -> Any:
        return _restored, (type(self), self._bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(Philox)"


def _restored(kind: type, bits: Philox) -> Any:
    made = object.__new__(kind)
    made._bits = bits
    return made


def bits_of(seed: Any, name: str) -> Philox:
    """The bit generator that a seed, or what has one, stands for."""
    if isinstance(seed, Distributions):
        return seed._bits
    if isinstance(seed, Philox):
        return seed
    if isinstance(seed, (numpy.random.BitGenerator, numpy.random.Generator, numpy.random.RandomState, BitGenerator)):
        message = (
            f"a {type(seed).__name__} of NumPy's keeps a state that graphs cannot; give a seed or a Philox of ours"
        )
        raise DTypeError(located(f"random.{name}: {message}", here()))
    return Philox(seed)
