"""Lowering of the primitives of floating numbers beyond arithmetic and of bits; composed where MXNet lacks one."""

from __future__ import annotations

import math

from dopegraph.backends.mxnet.lowering.context import FLOAT32, Context, Entry, Rule
from dopegraph.backends.mxnet.lowering.elementwise import binary, by_kind, composed, unary


def _extremum(operator: str, broadcast: str) -> Rule:
    """`fmax` and `fmin`: where one operand is NaN the other one."""

    def floats(c: Context, x: Entry, y: Entry) -> Entry:
        found = c.binary(operator, broadcast, x, y)
        without_x = c.where(c.op("_equal", x, x), found, y)
        return c.where(c.op("_equal", y, y), without_x, x)

    return by_kind(composed(floats), binary(operator, broadcast))


def _log_of_sum(scale: float) -> Rule:
    """log(exp(x) + exp(y)), or with the scale log(2) the same to base 2: the larger, and what the other adds to it."""

    def rule(c: Context, x: Entry, y: Entry) -> Entry:
        difference = c.op("abs", c.sub(x, y))
        # Of equal infinities the difference is NaN, although one of them is NaN in neither.
        same = c.cast(c.binary("_equal", "broadcast_equal", x, y), FLOAT32)
        gap = c.where(same, c.op("zeros_like", difference), difference)
        more = c.op("log1p", c.op("exp", c.scalar("_mul_scalar", gap, -scale)))
        return c.add(c.binary("_maximum", "broadcast_maximum", x, y), c.scalar("_mul_scalar", more, 1 / scale))

    return composed(rule)


def _heaviside(c: Context, x: Entry, y: Entry) -> Entry:
    step = c.where(c.op("_equal", x, x), c.scalar("_greater_scalar", x, 0), x)
    return c.where(c.cast(c.scalar("_equal_scalar", x, 0), FLOAT32), y, step)


RULES: dict[str, Rule] = {
    "hypot": binary("_hypot", "broadcast_hypot"),
    "degrees": composed(lambda c, x: c.scalar("_mul_scalar", x, 180 / math.pi)),
    "radians": composed(lambda c, x: c.scalar("_mul_scalar", x, math.pi / 180)),
    "fmax": _extremum("_maximum", "broadcast_maximum"),
    "fmin": _extremum("_minimum", "broadcast_minimum"),
    "logaddexp": _log_of_sum(1.0),
    "logaddexp2": _log_of_sum(math.log(2)),
    "heaviside": composed(_heaviside),
    "bitwise_and": binary("_npi_bitwise_and", "_npi_bitwise_and"),
    "bitwise_or": binary("_npi_bitwise_or", "_npi_bitwise_or"),
    "bitwise_xor": binary("_npi_bitwise_xor", "_npi_bitwise_xor"),
    "bitwise_not": unary("_npi_bitwise_not"),
}
