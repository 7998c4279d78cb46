"""Lowering of the elementwise primitives, one line each; `exact` has those where MXNet differs from NumPy."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.backends.mxnet.lowering import exact
from dopegraph.backends.mxnet.lowering.context import (
    FLOAT32,
    Context,
    Entry,
    Number,
    Rule,
    carried_dtype,
    is_source,
    number_of,
)
from dopegraph.ir.graph import Node, Value


def unary(name: str, **attrs: Any) -> Rule:
    return lambda c, node: c.op(name, c[node.inputs[0]], attrs=attrs)


def composed(function: Any) -> Rule:
    """A rule from a function of the operands' entries."""
    return lambda c, node: function(c, *(c[value] for value in node.inputs))


def by_kind(floats: Rule, integers: Rule) -> Rule:
    return lambda c, node: (floats if node.inputs[0].type.dtype.kind == "f" else integers)(c, node)


def binary(same: str, broadcast: str, right: str | None = None, left: str | None = None) -> Rule:
    """`right` and `left` are the operators for a number on that side."""

    def rule(c: Context, node: Node) -> Entry:
        x, y = node.inputs
        for operator, array, number in ((right, x, y), (left, y, x)):
            scalar = _scalar(node, number, array)
            if operator is not None and scalar is not None:
                return c.scalar(operator, c[array], scalar)
        return c.binary(same, broadcast, c[x], c[y])

    return rule


def _scalar(node: Node, number: Value, array: Value) -> Number | None:
    """The number beside an array that has the result's shape already."""
    return number_of(number) if array.shape == node.outputs[0].shape else None


def comparison(same: str, broadcast: str, mirrored: str) -> Rule:
    rule = binary(same, broadcast, f"{same}_scalar", f"{mirrored}_scalar")
    # The answer comes in the operands' dtype.
    return lambda c, node: c.cast(rule(c, node), FLOAT32)


def _select(c: Context, node: Node) -> Entry:
    condition, x, y = node.inputs
    if not c.portable and _is_relu_gradient(c, node):
        assert condition.node is not None
        return c.op("_backward_Activation", c[x], c[condition.node.inputs[0]], act_type="relu")
    return c.where(c[condition], c[x], c[y])


# Primitives whose result is finite wherever their operands are small numbers.
_LINEAR = frozenset(["matmul", "conv_grad_data", "avg_pool_grad", "max_pool_grad", "reshape", "mul", "add", "sub"])


def _is_relu_gradient(c: Context, node: Node) -> bool:
    """Whether a node is ``select(x > 0, g, 0)`` beside a ``relu(x)``: oneDNN does that twenty times as fast as `where`.

    It multiplies by 0 where `where` would choose 0: for a cotangent that is not finite NaN instead of 0. So only for
    cotangents that are sums and products, not for what a user guards with a condition, such as ``log(x)``.
    """
    condition, g, zero = node.inputs
    x = condition.node.inputs[0] if condition.node is not None and condition.node.op.name == "greater" else None
    return (
        x is not None
        and x.type == g.type == node.outputs[0].type
        and g.type.dtype == FLOAT32
        and number_of(zero) == 0
        and number_of(condition.node.inputs[1]) == 0  # type: ignore[union-attr]
        and g.node is not None
        and g.node.op.name in _LINEAR
        and any(user.op.name == "relu" for user in c.users[x])
    )


def _cast(c: Context, node: Node) -> Entry:
    x, dtype = c[node.inputs[0]], node.attrs["dtype"]
    if dtype.kind == "b" and node.inputs[0].type.dtype.kind != "b":
        return c.cast(c.scalar("_not_equal_scalar", x, 0), FLOAT32)  # NaN is true
    return c.cast(x, carried_dtype(dtype))


def _integer_power(c: Context, node: Node) -> Entry:
    x, exponent = c[node.inputs[0]], node.attrs["exponent"]
    integers = x.dtype.kind != "f"
    if exponent < 0 or (not integers and exponent > 4):
        return c.op("reciprocal", x) if exponent == -1 else c.scalar("_power_scalar", x, exponent)
    if exponent == 0:
        return c.op("ones_like", x)
    result: Entry | None = None
    power = x
    while exponent:  # by repeated squaring: exact for integers
        if exponent & 1:
            result = power if result is None else c.mul(result, power)
        exponent >>= 1
        power = c.mul(power, power) if exponent else power
    assert result is not None
    return result


def _activation(kind: str, other: str) -> Rule:
    """oneDNN's function, ten times as fast as MXNet's own; it has float32 only."""

    def rule(c: Context, node: Node) -> Entry:
        x = c[node.inputs[0]]
        if x.dtype != FLOAT32 or len(x.shape) > 5:
            return c.op(other, x)
        return c.op("Activation", x, act_type=kind)

    return rule


_LAYERS = frozenset(["FullyConnected", "Convolution"])


def _relu(c: Context, node: Node) -> Entry:
    """Behind a layer of a symbol for others the `Activation` that their tools know; it loses NaN, as theirs does."""
    x = c[node.inputs[0]]
    as_layer = c.portable and x.dtype == FLOAT32 and x.node.op in _LAYERS
    return c.op("Activation", x, act_type="relu") if as_layer else c.op("relu", x)


def _as_is(c: Context, node: Node) -> Entry:
    return c[node.inputs[0]]


_plain_add = binary("elemwise_add", "broadcast_add", "_plus_scalar", "_plus_scalar")


