"""The table of local rewrites, one commented line each: a pattern, what it becomes, and when.

In a pattern a bare name stands for any value, a number for an array of that number; attributes are keywords, whose
names are bound too. A name that stands there twice must be the same value. ``(z := ...)`` names an inner result, for
``once(z)``: nothing else reads it. The result is broadcast to the old shape where needed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`pattern` becomes `result`, if `when` (a Python expression over the bound names) holds."""

    pattern: str
    result: str
    when: str = "True"


RULES = (
    # Arithmetic that does nothing. Adding 0.0 is no such thing: it turns -0.0 into 0.0.
    Rule("x * 1", "x"),
    Rule("x / 1", "x"),
    Rule("x - 0", "x"),
    Rule("x + 0", "x", "integer(x)"),
    Rule("x * 0", "x - x", "integer(x)"),
    Rule("neg(neg(x))", "x"),
    Rule("x * -1", "-x"),
    Rule("x / -1", "-x"),
    # Signs meet their sum: one operation instead of two, exactly.
    Rule("x + neg(y)", "x - y"),
    Rule("x - neg(y)", "x + y"),
    Rule("neg(x) * neg(y)", "x * y"),
    Rule("neg(x) / neg(y)", "x / y"),
    Rule("neg(x - y)", "y - x", "integer(x)"),
    # Powers that are cheaper spelled out; all are what NumPy itself computes.
    Rule("integer_pow(x, exponent=1)", "x"),
    Rule("integer_pow(x, exponent=2)", "square(x)"),
    Rule("integer_pow(x, exponent=-1)", "reciprocal(x)", "not integer(x)"),
    Rule("pow(x, 2)", "square(x)"),
    Rule("pow(x, 1)", "x"),
    Rule("x * x", "square(x)"),
    # Choices that are none.
    Rule("select(c, x, x)", "x"),
    Rule("select(logical_not(c), x, y)", "select(c, y, x)"),
    Rule("logical_not(logical_not(x))", "x"),
    Rule("maximum(x, x)", "x"),
    Rule("minimum(x, x)", "x"),
    Rule("maximum(x, 0)", "relu(x)"),
    # Casts: twice is once when the first loses nothing.
    Rule("cast(x, dtype=d)", "x", "x.type.dtype == d"),
    Rule("cast(cast(x, dtype=d), dtype=e)", "cast(x, dtype=e)", "lossless(x, d)"),
    # Movements of elements: compose them, drop those that move nothing.
    Rule("reshape(x, shape=s)", "x", "x.shape == s"),
    Rule("reshape(reshape(x), shape=s)", "reshape(x, shape=s)"),
    Rule("transpose(x, axes=p)", "x", "is_identity(p)"),
    Rule("transpose(x, axes=p)", "reshape(x, shape=permuted(x.shape, p))", "moves_only_ones(x, p)"),
    Rule("transpose(transpose(x, axes=p), axes=q)", "transpose(x, axes=permuted(p, q))"),
    Rule("flip(flip(x, axes=a), axes=a)", "x"),
    Rule("broadcast_to(x, shape=s)", "x", "x.shape == s"),
    Rule("broadcast_to(broadcast_to(x), shape=s)", "broadcast_to(x, shape=s)"),
    Rule("strided_slice(x, starts=a, stops=b, steps=c)", "x", "whole(x, a, b, c)"),
    Rule("unslice(x, shape=s, starts=a, stops=b, steps=c)", "x", "s == x.shape and whole(x, a, b, c)"),
    Rule("sum(x, axes=(), keepdims=k)", "x"),
    Rule("sum(sum(x, axes=a, keepdims=True), axes=b, keepdims=True)", "sum(x, axes=union(a, b), keepdims=True)"),
    Rule("reshape(sum(x, axes=a, keepdims=True), shape=s)", "sum(x, axes=a)", "s == dropped(x.shape, a)"),
    # Transposes of matrices are free inside the product.
    Rule(
        "matmul(transpose(x, axes=p), y, transpose_x=t, transpose_y=u)",
        "matmul(x, y, transpose_x=not t, transpose_y=u)",
        "swaps_last(p)",
    ),
    Rule(
        "matmul(x, transpose(y, axes=p), transpose_x=t, transpose_y=u)",
        "matmul(x, y, transpose_x=t, transpose_y=not u)",
        "swaps_last(p)",
    ),
    # A number scales the smaller operand of a product rather than its result: the update of weights.
    Rule(
        "(z := matmul(x, y, transpose_x=t, transpose_y=u)) * s",
        "matmul(x, y * s, transpose_x=t, transpose_y=u)",
        "s.shape == () and once(z) and 0 < 2 * y.type.size <= z.type.size and real(z)",
    ),
    Rule(
        "(z := matmul(x, y, transpose_x=t, transpose_y=u)) * s",
        "matmul(x * s, y, transpose_x=t, transpose_y=u)",
        "s.shape == () and once(z) and 0 < 2 * x.type.size <= z.type.size and real(z)",
    ),
    # The gradient of weights that multiply a batch of matrices: all their rows are summed over by one product.
    Rule(
        "sum((z := matmul(x, y, transpose_x=True, transpose_y=False)), axes=a)",
        "matmul(reshape(x, shape=rows(x)), reshape(y, shape=rows(y)), transpose_x=True)",
        "x.ndim > 2 and x.shape[:-1] == y.shape[:-1] and a == leading(x) and once(z) and real(z)",
    ),
    # Softmax written out; the whole operator is faster and MXNet has it.
    Rule(
        "exp(x - max(x, axes=a, keepdims=True)) / sum(exp(x - max(x, axes=a, keepdims=True)), axes=a, keepdims=True)",
        "softmax(x, axis=a[0])",
        "len(a) == 1 and real(x)",
    ),
    Rule("exp(x) / sum(exp(x), axes=a, keepdims=True)", "softmax(x, axis=a[0])", "len(a) == 1 and real(x)"),
    Rule("reciprocal(exp(neg(x)) + 1)", "sigmoid(x)"),
    Rule("1 / (exp(neg(x)) + 1)", "sigmoid(x)"),
    # Numerics: the same mathematics without overflow, cancellation or log(0).
    Rule("log(softmax(x, axis=a))", "log_softmax(x, axis=a)"),
    Rule("log(sigmoid(x))", "minimum(x, 0.0) - log1p(exp(-abs(x)))", "real(x)"),
    # Derivatives of the two lines above, which a softmax that underflows to 0 would make NaN.
    Rule("softmax(x, axis=k) * (g / softmax(x, axis=k))", "g"),
    Rule("softmax(x, axis=k) * (g / softmax(x, axis=k) - c)", "g - softmax(x, axis=k) * c"),
    Rule("sigmoid(x) * (g / sigmoid(x))", "g"),
    # The derivative of 1 / (1 + exp(-x)), without the exponential, which may have overflowed.
    Rule(
        "neg(g * sigmoid(x)) / (exp(neg(x)) + 1) * exp(neg(x))", "neg(g * (sigmoid(x) * (1 - sigmoid(x))))", "real(x)"
    ),
    Rule("log(exp(x) / y)", "x - log(y)", "real(x)"),
    Rule("log(x + 1)", "log1p(x)"),
    Rule("exp(x) - 1", "expm1(x)"),
)
