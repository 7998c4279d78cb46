"""``host_call`` and ``customop``: a function of the user's own, written with NumPy, inside of compiled functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.array import computed, ndarray, traced
from dopegraph.dispatch import apply
from dopegraph.ir.types import TensorType
from dopegraph.numpy.promotion import SUPPORTED, as_array
from dopegraph.ops import host
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.errors import DTypeError, StructureError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.trace.active import Evaluating, active_recording, outside_recordings
from dopegraph.trace.recording import Recording
from dopegraph.trace.tree import Structure, flatten
from dopegraph.transform.differentiated import fitted

# What of NumPy tells a shape and a dtype, beside `TensorType`.
_TYPED = (TensorType, ndarray, numpy.ndarray, numpy.generic)


class HostCall(Unchanging):
    """A function that `host_call` made.

    Attributes
    ----------
    function, gradient : callable
    results : containers of types, callable, or None
    """

    def __init__(self, function: Callable[..., Any], results: Any, gradient: Callable[..., Any] | None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.results = results
        self.gradient = gradient
        self.name = getattr(function, "__name__", type(function).__name__)
        # By the containers of the arguments: the callback's name, and the containers of what it gives.
        self._callbacks: dict[Any, tuple[str, list[Structure]]] = {}

    def __call__(self, *args: Any) -> Any:
        leaves, structure = flatten(args)
        arrays = [as_array(leaf) for _, leaf in leaves]
        name, given = self._callback(structure, len(leaves))
        recording = active_recording()
        declared = self._types(structure, [array._type for array in arrays])
        if declared is None:
            made = self._found_out(name, arrays, recording)
        else:
            types, given[:] = declared[0], declared[1:]
            attrs = {"callback": name, "types": host.types_attribute(types), "call": _count(recording)}
            made = apply(host.host_call, *arrays, **attrs)
        return given[0].build(made if isinstance(made, tuple) else (made,))

    def _types(self, structure: Structure, operands: Sequence[TensorType]) -> tuple[list[TensorType], Structure] | None:
        """The types of the results, and the containers around them, if they were declared."""
        results = self.results
        if results is None:
            return None
        if callable(results) and not isinstance(results, _TYPED):
            with Evaluating():
                results = results(*structure.build(operands))
        leaves, containers = flatten(results)
        for path, leaf in leaves:
            if not isinstance(leaf, _TYPED):
                raise StructureError(
                    located(
                        f"host_call: results{path} is a {type(leaf).__name__}; give a TensorType, or an array", here()
                    )
                )
        return [TensorType(leaf.dtype, leaf.shape) for _, leaf in leaves], containers

    def _found_out(self, name: str, arrays: Sequence[ndarray], recording: Recording | None) -> tuple[ndarray, ...]:
        """The results where their types were not declared: only running it tells them."""
        run = host.callbacks[name].run
        if recording is None:
            return tuple([computed(one) for one in run(host.read_only([array._settled().array for array in arrays]))])
        values = [recording.value_of(array) for array in arrays]
        operands = [buffer.array for buffer in recording.seen(values)]
        try:
            with Evaluating():
                results = host.owned(run(host.read_only(operands)))
        except Exception:
            recording.escape("error", f"{self.name} raised an exception")
            raise
        types = host.types_attribute([TensorType(one.dtype, one.shape) for one in results])
        attrs: dict[str, Any] = {"callback": name, "types": types, "call": _count(recording)}
        made = recording.builder.emit(host.host_call, values, attrs)
        made = made if isinstance(made, tuple) else (made,)
        recording.known.update(zip(made, map(Buffer, results)))
        return tuple([traced(value, recording) for value in made])

    def _callback(self, structure: Structure, leaves: int) -> tuple[str, list[Structure]]:
        found = self._callbacks.get(structure)
        if found is None:
            given: list[Structure] = []
            gradient = None
            if self.gradient is not None:
                gradient = host.register(f"gradient of {self.name}", self._gradient_run(structure, leaves, given))
            name = host.register(self.name, self._run(structure, given), gradient)
            found = self._callbacks[structure] = name, given
        return found

    def _run(self, structure: Structure, given: list[Structure]) -> host.Run:
        def run(operands: Sequence[numpy.ndarray]) -> list[numpy.ndarray]:
            with outside_recordings():
                result = self.function(*structure.build(operands))
            leaves, containers = flatten(result)
            given[:] = [containers]
            return [_array(self.name, path, leaf) for path, leaf in leaves]

        return run

    def _gradient_run(self, structure: Structure, leaves: int, given: list[Structure]) -> host.Run:
        """Cotangents of the floating operands, given those of the results, the results, and the operands."""

        def run(operands: Sequence[numpy.ndarray]) -> list[numpy.ndarray]:
            results = (len(operands) - leaves) // 2
            heads, values, rest = operands[:results], operands[results : 2 * results], operands[2 * results :]
            (containers,) = given
            assert self.gradient is not None and structure.children is not None
            with outside_recordings():
                found = self.gradient(containers.build(heads), containers.build(values), *structure.build(rest))
            if not isinstance(found, tuple):
                found = (found,)
            if len(found) != len(structure.children):
                message = f"gave {len(found)} cotangents for {len(structure.children)} arguments"
                raise StructureError(f"the gradient of {self.name} {message}")
            parts = [leaf for child, one in zip(structure.children, found) for leaf in fitted(child, one, self.name)]
            return [
                numpy.zeros_like(operand) if part is None else numpy.asarray(part, operand.dtype)
                for (_, part), operand in zip(parts, rest)
                if operand.dtype.kind in "fc"
            ]

        return run

    def __repr__(self) -> str:
        return f"<host_call {self.name}>"


def _count(recording: Recording | None) -> int:
    """Tells the calls of a recording apart: none of them stands for another."""
    if recording is None:
        return 0
    recording.host_calls += 1
    return recording.host_calls


def _array(name: str, path: str, leaf: Any) -> numpy.ndarray:
    array = numpy.asarray(leaf._settled().array if isinstance(leaf, ndarray) else leaf)
    if array.dtype not in SUPPORTED:
        raise DTypeError(f"host_call: {name} gave result{path} of {array.dtype}, which no array of ours has")
    return array


def host_call(
    function: Callable[..., Any] | None = None,
    results: Any = None,
    *,
    gradient: Callable[..., Any] | None = None,
) -> Any:
    """Make a function of NumPy arrays usable in compiled functions, which call it wherever they are replayed.

    Parameters
    ----------
    function : callable
        Takes NumPy arrays that it cannot write to (in containers, if it is called with containers), and gives arrays,
        numbers or containers of them. It should be a function of its arguments: it is called once for each call, in
        the order in which data flows. What it changes elsewhere is its own affair. Without it: a decorator.
    results : containers of types, or callable
        `dopegraph.ir.TensorType`, or arrays of the shapes and dtypes of the results; or a function that gives those for
        the types of the arguments. Other results are an error. Without it the function is run when it is recorded,
        and must give arrays of the same shapes and dtypes for all arguments of the same types.
    gradient : callable, optional
        ``gradient(g, result, *args)``, of NumPy arrays too: for each argument its cotangent, or None for zeros; `g` is
        like the result. Without it a derivative is an error.

    Returns
    -------
    callable
        Takes and gives arrays of `dopegraph`; numbers become arrays.

    Raises
    ------
    ShapeError, DTypeError
        At a call, when the function gives something else than `results`.

    Examples
    --------
    >>> import numpy, dopegraph, dopegraph.numpy as np
    >>> @dopegraph.host_call(results=lambda x: x, gradient=lambda g, y, x: g * numpy.cos(x))
    ... def sine(x):
    ...     return numpy.sin(x)
    >>> f = dopegraph.compile(lambda x: (sine(x) * 2).sum())
    >>> f(np.zeros(3)), dopegraph.grad(f)(np.zeros(3))
    (array(0., dtype=float32), array([2., 2., 2.], dtype=float32))
    """
    if function is None:
        return functools.partial(host_call, results=results, gradient=gradient)
    if not callable(function):
        raise TypeError(f"host_call takes a function, not a {type(function).__name__}")
    return HostCall(function, results, gradient)


class CustomOp(HostCall):
    """An operator that `customop` made: its derivatives are set argument by argument, as in MinPy."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, None, None)
        self._rules: dict[tuple[int, ...], Callable[..., Any] | None] = {}

    def def_grad(self, function: Callable[..., Any], argnum: int = 0) -> None:
        """Set the derivative with respect to one argument: ``function(result, *args)(g)`` is its cotangent."""
        self.def_multiple_grad(lambda result, *args: lambda g: (function(result, *args)(g),), (argnum,))

    def def_grad_zero(self, argnum: int = 0) -> None:
        """The derivative with respect to an argument is zero."""
        self._set((argnum,), None)

    def def_multiple_grad(self, function: Callable[..., Any], argnums: Sequence[int]) -> None:
        """Set derivatives with respect to several arguments: ``function(result, *args)(g)`` gives their cotangents."""
        self._set(tuple(argnums), function)

    def _set(self, argnums: tuple[int, ...], function: Callable[..., Any] | None) -> None:
        self._rules[argnums] = function
        self.gradient = self._gradient
        self._callbacks.clear()

    def _gradient(self, g: Any, result: Any, *args: Any) -> tuple[Any, ...]:
        found: dict[int, Any] = {}
        for argnums, function in self._rules.items():
            if function is not None:
                found.update(zip(argnums, function(result, *args)(g)))
        return tuple([found.get(position) for position in range(len(args))])


def customop(kind: str = "numpy") -> Callable[[Callable[..., Any]], CustomOp]:
    """A decorator that makes a function of NumPy arrays an operator with derivatives of its own, as MinPy had it.

    Parameters
    ----------
    kind : {"numpy"}
        What the function is written with.

    Examples
    --------
    >>> import numpy, dopegraph, dopegraph.numpy as np
    >>> @dopegraph.customop("numpy")
    ... def square(x):
    ...     return x * x
    >>> square.def_grad(lambda result, x: lambda g: 2 * x * g)
    >>> dopegraph.grad(lambda x: square(x).sum())(np.array([1., 2.]))
    array([2., 4.], dtype=float32)
    """
    if kind != "numpy":
        raise ValueError(located(f"customop: functions are written with 'numpy', not {kind!r}", here()))
    return CustomOp
