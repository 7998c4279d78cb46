"""``jacobian`` and ``hessian``: whole matrices of derivatives, one pullback or pushforward for all units at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.autodiff import LinearMap, forward_map, reverse_map
from dopegraph.batching import batch
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.ops import broadcast_to, cast, equal, iota, reshape, transpose
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.transform.differentiated import Run, array_of, recorded

MODES = ("reverse", "forward", None)

_INT64 = numpy.dtype("int64")


def jacobian(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, mode: str | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the derivatives of all results by all elements of arguments.

    Parameters
    ----------
    function : callable
        Returns an array or containers of arrays, of any shapes; with `has_aux` that and something else.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to, as `grad` has them.
    mode : {"reverse", "forward", None}
        Row by row, one pullback for each element of the results; or column by column, one directional derivative for
        each element of the arguments. None takes the one with fewer, of those that complex numbers allow.
    has_aux : bool
        Whether `function` returns ``(value, anything)``; the result is then ``(jacobian, anything)``.

    Returns
    -------
    callable
        Returns the containers of the function's result, with the containers of the argument (a tuple of them for a
        sequence of `argnums`) in place of every array: arrays of the result's shape followed by the argument's.

    Raises
    ------
    GradientError
        When an argument or result is not floating.

    Notes
    -----
    The derivative of a complex result by a complex number is f'(z) of a holomorphic function; of others it is
    meaningless. A real result by a complex number is that of `grad`, df/dx - i df/dy, by reverse mode only; a complex
    result by a real number is the plain derivative, by forward mode only.

    All rows, or columns, are computed at once, as `vmap` does it: there are as many nodes as for one pullback, with
    arrays as many times as large as there are rows. For large matrices products with them (`vjp`, `jvp`) are faster.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> dopegraph.jacobian(lambda x: x ** 2)(np.array([1., 2.]))
    array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    if mode not in MODES:
        raise ValueError(located(f'jacobian: mode must be "reverse", "forward" or None, not {mode!r}', here()))
    return _jacobian("jacobian", function, argnums, mode, has_aux)


def hessian(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the second derivatives of a function; see `jacobian` for parameters and containers.

    Of a real function of complex numbers it is not defined.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> dopegraph.hessian(lambda x: (x ** 3).sum() + x[0] * x[1])(np.array([1., 2.]))
    array([[ 6.,  1.],
           [ 1., 12.]], dtype=float32)
    """
    first = _jacobian("hessian", function, argnums, None, has_aux, _refuse_complex)
    return _jacobian("hessian", first, argnums, None, has_aux)


def _jacobian(
    what: str,
    function: Callable[..., Any],
    argnums: int | Sequence[int],
    mode: str | None,
    has_aux: bool,
    check: Callable[[Run], None] | None = None,
) -> Callable[..., Any]:
    single = isinstance(argnums, int)
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        with recorded(what, function) as recording:
            run = Run(recording, what, function, args, kwargs, positions, has_aux)
            if check is not None:
                check(run)
            chosen = _mode(what, mode, run)
            parts = (_by_rows if chosen == "reverse" else _by_columns)(run)
            made = []
            for found, output in zip(parts, run.outputs):
                arrays = iter(
                    [
                        array_of(recording, one, TensorType(_dtype(chosen, of, output), (*output.shape, *of.shape)))
                        for one, of in zip(found, run.inputs)
                    ]
                )
                whole = [structure.build([next(arrays) for _ in values]) for structure, values in run.variables.parts]
                made.append(whole[0] if single else tuple(whole))
            result, aux = run.structure.build(made), run.aux
            del run
        return (result, aux) if has_aux else result

    return differentiated


def _dtype(mode: str, of: Value, output: Value) -> numpy.dtype[Any]:
    return of.type.dtype if mode == "reverse" else output.type.dtype


def _mode(what: str, asked: str | None, run: Run) -> str:
    """The mode that was asked for, or the better one; complex numbers on one side only rule one out."""
    complex_in, complex_out = (
        [value.type.dtype.kind == "c" for value in values] for values in (run.inputs, run.outputs)
    )
    reverse = not any(complex_out) or all(complex_in)
    forward = not any(complex_in) or all(complex_out)
    allowed = [mode for mode, fits in (("reverse", reverse), ("forward", forward)) if fits]
    if asked is None and len(allowed) == 2:
        rows, columns = (sum(value.type.size for value in values) for values in (run.outputs, run.inputs))
        return "reverse" if rows <= columns else "forward"
    if asked is None and allowed:
        return allowed[0]
    if asked in allowed:
        assert asked is not None
        return asked
    raise GradientError(
        located(
            f"{what}: in {asked or 'either'} mode, {'complex' if any(complex_in) else 'real'} arguments and "
            f"{'complex' if any(complex_out) else 'real'} results have no derivative that is one number"
            + ("; use the other mode" if allowed else "; differentiate real and imaginary parts one by one"),
            here(),
        )
    )


def _refuse_complex(run: Run) -> None:
    of_complex = any(value.type.dtype.kind == "c" for value in run.inputs)
    if of_complex and any(value.type.dtype.kind != "c" for value in run.outputs):
        raise GradientError(
            located("hessian: a real function of complex numbers has none; differentiate by the parts", here())
        )


def _by_rows(run: Run) -> list[list[Value | None]]:
    """For each output, by each input: a pullback for every element of the output."""
    builder = run.recording.builder
    result = []
    for output in run.outputs:
        pull = functools.partial(run.pull, outputs=[output])
        rows = _for_all_units(run, reverse_map(builder, [output], pull, run.live), output.type)
        with builder:
            result.append(
                [
                    None if row is None else reshape(row, shape=(*output.shape, *of.shape))
                    for row, of in zip(rows, run.inputs)
                ]
            )
    return result


def _by_columns(run: Run) -> list[list[Value | None]]:
    """For each output, by each input: a directional derivative for every element of the input."""
    builder = run.recording.builder
    by_input = []
    for of in run.inputs:
        pull = functools.partial(run.pull, inputs=[of])
        columns = _for_all_units(run, forward_map(builder, [of], run.outputs, pull, run.live), of.type)
        with builder:
            by_input.append(
                [
                    None if column is None else _last(column, (*output.shape, *of.shape))
                    for column, output in zip(columns, run.outputs)
                ]
            )
    return [[found[j] for found in by_input] for j in range(len(run.outputs))]


def _for_all_units(run: Run, linear: LinearMap, type: TensorType) -> list[Value | None]:
    """What a linear map gives for zeros with a one in each place, along a new axis 0."""
    builder = run.recording.builder
    with builder:
        units = _units(type)
    start, unit = len(builder.nodes), builder.input(type)
    found = linear(builder, [unit])
    # Random numbers of what is computed again must be those that were drawn before.
    values = {unit: units}
    batch(builder, start, type.size, values, own_numbers=False)
    with builder:
        return [
            None if one is None else values[one] if one in values else broadcast_to(one, shape=(type.size, *one.shape))
            for one in found
        ]


def _units(type: TensorType) -> Value:
    """The rows of an identity matrix, each in the shape of a type."""
    numbers = iota(size=type.size, dtype=_INT64)
    identity = equal(reshape(numbers, shape=(type.size, 1)), numbers)
    result: Value = reshape(cast(identity, dtype=type.dtype), shape=(type.size, *type.shape))
    return result


def _last(columns: Value, shape: tuple[int, ...]) -> Value:
    """Axis 0 put behind the others."""
    result: Value = reshape(transpose(columns, axes=(*range(1, columns.ndim), 0)), shape=shape)
    return result
