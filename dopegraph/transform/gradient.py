"""``grad`` and ``value_and_grad``: functions that compute derivatives, to any order, inside and outside ``compile``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray, traced
from dopegraph.autodiff import pullback
from dopegraph.dispatch import apply
from dopegraph.ir.graph import Value
from dopegraph.numpy.promotion import as_array
from dopegraph.ops import full
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.ending import end
from dopegraph.trace.recording import Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import flatten
from dopegraph.transform.differentiated import Variables, built, own_recording


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

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        outer = active_recording()
        if outer is not None:
            with outer:
                call = _Call(outer, function, args, kwargs, positions, has_aux)
                gradients = [traced(g, outer) for g in call.pull()]
        else:
            recording = own_recording("grad", function)
            with recording:
                try:
                    call = _Call(recording, function, args, kwargs, positions, has_aux)
                    made = end(recording, ("grad",), [call.value, *call.values], call.pull)
                except BaseException:
                    recording.finish()
                    raise
            gradients = [ndarray(buffer) for buffer in made]
            recording.close()
        found = built(call.structures, gradients)
        return ((call.loss, call.aux) if has_aux else call.loss), (found[0] if single else tuple(found))

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


class _Call:
    """A call of a function that is differentiated."""

    def __init__(
        self,
        recording: Recording,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        positions: tuple[int, ...],
        has_aux: bool,
    ) -> None:
        variables = Variables(recording, "grad", args, positions)
        result, self.aux = variables.call(function, kwargs, has_aux)
        self.recording = recording
        self.loss = _scalar_loss(result)
        self.value = recording.value_of(self.loss)
        self.values = variables.values
        self.structures = variables.structures

    def pull(self) -> list[Value]:
        """Record the derivatives."""
        builder = self.recording.builder
        with builder:
            one = full(value=1.0, shape=(), dtype=self.value.type.dtype)
        found = pullback(builder, {self.value: one}, self.values)
        with builder:
            return [
                full(value=0.0, shape=of.shape, dtype=of.type.dtype) if g is None else g
                for g, of in zip(found, self.values)
            ]


def _scalar_loss(result: Any) -> ndarray:
    if isinstance(result, DynamicFloat):
        result = as_array(result)
    if type(result) in (float, int):
        message = f"grad: the function returned a {type(result).__name__}, which no derivative goes through"
        raise GradientError(located(f"{message}; return an array, without float() and item()", here()))
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
