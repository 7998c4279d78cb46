"""Whether a program hangs on rounding: a difference between two ways to add the same numbers says nothing then."""

from __future__ import annotations

import ast

from tests.fuzz.running import EAGER, difference, run

# As much as float32 rounds after a few operations, and far less than what counts as a difference.
RELATIVE = 1e-6


class _Moved(ast.NodeTransformer):
    """Moves the floats that arrays are made of, a little, up and down by turns: what cancels does no longer."""

    def __init__(self) -> None:
        self.inside = 0
        self.sign = 1

    def visit_Call(self, node: ast.Call) -> ast.AST:
        arrays = isinstance(node.func, ast.Attribute) and node.func.attr == "array"
        self.inside += arrays
        self.generic_visit(node)
        self.inside -= arrays
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if self.inside and type(node.value) is float:
            self.sign = -self.sign
            return ast.copy_location(ast.Constant(node.value * (1 + self.sign * RELATIVE)), node)
        return node


def hangs_on_rounding(text: str) -> bool:
    """Whether the uncompiled program differs from itself with numbers that differ by rounding."""
    moved = ast.unparse(_Moved().visit(ast.parse(text)))
    try:
        first, second = run(text, EAGER), run(moved, EAGER)
    except Exception:
        return True
    if len(first.log) != len(second.log):
        return True
    for (where, x), (_, y) in zip(first.log, second.log):
        if where.startswith("outcome"):
            x, y = (x[0], "", x[2] and 0), (y[0], "", y[2] and 0)  # lines are others
        if difference(x, y) is not None:
            return True
    return False