def _add(c: Context, node: Node) -> Entry:
    """A convolution adds a number for each channel for nothing, and a product of matrices one for each column."""
    for product, bias in (node.inputs, node.inputs[::-1]):
        if _takes_bias(c, product, bias) and _read_by(c, product) == [node]:
            return c.with_bias(product, bias)
    return _plain_add(c, node)


def _takes_bias(c: Context, product: Value, bias: Value) -> bool:
    if is_source(product, "conv"):
        return _is_bias(product, bias)
    if not is_source(product, "matmul") or product.ndim != 2 or c[product].node.op != "FullyConnected":
        return False
    return bias.shape in ((product.shape[1],), (1, product.shape[1]))


def _read_by(c: Context, value: Value) -> list[Node]:
    return [] if value in c.graph.results else c.users[value]


def _is_bias(product: Value, bias: Value) -> bool:
    channels = (product.shape[1], *(1 for _ in product.shape[2:]))
    return bias.shape in (channels, (1, *channels))


def _arctan2(c: Context, x: Entry, y: Entry) -> Entry:
    return c.binary("_npi_arctan2", "_npi_arctan2", x, y)


def _size_compared(operator: str) -> Rule:
    compare = composed(lambda c, x: c.scalar(operator, c.op("abs", x), numpy.inf))
    return lambda c, node: c.cast(compare(c, node), FLOAT32)


RULES: dict[str, Rule] = {
    # Comparisons and logic; booleans are zeros and ones
    "equal": comparison("_equal", "broadcast_equal", "_equal"),
    "not_equal": comparison("_not_equal", "broadcast_not_equal", "_not_equal"),
    "less": comparison("_lesser", "broadcast_lesser", "_greater"),
    "less_equal": comparison("_lesser_equal", "broadcast_lesser_equal", "_greater_equal"),
    "greater": comparison("_greater", "broadcast_greater", "_lesser"),
    "greater_equal": comparison("_greater_equal", "broadcast_greater_equal", "_lesser_equal"),
    "logical_and": binary("elemwise_mul", "broadcast_mul"),
    "logical_or": binary("_maximum", "broadcast_maximum"),
    "logical_xor": binary("_not_equal", "broadcast_not_equal"),
    "logical_not": composed(lambda c, x: c.scalar("_rminus_scalar", x, 1)),
    "isnan": composed(lambda c, x: c.cast(c.op("_not_equal", x, x), FLOAT32)),
    "isinf": _size_compared("_equal_scalar"),
    "isfinite": _size_compared("_lesser_scalar"),
    # Selection and conversion
    "select": _select,
    "cast": _cast,
    "identity": _as_is,
    "stop_gradient": _as_is,
    "barrier": unary("_copy"),  # as it is, MXNet would merge what comes after with what came before
    # Arithmetic
    "add": _add,
    "sub": binary("elemwise_sub", "broadcast_sub", "_minus_scalar", "_rminus_scalar"),
    "mul": binary("elemwise_mul", "broadcast_mul", "_mul_scalar", "_mul_scalar"),
    "div": binary("elemwise_div", "broadcast_div", "_div_scalar", "_rdiv_scalar"),
    "floor_div": by_kind(composed(exact.float_floor_div), composed(exact.integer_floor_div)),
    "mod": by_kind(composed(exact.float_mod), composed(exact.integer_mod)),
    "pow": binary("_power", "broadcast_power", "_power_scalar", "_rpower_scalar"),
    "maximum": binary("_maximum", "broadcast_maximum", "_maximum_scalar", "_maximum_scalar"),
    "minimum": binary("_minimum", "broadcast_minimum", "_minimum_scalar", "_minimum_scalar"),
    "arctan2": composed(_arctan2),
    "integer_pow": _integer_power,
    # Functions of one variable
    "neg": unary("negative"),
    "abs": by_kind(unary("abs"), composed(exact.integer_abs)),
    "sign": by_kind(composed(exact.sign), unary("sign")),
    "floor": unary("floor"),
    "ceil": unary("ceil"),
    "trunc": unary("trunc"),
    "rint": composed(exact.rint),
    "exp": unary("exp"),
    "exp2": composed(lambda c, x: c.scalar("_rpower_scalar", x, 2)),
    "expm1": unary("expm1"),
    "log": unary("log"),
    "log2": unary("log2"),
    "log10": unary("log10"),
    "log1p": unary("log1p"),
    "sqrt": unary("sqrt"),
    "cbrt": unary("cbrt"),
    "square": by_kind(unary("square"), composed(lambda c, x: c.op("elemwise_mul", x, x))),  # exact for integers
    "reciprocal": by_kind(
        unary("reciprocal"), composed(lambda c, x: exact.integer_floor_div(c, c.op("ones_like", x), x))
    ),
    "sin": unary("sin"),
    "cos": unary("cos"),
    "tan": unary("tan"),
    "arcsin": unary("arcsin"),
    "arccos": unary("arccos"),
    "arctan": unary("arctan"),
    "sinh": unary("sinh"),
    "cosh": unary("cosh"),
    "tanh": _activation("tanh", "tanh"),
    "arcsinh": unary("arcsinh"),
    "arccosh": unary("arccosh"),
    "arctanh": unary("arctanh"),
    "erf": unary("erf"),
    "sigmoid": _activation("sigmoid", "sigmoid"),
    "relu": by_kind(_relu, composed(lambda c, x: c.scalar("_maximum_scalar", x, 0))),
}
