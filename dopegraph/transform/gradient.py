"""``grad`` and ``value_and_grad``: functions that compute derivatives, to any order, inside and outside ``compile``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, traced
from dopegraph.autodiff import pullback
from dopegraph.dispatch import apply
from dopegraph.ir.graph import Value
from dopegraph.numpy.promotion import as_array
from dopegraph.ops import full
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording, active_recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import Structure, flatten


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns a function's value and its derivatives.

    Parameters
    ----------
    function : callable
        Returns an array of shape (), or that and something else when `has_aux` is true.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to; arrays of floating or complex numbers, such
        numbers, or containers of them.
    has_aux : bool
        Whether `function` returns ``(value, anything)``.

    Returns
    -------
    callable
        Returns ``(value, gradient)``, or ``((value, aux), gradient)``. A gradient has the containers of its argument;
        for a sequence of `argnums` it is a tuple.

    Raises
    ------
    GradientError
        When the value is not a real scalar, or an argument is not floating.

    Notes
    -----
    For a complex argument z = x + iy the gradient of the real value f is df/dx - i df/dy, the convention of JAX and
    HIPS autograd: ``f(z + dz) = f(z) + (gradient * dz).real``, and a step downhill is ``z - rate * conj(gradient)``.
    See Maclaurin, Modeling, Inference and Optimization With Composable Differentiable Procedures (2016), section 4.4.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> value, gradient = dopegraph.value_and_grad(lambda x: (x ** 3).sum())(np.array([1., 2.]))
    >>> value, gradient
    (array(9., dtype=float32), array([ 3., 12.], dtype=float32))
    """
    single = isinstance(argnums, int)
    positions: tuple[int, ...] = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    name = getattr(function, "__name__", "function")

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        outer = active_recording()
        recording = outer if outer is not None else Recording(f"grad_{name}" if name.isidentifier() else "grad")
        with recording:
            try:
                value, gradients = _differentiate(recording, function, positions, args, kwargs, has_aux)
            except BaseException:
                if outer is None:
                    recording.finish()
                raise
            if outer is None:
                recording.finish()
        return value, (gradients[0] if single else tuple(gradients))

    return differentiated


def grad(function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the derivatives of a scalar function; see `value_and_grad` for the parameters.

    Examples
    --------
    >>> import dopegraph
    >>> f = lambda x: x ** 4
    >>> dopegraph.grad(dopegraph.grad(f))(2.0)
    array(48., dtype=float32)

    Of a complex number z = x + iy the gradient is df/dx - i df/dy:

    >>> import dopegraph.numpy as np
    >>> dopegraph.grad(lambda z: np.abs(z) ** 2)(3 + 4j)
    array(6.-8.j, dtype=complex64)
    """
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def stop_gradient(x: Any) -> Any:
    """The same values, through which no derivative flows; containers are followed.

    Examples
    --------
    >>> import dopegraph
    >>> dopegraph.grad(lambda x: x * dopegraph.stop_gradient(x))(3.0)
    array(3., dtype=float32)
    """
    leaves, structure = flatten(x)
    return structure.build(apply(ops.stop_gradient, as_array(leaf)) for _, leaf in leaves)


def _differentiate(
    recording: Recording,
    function: Callable[..., Any],
    positions: Sequence[int],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    has_aux: bool,
) -> tuple[Any, list[Any]]:
    replaced = list(args)
    wrt: list[Value] = []
    structures: list[tuple[Structure, int]] = []
    for position in positions:
        if not -len(args) <= position < len(args):
            raise GradientError(located(f"grad: there is no positional argument {position}", here()))
        leaves, structure = flatten(args[position], f"argument {position}")
        variables = [_variable(recording, path, leaf) for path, leaf in leaves]
        replaced[position] = structure.build(variables)
        wrt += [recording.value_of(variable) for variable in variables]
        structures.append((structure, len(variables)))
    recording.gradients += 1
    try:
        result = function(*replaced, **kwargs)
    finally:
        recording.gradients -= 1
    aux = None
    if has_aux:
        if not isinstance(result, tuple) or len(result) != 2:
            raise GradientError(located("grad: with has_aux the function must return (value, aux)", here()))
        result, aux = result
    loss = _scalar_loss(result)
    value = recording.value_of(loss)
    with recording.builder:
        one = full(value=1.0, shape=(), dtype=value.type.dtype)
    cotangents = pullback(recording.builder, {value: one}, wrt)
    arrays = iter([traced(_or_zeros(recording, g, of), recording) for g, of in zip(cotangents, wrt)])
    gradients = [structure.build([next(arrays) for _ in range(count)]) for structure, count in structures]
    return ((loss, aux) if has_aux else loss), gradients


def _variable(recording: Recording, path: str, leaf: Any) -> ndarray:
    """A fresh array with the argument's contents, so that only uses through the argument count."""
    if isinstance(leaf, (float, complex, DynamicFloat, ndarray, numpy.ndarray, numpy.generic)):
        x = as_array(leaf)
        if x.dtype.kind in "fc":
            return apply(ops.identity, x)
        shown = f"an array of {x.dtype}"
    else:
        shown = f"a {type(leaf).__name__}"
    raise GradientError(
        located(f"grad: {path} is {shown}; derivatives need floating numbers, such as x.astype('float32')", here())
    )


def _scalar_loss(result: Any) -> ndarray:
    if isinstance(result, (float, DynamicFloat)) and not isinstance(result, bool):
        result = as_array(result)
    if not isinstance(result, ndarray):
        raise GradientError(located(f"grad: the function returned a {type(result).__name__}, not an array", here()))
    if result.shape != ():
        raise GradientError(
            located(
                f"grad: the function returned an array of shape {result.shape}; return a scalar, e.g. its sum", here()
            )
        )
    if result.dtype.kind == "c":
        raise GradientError(
            located(
                f"grad: the function returned {result.dtype}; return a real number, such as its abs or its real part",
                here(),
            )
        )
    if result.dtype.kind != "f":
        raise GradientError(located(f"grad: the function returned {result.dtype}, not a floating number", here()))
    return result


def _or_zeros(recording: Recording, g: Value | None, of: Value) -> Value:
    if g is not None:
        return g
    with recording.builder:
        return full(value=0.0, shape=of.shape, dtype=of.type.dtype)
