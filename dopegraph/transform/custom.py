"""``custom_vjp``: a function with a derivative of the user's own, everywhere derivatives are taken."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

from dopegraph.array import ndarray, traced
from dopegraph.autodiff import close_region
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Value
from dopegraph.ir.types import TensorType
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import Recording, active_recording
from dopegraph.trace.tree import Structure, flatten
from dopegraph.transform.differentiated import array_of, fitted, fitted_value


class CustomVjp:
    """A function that `custom_vjp` made.

    Attributes
    ----------
    function, forward, backward : callable
    nondiff_argnums : tuple of int
    """

    def __init__(self, function: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.nondiff_argnums = tuple(nondiff_argnums)
        self.forward: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None
        self.name = getattr(function, "__name__", "function")

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the rule.

        Parameters
        ----------
        forward : callable
            Takes the function's arguments and returns its value and residuals, whatever `backward` needs.
        backward : callable
            Takes residuals and a cotangent like the value; returns a tuple of cotangents, one like each argument. None
            stands for zeros, and for what is not floating. Arguments of `nondiff_argnums` come before the residuals.
        """
        self.forward, self.backward = forward, backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recording = active_recording()
        if recording is None or not recording.differentiating:
            return self.function(*args, **kwargs)
        if self.forward is None or self.backward is None:
            raise GradientError(located(f"{self.name}: its derivative is asked for before defvjp was called", here()))
        if kwargs:
            bound = inspect.signature(self.function).bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                names = ", ".join(bound.kwargs)
                raise GradientError(located(f"{self.name}: custom_vjp cannot take {names} by keyword only", here()))
            args = bound.args
        return _Call(self, recording, args).result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<custom_vjp {self.name}>"


class _Call:
    """One call that derivatives wait for: `forward` is recorded, and the way back from its value is `backward`."""

    def __init__(self, custom: CustomVjp, recording: Recording, args: tuple[Any, ...]) -> None:
        assert custom.forward is not None
        self.custom = custom
        static = {position % len(args) for position in custom.nondiff_argnums if -len(args) <= position < len(args)}
        self.static = [arg for position, arg in enumerate(args) if position in static]
        # For every other argument its containers and the types of its leaves, None where there is no derivative.
        self.parts: list[tuple[int, Structure, list[TensorType | None]]] = []
        inputs = []
        for position, arg in enumerate(args):
            if position not in static:
                leaves, structure = flatten(arg)
                values = [_floating(recording, leaf) for _, leaf in leaves]
                inputs += [value for value in values if value is not None]
                self.parts.append((position, structure, [None if one is None else one.type for one in values]))
        given = custom.forward(*args)
        if not isinstance(given, tuple) or len(given) != 2:
            raise GradientError(located(f"{custom.name}: forward must return (value, residuals)", here()))
        leaves, self.structure = flatten(given[0])
        values = [_floating(recording, leaf) for _, leaf in leaves]
        self.types = [None if value is None else value.type for value in values]
        kept, self.kept_structure = flatten(given[1])
        # Arrays as they are now; all else as it is.
        self.kept = [None if isinstance(leaf, ndarray) else leaf for _, leaf in kept]
        self.arrays = [position for position, (_, leaf) in enumerate(kept) if isinstance(leaf, ndarray)]
        residuals = [recording.value_of(kept[position][1]) for position in self.arrays]
        found = [value for value in values if value is not None]
        outputs = iter(close_region(recording.builder, inputs, found, residuals, self.rule))
        self.result = self.structure.build(
            leaf if value is None else traced(next(outputs), recording) for (_, leaf), value in zip(leaves, values)
        )

    def rule(
        self, builder: Builder, residuals: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> list[Value | None]:
        """The gradient rule of the region."""
        recording = active_recording()
        assert recording is not None and recording.builder is builder and self.custom.backward is not None
        name = self.custom.name
        kept = list(self.kept)
        for position, value in zip(self.arrays, residuals):
            kept[position] = traced(value, recording)
        arriving = iter(cotangents)
        heads = [None if type is None else array_of(recording, next(arriving), type) for type in self.types]
        given = self.custom.backward(*self.static, self.kept_structure.build(kept), self.structure.build(heads))
        if not isinstance(given, (tuple, list)) or len(given) != len(self.parts):
            shown = f"{len(given)} cotangents" if isinstance(given, (tuple, list)) else f"a {given.__class__.__name__}"
            raise GradientError(
                located(f"{name}: backward returned {shown}; it must return a tuple of {len(self.parts)}", here())
            )
        found: list[Value | None] = []
        for (position, structure, wanted), one in zip(self.parts, given):
            what = f"{name}: the cotangent of argument {position}"
            for (path, leaf), type in zip(fitted(structure, one, what), wanted):
                if type is not None:
                    found.append(None if leaf is None else fitted_value(recording, leaf, type, f"{what}{path}"))
        return found


def _floating(recording: Recording, leaf: Any) -> Value | None:
    return recording.value_of(leaf) if isinstance(leaf, ndarray) and leaf.dtype.kind in "fc" else None


def custom_vjp(function: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """Give a function a derivative of its own; also as a decorator. Set the rule with `defvjp`, as in JAX.

    Parameters
    ----------
    function : callable
        Runs where no derivative is asked for.
    nondiff_argnums : sequence of int
        Arguments that are no arrays, such as functions: `backward` gets them before the residuals.

    Returns
    -------
    CustomVjp

    Raises
    ------
    GradientError, StructureError, ShapeError, DTypeError
        When derivatives are taken and the rule is missing or returns what does not fit; the message names the function.

    Notes
    -----
    Derivatives of higher order are those of `forward` and `backward`. Forward mode (`jvp`) transposes `backward`, which
    must be linear in the cotangent. Arrays that the function reads without being passed them are constants.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> @dopegraph.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda residuals, g: (np.clip(g, -1, 1),))
    >>> dopegraph.grad(lambda x: (5 * clipped(x)).sum())(np.array([2., 3.]))
    array([1., 1.], dtype=float32)
    """
    if function is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums)
    if not callable(function):
        raise TypeError(f"custom_vjp takes a function, not a {type(function).__name__}")
    return CustomVjp(function, nondiff_argnums)
