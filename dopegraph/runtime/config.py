"""Choices that hold for a stretch of code: the default floating dtype and the engine policy.

Both are thread-local, both are part of the key of a compiled function.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
import types
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import numpy

from dopegraph.runtime.direct import hold, hold_in_every_thread, release

F = TypeVar("F", bound=Callable[..., Any])

POLICIES = ("prefer_mxnet", "only_numpy", "only_mxnet")

# DOPEGRAPH_CODEGEN in the environment, and what it means.
_CODEGEN = {"0": "never", "1": "auto", "never": "never", "auto": "auto", "always": "always"}


class _Config(threading.local):
    """``DOPEGRAPH_POLICY`` in the environment chooses the policy that everything starts with."""

    default_dtype: numpy.dtype[Any] = numpy.dtype("float32")
    training: bool = False
    policy: str = os.environ.get("DOPEGRAPH_POLICY", "prefer_mxnet")
    memory: int | None = None
    codegen: str = _CODEGEN.get(os.environ.get("DOPEGRAPH_CODEGEN", "auto"), "")


_config = _Config()
if _config.policy not in POLICIES:
    raise ValueError(f"DOPEGRAPH_POLICY: {_config.policy!r} is not one of {', '.join(POLICIES)}")
if not _config.codegen:
    raise ValueError(f"DOPEGRAPH_CODEGEN: {os.environ['DOPEGRAPH_CODEGEN']!r} is not one of {', '.join(_CODEGEN)}")
if _config.policy == "only_mxnet":
    hold_in_every_thread()


def default_dtype() -> numpy.dtype[Any]:
    """The dtype of new floating arrays that are given none (float32 unless set)."""
    return _config.default_dtype


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype of new floating arrays: ``"float32"`` (the default) or ``"float64"`` (strict NumPy).

    Examples
    --------
    >>> import dopegraph
    >>> dopegraph.set_default_dtype("float64")
    >>> dopegraph.numpy.zeros(2).dtype
    dtype('float64')
    >>> dopegraph.set_default_dtype("float32")
    """
    chosen = numpy.dtype(dtype)
    if chosen not in (numpy.dtype("float16"), numpy.dtype("float32"), numpy.dtype("float64")):
        raise TypeError(f"set_default_dtype: {dtype!r} is not a floating dtype; use 'float32' or 'float64'")
    _config.default_dtype = chosen


def current_policy() -> str:
    """The policy in force: one of ``prefer_mxnet``, ``only_numpy``, ``only_mxnet``."""
    return _config.policy


class policy:
    """Choose the engine for a stretch of code, as a context manager or a decorator.

    Parameters
    ----------
    name : {"prefer_mxnet", "only_numpy", "only_mxnet"}
        ``prefer_mxnet`` runs on MXNet what it has, the rest on NumPy; ``only_numpy`` never uses MXNet;
        ``only_mxnet`` makes a fallback to NumPy an error, eagerly too. A generator or coroutine function may be
        decorated as well: its body runs under the policy, its caller does not.

    Examples
    --------
    >>> import dopegraph
    >>> with dopegraph.policy("only_numpy"):
    ...     dopegraph.current_policy()
    'only_numpy'
    """

    def __init__(self, name: str) -> None:
        if name not in POLICIES:
            raise ValueError(f"policy: {name!r} is not one of {', '.join(POLICIES)}")
        self.name = name
        self._outer = _Outer()

    def __enter__(self) -> policy:
        self._outer.policies.append(_config.policy)
        _choose(self.name)
        return self

    def __exit__(self, *exc: object) -> None:
        _choose(self._outer.policies.pop())

    def __call__(self, function: F) -> F:
        if inspect.isasyncgenfunction(function):
            raise TypeError("policy: an asynchronous generator cannot be decorated; use `with policy(...)` inside it")
        name = self.name
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def under_policy(*args: Any, **kwargs: Any) -> Any:
                return (yield from _resumed(name, function(*args, **kwargs)))

        elif inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def under_policy(*args: Any, **kwargs: Any) -> Any:
                return await types.coroutine(_resumed)(name, function(*args, **kwargs))

        else:

            @functools.wraps(function)
            def under_policy(*args: Any, **kwargs: Any) -> Any:
                with policy(name):
                    return function(*args, **kwargs)

        return under_policy  # type: ignore[return-value]


