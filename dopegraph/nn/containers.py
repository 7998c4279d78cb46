"""Blocks made of others, one after the other, and of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dopegraph.numpy as np
from dopegraph.nn.block import Block


class Sequential(Block):
    """Blocks that are called one after the other, each with what the one before it gave.

    Examples
    --------
    >>> from dopegraph import nn
    >>> net = nn.Sequential()
    >>> with net.name_scope():
    ...     net.add(nn.Dense(256, activation="relu"), nn.Dropout(0.5))
    ...     net.add(nn.Dense(10))
    >>> net
    Sequential(
      (0): Dense(None -> 256, Activation(relu))
      (1): Dropout(p = 0.5, axes=())
      (2): Dense(None -> 10, linear)
    )
    >>> len(net), net[-1]
    (3, Dense(None -> 10, linear))
    """

    def __init__(self, *blocks: Block, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.layers: list[Block] = []
        self.add(*blocks)

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end."""
        for block in blocks:
            if not isinstance(block, Block):
                raise TypeError(
                    f"Sequential.add: blocks, not a {type(block).__name__}; nn.Lambda makes one of a function"
                )
            self.layers.append(block)

    def forward(self, x: Any, *args: Any) -> Any:
        """Call all blocks; more arguments go to the first one."""
        for layer in self.layers:
            x = layer(x, *args)
            args = ()
            if isinstance(x, (tuple, list)):
                args = tuple(x[1:])
                x = x[0]
        return (x, *args) if args else x

    def children(self) -> Iterator[tuple[str, Block]]:
        """The blocks, with their numbers."""
        return ((str(number), layer) for number, layer in enumerate(self.layers))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.layers)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            part = type(self)(prefix=self.prefix)
            part.add(*self.layers[key])
            return part
        return self.layers[key]


class HybridSequential(Sequential):
    """The same as `Sequential`, under the name that programs for Gluon use where they compile."""


class Concurrent(Sequential):
    """Blocks that all get the same, and whose results are put together along an axis.

    Parameters
    ----------
    axis : int

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> both = nn.Concurrent(axis=1)
    >>> both.add(nn.Lambda("relu"), nn.Lambda("tanh"))
    >>> both(np.ones((2, 3))).shape
    (2, 6)
    """

    def __init__(self, axis: int = -1, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def forward(self, x: Any, *args: Any) -> Any:
        """Call all blocks with the same."""
        return np.concatenate([layer(x, *args) for layer in self.layers], axis=self.axis)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            part = type(self)(self.axis, prefix=self.prefix)
            part.add(*self.layers[key])
            return part
        return self.layers[key]


class HybridConcurrent(Concurrent):
    """The same as `Concurrent`, under the name that programs for Gluon use where they compile."""


class Lambda(Block):
    """A function as a block.

    Parameters
    ----------
    function : callable or str
        Of the arguments; a string is a name in `dopegraph.nn` or `dopegraph.numpy`.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.Lambda("tanh")([0.0])
    array([0.], dtype=float32)
    """

    def __init__(self, function: Callable[..., Any] | str, prefix: str | None = None) -> None:
        super().__init__(prefix)
        if isinstance(function, str):
            from dopegraph import nn, numpy

            function = getattr(nn, function) if hasattr(nn, function) else getattr(numpy, function)
        if not callable(function):
            raise ValueError(f"Lambda: a function, or the name of one, not {function!r}")
        self.function = function

    def forward(self, *args: Any) -> Any:
        """Call the function."""
        return self.function(*args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self.function, '__name__', self.function)})"


HybridLambda = Lambda
HybridBlock = Block
