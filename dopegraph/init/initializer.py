"""What all initializers share: what a parameter's name says about it, and how they are called by name."""

from __future__ import annotations

from typing import Any

from dopegraph.array import ndarray
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.registry import Registry

# By the end of a parameter's name: what it starts with, unless it has an initializer of its own; as in MXNet.
_BY_NAME = (
    *(("weight", None), ("bias", 0.0), ("gamma", 1.0), ("beta", 0.0)),
    *(("running_mean", 0.0), ("moving_mean", 0.0), ("running_var", 1.0), ("moving_var", 1.0)),
    *(("min", 0.0), ("max", 1.0)),
)


class InitializerError(DopegraphError, ValueError):
    """An initializer that does not exist, or does not fit a parameter."""


class Initializer:
    """The base of all initializers; one of your own defines ``_init_weight(self, name, array)``, which writes into it.

    Parameters
    ----------
    **kwargs
        The arguments it was made with, for printing.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import init
    >>> class Halves(init.Initializer):
    ...     def _init_weight(self, name, array):
    ...         array[:] = 0.5
    >>> x = np.zeros(2)
    >>> Halves()("dense0_weight", x)
    >>> x
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        self._arguments = kwargs

    def __call__(self, name: str, array: ndarray) -> None:
        """Fill an array as the name of its parameter says: biases with zeros, ``gamma`` with ones, weights as drawn."""
        for end, value in _BY_NAME:
            if name.endswith(end):
                if value is None:
                    self._init_weight(name, array)
                else:
                    array[...] = value
                return
        raise InitializerError(
            located(
                f"{name}: its name says nothing about how to begin (weight, bias, gamma, beta, ...); give the "
                f"parameter an initializer, as in Parameter({name!r}, init=init.Zero())",
                here(),
            )
        )

    def init_weight(self, name: str, array: ndarray) -> None:
        """Fill an array whatever its name is: what the initializer of a single parameter does."""
        self._init_weight(name, array)

    def _init_weight(self, name: str, array: ndarray) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _init_weight(self, name, array)")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


_registry = Registry("init", "initializer", InitializerError)
register = _registry.register


def create(init: Any, **kwargs: Any) -> Any:
    """An initializer from its name, or itself.

    Examples
    --------
    >>> from dopegraph import init
    >>> init.create("zeros"), init.create("normal", sigma=0.5)
    (Zero(), Normal(sigma=0.5))
    """
    if not isinstance(init, str):
        return init
    return _registry.find(init)(**kwargs)