def _choose(name: str) -> None:
    """Change this thread's policy; where MXNet has to run everything, operations take no shortcut to NumPy."""
    before, _config.policy = _config.policy, name
    if (name == "only_mxnet") != (before == "only_mxnet"):
        (hold if name == "only_mxnet" else release)()


class _Outer(threading.local):
    """The policies to go back to: one `policy` may be entered by several threads, and again inside itself."""

    def __init__(self) -> None:
        self.policies: list[str] = []


def _resumed(name: str, body: Any) -> Generator[Any, Any, Any]:
    """Run a generator or coroutine under a policy whenever it is resumed; whoever resumes it keeps his own."""
    step, given = body.send, None
    while True:
        with policy(name):
            try:
                made = step(given)
            except StopIteration as end:
                return end.value
        try:
            step, given = body.send, (yield made)
        except GeneratorExit:
            with policy(name):
                body.close()
            raise
        except BaseException as error:
            step, given = body.throw, error


def set_policy(name: str) -> None:
    """Choose the engine for the rest of this thread; see :class:`policy`."""
    _choose(policy(name).name)


def codegen_mode() -> str:
    """When graphs are compiled to C: ``auto``, ``always`` or ``never``."""
    return _config.codegen


class codegen:
    """Choose when compiled graphs get generated C kernels, for a stretch of code.

    Parameters
    ----------
    mode : {"auto", "always", "never"}
        ``auto`` compiles graphs that do enough work for it to pay, ``always`` all, which a short loop over small arrays
        may want. Kernels belong to the policy ``prefer_mxnet``, on the CPU; the variable ``DOPEGRAPH_CODEGEN`` (0, 1 or
        one of these names) chooses what a process starts with.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> with dopegraph.codegen("never"):
    ...     dopegraph.compile(lambda x: np.exp(x) * 2)(np.zeros(2))
    array([2., 2.], dtype=float32)
    """

    def __init__(self, mode: str) -> None:
        if mode not in _CODEGEN.values():
            raise ValueError(f"codegen: {mode!r} is not one of auto, always, never")
        self.mode = mode
        self._outer: list[str] = []

    def __enter__(self) -> codegen:
        self._outer.append(_config.codegen)
        _config.codegen = self.mode
        return self

    def __exit__(self, *exc: object) -> None:
        _config.codegen = self._outer.pop()


def memory_budget() -> int | None:
    """Bytes that programs compiled now may plan for, arguments included; None for as many as are fastest."""
    return _config.memory


def engines() -> tuple[str, str, int | None]:
    """All that decides which program is made of a graph: policy, code generation, budget."""
    return _config.policy, _config.codegen, _config.memory


class memory_limit:
    """A budget of bytes for a stretch of code; ``compile(memory=...)`` is how users say it."""

    def __init__(self, nbytes: int | None) -> None:
        self.nbytes = nbytes
        self._outer: list[int | None] = []

    def __enter__(self) -> memory_limit:
        self._outer.append(_config.memory)
        _config.memory = self.nbytes
        return self

    def __exit__(self, *exc: object) -> None:
        _config.memory = self._outer.pop()


def is_training() -> bool:
    """Whether code runs in training mode: inside ``record()`` or ``train_mode()``."""
    return _config.training


class training_mode:
    """Training or prediction mode for a stretch of code; ``train_mode()`` and ``predict_mode()`` make it."""

    def __init__(self, training: bool) -> None:
        self.training = training
        self._outer: list[bool] = []

    def __enter__(self) -> training_mode:
        self._outer.append(_config.training)
        _config.training = self.training
        return self

    def __exit__(self, *exc: object) -> None:
        _config.training = self._outer.pop()


def train_mode() -> training_mode:
    """Code inside the ``with`` block runs in training mode."""
    return training_mode(True)


def predict_mode() -> training_mode:
    """Code inside the ``with`` block runs in prediction mode."""
    return training_mode(False)
