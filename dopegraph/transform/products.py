"""``vjp`` and ``jvp``: products of vectors with the derivative of a function, from the left and from the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.array import ndarray, traced
from dopegraph.autodiff import LinearMap, forward_map, reverse_map
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.runtime.errors import StructureError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.trace.tree import Structure
from dopegraph.transform.differentiated import Run, array_of, fitted, fitted_value, recorded


class _Signature(Unchanging):
    """What a pullback takes and gives."""

    def __init__(self, run: Run) -> None:
        self.result = run.structure, [value.type for value in run.outputs]
        self.arguments: list[tuple[Structure, list[TensorType]]] = [
            (structure, [value.type for value in values]) for structure, values in run.variables.parts
        ]


class Pullback:
    """Takes a cotangent of a function's result to those of its arguments; what `vjp` gives.

    It may be called any number of times, in recordings and outside, and be differentiated by its cotangent and, where
    it was made in the same recording, by the point it was made at.
    """

    def __init__(self, run: Run, pulled: LinearMap) -> None:
        pulled.include_constants()
        self._map = pulled
        self._read = [traced(value, run.recording) for value in pulled.reads]
        self._signature = _Signature(run)

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        """Cotangents of the arguments, a tuple with the containers of each.

        Parameters
        ----------
        cotangent : array_like or containers
            As the function's result.
        """
        structure, types = self._signature.result
        with recorded("pullback", None) as recording:
            leaves = fitted(structure, cotangent, "vjp: the cotangent")
            heads = [
                fitted_value(recording, leaf, type, f"vjp: the cotangent{path}")
                for (path, leaf), type in zip(leaves, types)
            ]
            known = dict(zip(self._map.reads, [recording.value_of(array) for array in self._read]))
            found = iter(self._map(recording.builder, heads, known))
            result = tuple(
                structure.build([array_of(recording, next(found), type) for type in types])
                for structure, types in self._signature.arguments
            )
        return result


def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """A function's value, and the function that multiplies cotangents with its derivative.

    Parameters
    ----------
    function : callable
        Returns an array or containers of arrays, of any shapes; with `has_aux` that and something else.
    *primals : array_like
        Arguments of floating or complex numbers, or containers of them.
    has_aux : bool
        Whether `function` returns ``(value, anything)``.

    Returns
    -------
    value : array or containers of arrays
    pullback : callable
        Takes a cotangent like `value`, returns a tuple of cotangents, one like each of the primals. It can be called
        several times; the function is not run again.
    aux : object
        Only with `has_aux`.

    Raises
    ------
    GradientError
        When an argument or a result is not of floating or complex numbers.

    Notes
    -----
    For complex numbers the pullback u -> J'u is the one with Re(J'u * t) = Re(u * Jt) for every tangent t, the
    convention of `grad`.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> value, pullback = dopegraph.vjp(lambda x, y: x * y, np.array([1., 2.]), np.array([3., 4.]))
    >>> value
    array([3., 8.], dtype=float32)
    >>> pullback(np.array([1., 10.]))
    (array([ 3., 40.], dtype=float32), array([ 1., 20.], dtype=float32))
    """
    with recorded("vjp", function) as recording:
        run = Run(recording, "vjp", function, primals, {}, range(len(primals)), has_aux)
        pullback = Pullback(run, reverse_map(recording.builder, run.outputs, run.pull, run.live))
        value, aux = run.value, run.aux
        del run
    return (value, pullback, aux) if has_aux else (value, pullback)


def jvp(
    function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """A function's value, and its derivative in a direction.

    Parameters
    ----------
    function : callable
        Returns an array or containers of arrays, of any shapes; with `has_aux` that and something else.
    primals : sequence
        The arguments: floating or complex numbers, or containers of them.
    tangents : sequence
        The direction, one like each of the primals.
    has_aux : bool
        Whether `function` returns ``(value, anything)``.

    Returns
    -------
    value, tangent : array or containers of arrays
    aux : object
        Only with `has_aux`.

    Raises
    ------
    GradientError
        When an argument or a result is not of floating or complex numbers, or a rule of `custom_vjp` is not linear.
    ShapeError, DTypeError, StructureError
        When a tangent is not like its argument.

    Notes
    -----
    The derivative of the pullback by its cotangent (J. Townsend, A new trick for calculating Jacobian vector products,
    2017); the nodes that only the pullback needed are dropped.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> dopegraph.jvp(np.square, (np.array([1., 2.]),), (np.array([1., 10.]),))
    (array([1., 4.], dtype=float32), array([ 2., 40.], dtype=float32))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise StructureError(located(f"jvp: {name} must be a tuple, one entry for each argument", here()))
    if len(primals) != len(tangents):
        raise StructureError(located(f"jvp: {len(primals)} primals but {len(tangents)} tangents", here()))
    with recorded("jvp", function) as recording:
        run = Run(recording, "jvp", function, primals, {}, range(len(primals)), has_aux)
        directions: list[Value] = []
        for position, ((structure, values), tangent) in enumerate(zip(run.variables.parts, tangents)):
            name = f"jvp: tangent {position}"
            for (path, leaf), value in zip(fitted(structure, tangent, name), values):
                directions.append(fitted_value(recording, leaf, value.type, name + path))
        push = forward_map(recording.builder, run.inputs, run.outputs, run.pull, run.live)
        found = push(recording.builder, directions)
        arrays: list[ndarray] = [array_of(recording, t, of.type) for t, of in zip(found, run.outputs)]
        value, aux, tangent = run.value, run.aux, run.structure.build(arrays)
        del run, arrays
    return (value, tangent, aux) if has_aux else (value, tangent)
