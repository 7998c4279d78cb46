"""``compile``, as a function and a decorator; `compiled.py` has what it makes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dopegraph.state.static import Numbers, Strings, static_arguments
from dopegraph.transform.compiled import Compiled


def compile(
    function: Callable[..., Any] | None = None,
    *,
    static_argnums: Numbers = (),
    static_argnames: Strings = (),
    fullgraph: bool = False,
    cache_size: int = 64,
    memory: int | None = None,
) -> Any:
    """Compile a function written with `dopegraph.numpy`; also as a decorator, with options, and of methods.

    The first call with arguments of given shapes and dtypes records the function as a graph, which is optimized and
    compiled; later calls run the compiled program, and leave arrays that the function reads or writes, wherever it
    reaches them, as the function would have left them. Calls that cannot be replayed run as Python; `explain` says why.

    Parameters
    ----------
    function : callable
        Arguments may be arrays (NumPy's are wrapped without a copy), nested containers of them, Python floats, which
        may change freely, and anything else, for each value of which the function is recorded once.
    static_argnums : int or sequence of int
        Arguments that are part of the graph: the function is recorded once for each of their values, and gets them as
        they are, so that Python may branch on them. They must be hashable, and are compared by type and equality. Of a
        method that is compiled in its class, `self` is number 0.
    static_argnames : str or sequence of str
        The same by name. A parameter that has both is static however it is passed.
    fullgraph : bool
        A call that would run as Python is an error. What is known before the function runs (its state cannot be
        compared, or an earlier call like this one could not be replayed) is raised before anything is changed;
        everything else after the call, with the state as the function leaves it; so is a first call that sets up what
        later calls only read, which has to be made uncompiled. Nodes that run on NumPy are no breaks.
    cache_size : int
        How many situations to keep; the least recently used is forgotten, with a warning.
    memory : int, optional
        Bytes that the plan of a program shall need at most, arguments included (`lower(...).memory().planned`). Values
        that wait long for their next use are then computed again: more time for less memory. A budget that cannot be
        kept gives the smallest plan that was found.

    Returns
    -------
    Compiled
        A callable with ``cache_info()``, ``clear_cache()`` and ``lower(*args)``.

    Raises
    ------
    StaticArgumentError
        When the function has no such argument, or, at a call, when a static argument is not hashable.
    GraphBreakError
        At a call, with `fullgraph`.

    Warns
    -----
    RecompileWarning
        At the third recompilation in a row, once for each kind of change, and when the cache is full.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> w = np.ones(3)
    >>> @dopegraph.compile
    ... def step(x, lr):
    ...     global w
    ...     w -= lr * x
    ...     return (w * x).sum()
    >>> step(np.ones(3), 0.5), step(np.ones(3), 0.25)
    (array(1.5, dtype=float32), array(0.75, dtype=float32))
    >>> @dopegraph.compile(static_argnames="p")
    ... def norm(x, p=2.0):
    ...     return np.abs(x).max() if p > 100 else (np.abs(x) ** p).sum() ** (1 / p)
    >>> norm(np.ones(4)), norm(np.ones(4), p=1e9)
    (array(2., dtype=float32), array(1., dtype=float32))
    """
    if function is None:
        return functools.partial(
            compile,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            fullgraph=fullgraph,
            cache_size=cache_size,
            memory=memory,
        )
    if not callable(function):
        raise TypeError(f"compile takes a function, not a {type(function).__name__}")
    if cache_size < 1:
        raise ValueError(f"compile: cache_size must be at least 1, not {cache_size}")
    if memory is not None and memory < 0:
        raise ValueError(f"compile: memory is a number of bytes, not {memory}")
    return Compiled(
        function, static_arguments(function, static_argnums, static_argnames), fullgraph, cache_size, memory
    )
