"""What a primitive operator is: one declaration with its type rule, NumPy kernel, gradient rules and flags.

The declarations themselves are in `dopegraph.ops`; the IR only knows what one looks like and finds it by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.types import Attr, TensorType
from dopegraph.runtime.errors import DopegraphError, GraphError

# infer(*operand_types, **attributes) -> type of the result, or a tuple of types
TypeRule = Callable[..., Union[TensorType, tuple[TensorType, ...]]]
# rule(cotangent, result, *operands, **attributes) -> cotangent of one operand, or None for zero; where a primitive has
# several results, cotangent and result are tuples with an entry for each, and a cotangent is None where none arrives
GradientRule = Callable[..., Any]


class Acceptance:
    """Whether a kernel takes values, found out from some of its operands.

    Attributes
    ----------
    operands : tuple of int
        Positions of those operands.
    test : callable
        Maps ``(types of all operands, *arrays of those, **attributes)`` to whether the kernel raises no error; false
        also where that is not known.
    """

    def __init__(self, operands: tuple[int, ...], test: Callable[..., bool]) -> None:
        self.operands = operands
        self.test = test


class NotDifferentiable:
    """Stands where a gradient rule would: the result has no derivative, or it is zero wherever it exists."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def not_differentiable(reason: str) -> NotDifferentiable:
    """Declare that derivatives stop at a primitive, and why."""
    return NotDifferentiable(reason)


class Primitive:
    """A primitive operator. Calling it with values emits a node into the current builder and gives its result.

    The result is a value, or a tuple of values when there are several.

    Attributes
    ----------
    name : str
    infer : callable
        Types of the operands (and the attributes as keywords) to the type of the result, or to a tuple of types when
        there are several results.
    kernel : callable
        NumPy arrays (and the attributes) to a NumPy array, or a tuple of arrays; the reference semantics.
    gradient : sequence of callables, one callable for all operands, or NotDifferentiable
        Each rule maps ``(g, result, *operands, **attributes)`` to the operand's cotangent; one callable for all
        operands gives a tuple. Of a primitive with several results `g` and `result` are tuples; where no cotangent
        arrives at a result, `g` has None in its place.
    elementwise : bool
        Operands broadcast, the result has one element for each element of the broadcast shape.
    out : bool
        The kernel takes ``out=``.
    view : bool
        The kernel returns a view of its operand's memory where NumPy can.
    random : bool
        The result is a function of a random key; never folded.
    raises : bool
        The kernel raises an error for some values of its operands, such as an index outside.
    accepts : Acceptance or None
        Tells without the kernel, by the few operands that it hangs on, that values are not refused.
    """

    required = inspect.Parameter.empty
    """Stands in `attributes` for an attribute without a default."""

    def __init__(
        self,
        name: str,
        infer: TypeRule,
        kernel: Callable[..., Any],
        gradient: Sequence[GradientRule | None] | GradientRule | NotDifferentiable,
        *,
        elementwise: bool = False,
        out: bool = False,
        view: bool = False,
        random: bool = False,
        commutative: bool = False,
        raises: bool = False,
        accepts: Acceptance | None = None,
    ) -> None:
        self.name = name
        self.infer = infer
        self.kernel = kernel
        self.gradient = gradient
        self.elementwise = elementwise
        self.out = out
        self.view = view
        self.random = random
        self.commutative = commutative
        self.raises = raises or accepts is not None
        self.accepts = accepts
        parameters = inspect.signature(infer).parameters.values()
        self.attributes = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.defaults = {name: value for name, value in self.attributes.items() if value is not self.required}
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.arity = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)

    def __call__(self, *operands: Value | float, **attrs: Attr) -> Any:
        from dopegraph.ir.builder import current_builder

        builder = current_builder()
        return builder.emit(self, [builder.as_value(operand, operands) for operand in operands], attrs)

    def result_types(self, types: Sequence[TensorType], attrs: dict[str, Any]) -> tuple[TensorType, ...]:
        """Types of the results; raises the type rule's ShapeError, DTypeError, AxisError or LinAlgError.

        What the rule did not foresee (an operand too many, an attribute of another kind) is a GraphError.
        """
        try:
            result = self.infer(*types, **attrs)
        except (DopegraphError, numpy.linalg.LinAlgError):
            raise
        except Exception as cause:
            operands = ", ".join(map(str, types))
            raise GraphError(f"{self.name} does not take ({operands}) with the attributes {attrs}: {cause}") from cause
        return result if isinstance(result, tuple) else (result,)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


primitives: dict[str, Primitive] = {}
"""All declared primitives by name, in the order of declaration."""


def primitive(name: str, *args: Any, **flags: Any) -> Primitive:
    """Declare a primitive; the arguments are those of :class:`Primitive`."""
    if name in primitives:
        raise ValueError(f"primitive {name!r} is declared twice")
    primitives[name] = Primitive(name, *args, **flags)
    return primitives[name]
