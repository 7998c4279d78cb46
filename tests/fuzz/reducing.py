"""Makes a program that differs small: takes away statements and parts of expressions while it still differs."""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Iterator

from tests.fuzz.running import Difference, Invalid, check

SECONDS = 25.0


def reduce(text: str, found: Difference, seconds: float = SECONDS) -> str:
    """The smallest program found that differs in the same way of running it."""
    deadline = time.perf_counter() + seconds

    def differs(candidate: str) -> bool:
        try:
            now = check(candidate, (found.way,)).difference
        except (Invalid, SyntaxError, RecursionError):
            return False
        return now is not None and now.kind == found.kind

    tree = ast.parse(text)
    if not differs(ast.unparse(tree)):
        return text
    smaller = True
    while smaller:
        smaller = False
        position = 0
        while time.perf_counter() < deadline:
            candidate = _nth(tree, position)
            if candidate is None:
                break
            if differs(ast.unparse(candidate)):
                tree, smaller = candidate, True
            else:
                position += 1
    return ast.unparse(tree) + "\n"


def _nth(tree: ast.Module, position: int) -> ast.Module | None:
    """A copy of a program with one change, the `position`-th of all that there are."""
    made = copy.deepcopy(tree)
    for number, change in enumerate(_changes(made)):
        if number == position:
            change()
            return ast.fix_missing_locations(made)
    return None


def _changes(tree: ast.Module) -> Iterator[object]:
    """Functions that make one change each: larger ones first."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody", "handlers", "decorator_list"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            for size in (8, 3, 1):
                for start in range(len(block) - size, -1, -1):
                    if not (isinstance(block[start], ast.Pass) and len(block) == 1):
                        yield lambda b=block, s=start, n=size, f=name: _remove(b, s, n, f)
            for start, inner in enumerate(block):
                for part in ("body", "orelse"):
                    if isinstance(inner, (ast.If, ast.For, ast.While, ast.With, ast.Try)) and getattr(
                        inner, part, None
                    ):
                        yield lambda b=block, s=start, i=inner, p=part: b.__setitem__(slice(s, s + 1), getattr(i, p))
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not isinstance(value, (ast.Name, ast.Constant)):
                if isinstance(getattr(value, "ctx", None), (ast.Store, ast.Del)):
                    continue
                for child in ast.walk(value):
                    if child is not value and _usable(child):
                        yield lambda n=node, f=name, c=child: setattr(n, f, c)
            elif isinstance(value, list) and value and isinstance(value[0], (ast.expr, ast.keyword)):
                for start, part in enumerate(value):
                    if isinstance(node, (ast.Tuple, ast.List, ast.Call)):
                        yield lambda v=value, s=start: v.__delitem__(s)
                    if isinstance(part, ast.expr) and not isinstance(part, (ast.Name, ast.Constant)):
                        for child in ast.walk(part):
                            if child is not part and _usable(child):
                                yield lambda v=value, s=start, c=child: v.__setitem__(s, c)


def _usable(node: ast.AST) -> bool:
    """Whether a part of an expression may stand for the whole."""
    if isinstance(node, ast.Name) and node.id in ("np", "numpy", "dopegraph", "math", "random"):
        return False
    return isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _remove(block: list[ast.stmt], start: int, size: int, name: str) -> None:
    del block[start : start + size]
    if not block and name == "body":
        block.append(ast.Pass())
