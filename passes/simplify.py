"""Applies the rewrite table of `dopegraph.passes.rules`: simpler algebra, and numerics that do not overflow."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ir.types import DType
from dopegraph.passes.pass_ import Pass, rewrite_nodes
from dopegraph.passes.rules import RULES, Rule

OPERATORS: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}

# What the conditions and results of rules may call, besides the primitives.
HELPERS: dict[str, Any] = {
    "integer": lambda x: x.type.dtype.kind in "iu",
    "real": lambda x: x.type.dtype.kind == "f",
    "lossless": lambda x, dtype: _lossless(x.type.dtype, dtype),
    "is_identity": lambda axes: axes == tuple(range(len(axes))),
    "permuted": lambda items, axes: tuple(items[axis] for axis in axes),
    "moves_only_ones": lambda x, axes: _long_axes(x, axes) == sorted(_long_axes(x, axes)),
    "whole": lambda x, starts, stops, steps: not any(starts) and stops == x.shape and set(steps) <= {1},
    "union": lambda a, b: tuple(sorted({*a, *b})),
    "dropped": lambda shape, axes: tuple(n for axis, n in enumerate(shape) if axis not in axes),
    "rows": lambda x: (math.prod(x.shape[:-1]), x.shape[-1]),
    "leading": lambda x: tuple(range(x.ndim - 2)),
    "swaps_last": lambda axes: axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2),
}


def _lossless(source: DType, target: DType) -> bool:
    """Whether a cast keeps every value. NumPy calls int64 to float64 safe, which it is up to 2**53 only."""
    families = ("b", "iu", "fc")
    same_family = any(source.kind in family and target.kind in family for family in families)
    return numpy.can_cast(source, target, "safe") and (same_family or source.kind == "b")


def _long_axes(x: Value, axes: tuple[int, ...]) -> list[int]:
    return [axis for axis in axes if x.shape[axis] != 1]


Bindings = dict[str, Any]
Pattern = Union[str, float, "OperatorPattern"]


class OperatorPattern:
    """A node to match: operator, operand patterns, and for each attribute a name to bind or a value to equal."""

    def __init__(self, op: str, operands: list[Pattern], attrs: dict[str, Any], name: str | None = None) -> None:
        self.op = op
        self.operands = operands
        self.attrs = attrs
        self.name = name  # of its result


class CompiledRule:
    """A rule with its texts parsed."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        pattern = _pattern(ast.parse(rule.pattern, mode="eval").body)
        if not isinstance(pattern, OperatorPattern):
            raise ValueError(f"the rule {rule.pattern!r} does not start with an operator")
        self.pattern = pattern
        self.needs = [_maker(operand) for operand in pattern.operands]
        self.result = compile(rule.result, rule.pattern, "eval")
        self.when = compile(rule.when, rule.pattern, "eval")

    def may_fit(self, makers: Sequence[str], commutative: bool) -> bool:
        """Whether operands that these operators made can be what the pattern asks for; most cannot."""
        needs = self.needs
        if len(makers) != len(needs):
            return False
        if all([need in ("", maker) for need, maker in zip(needs, makers)]):
            return True
        return commutative and all([need in ("", maker) for need, maker in zip(needs, reversed(makers))])

    def apply(self, node: Node, uses: Counter[Value]) -> Value | None:
        """What the node becomes, or None when the rule does not fit; `uses` counts the readers of values."""
        for bound in _match_node(self.pattern, node, {}):
            namespace = {**primitives, **HELPERS, "once": lambda value: uses[value] == 1, **bound}
            if not eval(self.when, {"__builtins__": SAFE}, namespace):
                continue
            result: Value = eval(self.result, {"__builtins__": SAFE}, namespace)
            old = node.outputs[0]
            if result.type.dtype == old.type.dtype:
                if result.shape != old.shape:
                    result = primitives["broadcast_to"](result, shape=old.shape)
                return result
        return None


SAFE = {"len": len}


def _maker(pattern: Pattern) -> str:
    """The operator that makes what a pattern stands for; empty for any."""
    if isinstance(pattern, str):
        return ""
    return pattern.op if isinstance(pattern, OperatorPattern) else "full"


def _pattern(tree: ast.expr) -> Pattern:
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.NamedExpr):
        pattern = _pattern(tree.value)
        assert isinstance(pattern, OperatorPattern)
        pattern.name = tree.target.id
        return pattern
    if isinstance(tree, ast.BinOp):
        return OperatorPattern(OPERATORS[type(tree.op)], [_pattern(tree.left), _pattern(tree.right)], {})
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        attrs: dict[str, Any] = {}
        for keyword in tree.keywords:
            value = keyword.value
            attrs[str(keyword.arg)] = value.id if isinstance(value, ast.Name) else (ast.literal_eval(value),)
        return OperatorPattern(tree.func.id, [_pattern(argument) for argument in tree.args], attrs)
    return float(ast.literal_eval(tree))


def _match(pattern: Pattern, value: Value, bound: Bindings) -> Iterable[Bindings]:
    if isinstance(pattern, str):
        if pattern in bound:
            return [bound] if bound[pattern] is value else []
        return [{**bound, pattern: value}]
    if value.node is None:
        return []
    if isinstance(pattern, OperatorPattern):
        return _match_node(pattern, value.node, bound)
    if value.node.op.name == "full" and value.type.dtype.kind in "iuf":
        number = value.node.attrs["value"]
        # repr tells 0.0 from -0.0.
        return [bound] if repr(float(number)) == repr(pattern) else []
    return []


def _match_node(pattern: OperatorPattern, node: Node, bound: Bindings) -> Iterable[Bindings]:
    if node.op.name != pattern.op or len(node.inputs) != len(pattern.operands):
        return
    if pattern.name is not None:
        bound = {**bound, pattern.name: node.outputs[0]}
    for name, expected in pattern.attrs.items():
        found = node.attrs[name]
        if isinstance(expected, tuple):
            if found != expected[0]:
                return
        elif expected in bound:
            if bound[expected] != found:
                return
        else:
            bound = {**bound, expected: found}
    orders = [node.inputs, node.inputs[::-1]] if node.op.commutative else [node.inputs]
    for operands in orders:
        matches: list[Bindings] = [bound]
        for one, value in zip(pattern.operands, operands):
            matches = [new for old in matches for new in _match(one, value, old)]
        yield from matches


class Simplify(Pass):
    name = "simplify"

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self.by_operator: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            compiled = CompiledRule(rule)
            self.by_operator.setdefault(compiled.pattern.op, []).append(compiled)

    def run(self, graph: Graph) -> bool:
        uses = Counter(value for node in graph.nodes for value in node.inputs)
        uses.update(graph.results)

        def rewrite(node: Node) -> Value | None:
            rules = self.by_operator.get(node.op.name)
            if not rules:
                return None
            makers = [value.node.op.name if value.node is not None else "argument" for value in node.inputs]
            for rule in rules:
                if rule.may_fit(makers, node.op.commutative):
                    new = rule.apply(node, uses)
                    if new is not None:
                        return new
            return None

        return rewrite_nodes(graph, rewrite)
