"""``jacobian`` and ``hessian``: whole matrices of derivatives, all rows in one graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.autodiff import forward_map, reverse_map
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.ops import concat, reshape
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.transform.differentiated import Run, array_of, recorded

MODES = ("reverse", "forward", None)


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

    The derivatives of all rows are nodes of one graph, as many times those of one pullback as there are rows: for large
    matrices products with them (`vjp`, `jvp`) are faster.

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
    recording = run.recording
    result = []
    for output in run.outputs:
        pull = functools.partial(run.pull, outputs=[output])
        pulled = reverse_map(recording.builder, [output], pull, run.live)
        rows = [pulled(recording.builder, [unit]) for unit in _units(run, output.type)]
        result.append(
            [_stack(run, [row[i] for row in rows], (*output.shape, *of.shape), 0) for i, of in enumerate(run.inputs)]
        )
    return result


def _by_columns(run: Run) -> list[list[Value | None]]:
    """For each output, by each input: a directional derivative for every element of the input."""
    recording = run.recording
    by_input = []
    for of in run.inputs:
        pull = functools.partial(run.pull, inputs=[of])
        pushed = forward_map(recording.builder, [of], run.outputs, pull, run.live)
        columns = [pushed(recording.builder, [unit]) for unit in _units(run, of.type)]
        by_input.append(
            [
                _stack(run, [column[j] for column in columns], (*output.shape, *of.shape), 1)
                for j, output in enumerate(run.outputs)
            ]
        )
    return [[found[j] for found in by_input] for j in range(len(run.outputs))]


def _units(run: Run, type: TensorType) -> list[Value]:
    """For each element of an array, zeros with a one in its place."""
    units = []
    for position in range(type.size):
        unit = numpy.zeros(type.size, type.dtype)
        unit[position] = 1
        units.append(run.recording.constant(unit.reshape(type.shape)))
    return units


def _stack(run: Run, parts: Sequence[Value | None], shape: tuple[int, ...], axis: int) -> Value | None:
    """Rows (axis 0) or columns (axis 1) put together; None when all of them are zeros."""
    found = [part for part in parts if part is not None]
    if not found:
        return None
    assert len(found) == len(parts)  # copies of one linear map
    with run.recording.builder:
        size = found[0].type.size
        lines = [reshape(part, shape=(1, size) if axis == 0 else (size, 1)) for part in found]
        return reshape(lines[0] if len(lines) == 1 else concat(*lines, axis=axis), shape=shape)
