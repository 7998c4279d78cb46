"""Initializers that look at names: different ones for different parameters, arrays from a file, the bias of an LSTM."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dopegraph.array import ndarray
from dopegraph.init.initializer import Initializer, InitializerError, create, register
from dopegraph.numpy.params import load
from dopegraph.runtime.location import here, located


@register()
class LSTMBias(Initializer):
    """Zeros, but `forget_bias` for the forget gate: the second quarter of the bias of an `nn.LSTMCell`."""

    def __init__(self, forget_bias: float = 1.0) -> None:
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, name: str, array: ndarray) -> None:
        size = array.shape[0] // 4
        array[...] = 0
        array[size : 2 * size] = self.forget_bias


@register()
class Mixed(Initializer):
    """For each parameter the first initializer whose regular expression matches the beginning of its name.

    Examples
    --------
    >>> from dopegraph import init, nn
    >>> net = nn.Dense(2, in_units=3, prefix="dense_")
    >>> net.initialize(init.Mixed([".*bias", ".*"], [init.Zero(), init.One()]))
    >>> net.weight.data()
    array([[1., 1., 1.],
           [1., 1., 1.]], dtype=float32)
    """

    def __init__(self, patterns: Sequence[str], initializers: Sequence[Any]) -> None:
        if len(patterns) != len(initializers):
            message = f"Mixed: {len(patterns)} patterns for {len(initializers)} initializers"
            raise InitializerError(located(message, here()))
        super().__init__(patterns=tuple(patterns), initializers=tuple(initializers))
        self.patterns = tuple(patterns)
        self.initializers = tuple(create(one) for one in initializers)

    def __call__(self, name: str, array: ndarray) -> None:
        """Fill an array by the first pattern that matches the name."""
        for pattern, initializer in zip(self.patterns, self.initializers):
            if re.match(pattern, name):
                initializer(name, array)
                return
        message = f"Mixed: no pattern matches {name}; end the list with '.*' and an initializer for all others"
        raise InitializerError(located(message, here()))

    def _init_weight(self, name: str, array: ndarray) -> None:
        self(name, array)


@register()
class Load(Initializer):
    """Arrays from a file or a dict by name, with another initializer for what is not there.

    Parameters
    ----------
    param : str, path, or dict of str to ndarray
        Names may begin with ``arg:`` or ``aux:``.
    default_init : Initializer or str, optional
    """

    def __init__(self, param: Any, default_init: Any = None, verbose: bool = False) -> None:
        super().__init__(default_init=default_init)
        found = param if isinstance(param, Mapping) else load(param)
        if not isinstance(found, Mapping):
            raise InitializerError(located(f"Load: the arrays of {param} have no names", here()))
        self.param = {name[4:] if name[:4] in ("arg:", "aux:") else name: array for name, array in found.items()}
        self.default_init = create(default_init)
        self.verbose = verbose

    def __call__(self, name: str, array: ndarray) -> None:
        """Fill an array with the one of its name."""
        if name in self.param:
            found = self.param[name]
            if found.shape != array.shape:
                message = f"Load: {name} has shape {array.shape}, the one that was loaded {found.shape}"
                raise InitializerError(located(message, here()))
            array[...] = found
        elif self.default_init is None:
            message = f"Load: there is no {name} among what was loaded; give a default_init for such parameters"
            raise InitializerError(located(message, here()))
        else:
            self.default_init(name, array)
        if self.verbose:
            print(f"{name}: {'loaded' if name in self.param else 'initialized'}")

    def _init_weight(self, name: str, array: ndarray) -> None:
        self(name, array)
