"""What each elementwise primitive is in C, exactly as NumPy computes it: NaN, infinities, signed zeros, wrapping.

In a template ``{x}``, ``{y}``, ``{z}`` are operands, ``{T}`` is the C type of the result and ``{f}`` the suffix of
functions of the C library: ``f`` for float. Operands are variables: they may stand there twice.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Node
from dopegraph.ir.types import DType, short_name

C_TYPES = {
    "bool": "uint8_t", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t", "u8": "uint8_t",
    "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "f32": "float", "f64": "double",
}  # fmt: skip
"""Types in memory, by dtype."""

COMPARISONS = {
    "equal": "{x} == {y}", "not_equal": "{x} != {y}", "less": "{x} < {y}", "less_equal": "{x} <= {y}",
    "greater": "{x} > {y}", "greater_equal": "{x} >= {y}",
}  # fmt: skip

LOGIC = {
    **COMPARISONS,
    "logical_and": "{x} && {y}", "logical_or": "{x} || {y}", "logical_xor": "{x} != {y}", "logical_not": "!{x}",
}  # fmt: skip

ANY = {"select": "{x} ? {y} : {z}"}

# Integers wrap around: the compiler is told so with -fwrapv.
NUMBERS = {
    **COMPARISONS,
    "add": "{x} + {y}",
    "sub": "{x} - {y}",
    "mul": "{x} * {y}",
    "neg": "-{x}",
    "square": "{x} * {x}",
}

FLOATS = {
    **NUMBERS,
    "div": "{x} / {y}",
    "reciprocal": "1 / {x}",
    "abs": "fabs{f}({x})",
    # NaN wins against every number in the first two, and loses in the others.
    "maximum": "{x} >= {y} || {x} != {x} ? {x} : {y}",
    "minimum": "{x} <= {y} || {x} != {x} ? {x} : {y}",
    "fmax": "{x} >= {y} || {y} != {y} ? {x} : {y}",
    "fmin": "{x} <= {y} || {y} != {y} ? {x} : {y}",
    "relu": "{x} < 0 ? 0 : {x}",
    "sign": "{x} != {x} ? {x} : ({T})({x} > 0 ? 1 : {x} < 0 ? -1 : 0)",
    "floor": "floor{f}({x})",
    "ceil": "ceil{f}({x})",
    "trunc": "trunc{f}({x})",
    "rint": "rint{f}({x})",
    "sqrt": "sqrt{f}({x})",
    "copysign": "copysign{f}({x}, {y})",
    "sigmoid": "1 / ({exp}(-{x}) + 1)",
    "isnan": "{x} != {x}",
    "isinf": "fabs{f}({x}) == INFINITY",
    "isfinite": "fabs{f}({x}) < INFINITY",
    "floor_div": "whole_quotient{f}({x}, {y})",
    "mod": "signed_remainder{f}({x}, {y})",
    "fmod": "fmod{f}({x}, {y})",
    "pow": "pow{f}({x}, {y})",
    "arctan2": "atan2{f}({x}, {y})",
    "hypot": "hypot{f}({x}, {y})",
}

# Functions of one variable that the C library has under its own names; the vector ones of prelude.c, where there are.
LIBRARY = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctanh": "atanh",
    "cbrt": "cbrt", "cos": "cos", "cosh": "cosh", "erf": "erf", "exp": "exp", "exp2": "exp2", "expm1": "expm1",
    "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "sin": "sin", "sinh": "sinh", "tan": "tan",
    "tanh": "tanh",
}  # fmt: skip
FLOATS |= {name: f"{function}{{f}}({{x}})" for name, function in LIBRARY.items()} | {"exp": "{exp}({x})"}

INTEGERS = {
    **NUMBERS,
    "abs": "{x} < 0 ? -{x} : {x}",
    "maximum": "{x} >= {y} ? {x} : {y}",
    "minimum": "{x} <= {y} ? {x} : {y}",
    "relu": "{x} < 0 ? 0 : {x}",
    "sign": "({x} > 0) - ({x} < 0)",
    # Division by zero gives 0; by -1 it must not reach the processor, where the lowest integer has no quotient.
    "floor_div": "{y} == 0 ? 0 : {y} == -1 ? -{x} : {x} / {y} - ({x} % {y} != 0 && ({x} < 0) != ({y} < 0))",
    "mod": "{y} == 0 || {y} == -1 ? 0 : {x} % {y} + ({x} % {y} != 0 && ({x} < 0) != ({y} < 0) ? {y} : 0)",
    "bitwise_and": "{x} & {y}",
    "bitwise_or": "{x} | {y}",
    "bitwise_xor": "{x} ^ {y}",
    "bitwise_not": "~{x}",
    # By as many bits as there are, or by a negative number: nothing is left but the sign.
    "left_shift": "(uint64_t){y} < 8 * sizeof({x}) ? {x} << {y} : 0",
    "right_shift": "(uint64_t){y} < 8 * sizeof({x}) ? {x} >> {y} : {x} < 0 ? -1 : 0",
}

UNSIGNED = {**INTEGERS, "floor_div": "{y} == 0 ? 0 : {x} / {y}", "mod": "{y} == 0 ? 0 : {x} % {y}"}

TABLES = {"f": FLOATS, "i": INTEGERS, "u": UNSIGNED, "b": LOGIC}

# x**n by squaring up to here; larger powers of floats are pow's.
LARGEST_POWER = {"f": 4, "i": 64, "u": 64}


def supports(node: Node) -> bool:
    """Whether an elementwise node, of dtypes that C has, has an expression."""
    name = node.op.name
    first = (node.inputs[-1] if node.inputs else node.outputs[0]).type.dtype
    if name in ANY or name == "one_hot":
        return True
    if name == "cast":
        return _casts(first, node.attrs["dtype"])
    if name == "integer_pow":
        exponent = node.attrs["exponent"]
        return first.kind == "f" or 0 <= exponent <= LARGEST_POWER[first.kind]
    return name in TABLES[first.kind]


def _casts(source: DType, target: DType) -> bool:
    """Floats out of range become what the processor makes of them, which is one thing for the wide integers only."""
    return source.kind != "f" or target.kind in "fb" or (target.kind == "i" and target.itemsize >= 4)


def expression(node: Node, operands: list[str]) -> str:
    """The C expression of an elementwise node, of the type of its result."""
    name, result = node.op.name, node.outputs[0].type.dtype
    source = node.inputs[-1].type.dtype
    kind = c_type(result)
    if name == "cast":
        return _cast(operands[0], source, result, kind)
    if name == "one_hot":
        return f"({kind})({operands[0]} == {operands[1]})"
    if name == "integer_pow":
        return _power(operands[0], node.attrs["exponent"], source, kind)
    template = ANY.get(name) or TABLES[source.kind][name]
    small = source.itemsize == 4
    exp = "exponentialf" if small else "exp"
    if name == "exp" and not small and node.inputs[0].node is not None and node.inputs[0].node.op.name == "sub":
        exp = "exp_down"  # as in softmax, where masks put minus a billion
    names = dict(zip("xyz", operands))
    text = template.format(**names, T=c_type(source), f="f" if small else "", exp=exp)
    return text if result.kind == "b" else f"({kind})({text})"


def _cast(operand: str, source: DType, target: DType, kind: str) -> str:
    if target.kind == "b":
        return f"{operand} != 0" if source.kind != "b" else operand
    if source.kind == "b":
        return f"{operand} ? ({kind})1 : ({kind})0"  # what GCC can vectorize
    return f"({kind}){operand}"


def _power(x: str, exponent: int, dtype: DType, kind: str) -> str:
    if abs(exponent) > LARGEST_POWER[dtype.kind]:
        return f"pow{'f' if dtype.itemsize == 4 else ''}({x}, ({kind}){exponent})"
    product = " * ".join(f"({kind}){x}" for _ in range(abs(exponent))) or "1"
    return f"({kind})({product})" if exponent >= 0 else f"1 / ({kind})({product})"


def c_type(dtype: DType) -> str:
    """The C type of a variable: booleans are _Bool there, which vectorizes, and bytes in memory."""
    return "_Bool" if dtype.kind == "b" else C_TYPES[short_name(dtype)]


def literal(number: Any, dtype: DType) -> str:
    """A number as C writes it, exactly."""
    if dtype.kind == "b":
        return str(int(bool(number)))
    if dtype.kind == "f":
        value = float(dtype.type(number))
        suffix = "f" if dtype.itemsize == 4 else ""
        if numpy.isnan(value):
            return f"({c_type(dtype)})NAN"
        if numpy.isinf(value):
            return f"({c_type(dtype)}){'-' if value < 0 else ''}INFINITY"
        return f"({value.hex()}{suffix})"
    number = int(number)
    if dtype.kind == "u":
        return f"({c_type(dtype)}){number}ULL"
    if number == numpy.iinfo(numpy.int64).min:
        return "INT64_MIN"
    return f"({c_type(dtype)}){number}LL" if number >= 0 else f"({c_type(dtype)})({number}LL)"


def memory_type(dtype: DType) -> str:
    """The C type of an element in memory."""
    return C_TYPES[short_name(dtype)]
