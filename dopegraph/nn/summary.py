"""A table of the layers of a network, as one call comes to them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dopegraph.array import ndarray

if TYPE_CHECKING:
    from dopegraph.nn.block import Block


def summarize(block: Block, args: tuple[Any, ...]) -> str:
    """Call a block and describe every block inside it that was called, in the order in which they ended."""
    names = {id(child): name for name, child in _inside(block, "")}
    rows: list[tuple[str, str, str, str]] = []
    watched = _watched(block, names, rows)
    try:
        for child in watched:
            child.forward = watched[child]  # type: ignore[method-assign]
        output = block(*args)
    finally:
        for child in watched:
            del child.__dict__["forward"]
    if not names:
        rows.append(("", type(block).__name__, _shapes(output), str(_own_size(block))))
    lines = _table([("layer", "kind", "output", "parameters"), *rows])
    parameters = list(block.collect_params().values())
    sizes = [(math.prod(one.shape or ()), one) for one in parameters]
    learned = sum(size for size, one in sizes if one.grad_req != "null")
    used = sum(size * one.dtype.itemsize for size, one in sizes)
    return f"{lines}\n\n{sum(size for size, _ in sizes):,} parameters, {learned:,} of them learned, {used:,} bytes"


def _inside(block: Block, prefix: str) -> list[tuple[str, Block]]:
    found = []
    for name, child in block.children():
        found.append((prefix + name, child))
        found += _inside(child, f"{prefix}{name}.")
    return found


def _watched(block: Block, names: dict[int, str], rows: list[tuple[str, str, str, str]]) -> dict[Block, Any]:
    """For every block inside, a ``forward`` that leaves a row."""
    counted: set[int] = set()

    def watching(child: Block) -> Any:
        forward = child.forward

        def noting(*args: Any, **kwargs: Any) -> Any:
            # Before its children: the row of a block stands over theirs.
            place = len(rows)
            output = forward(*args, **kwargs)
            size = 0 if id(child) in counted else _own_size(child)
            counted.add(id(child))
            rows.insert(place, (names[id(child)], type(child).__name__, _shapes(output), f"{size:,}"))
            return output

        return noting

    return {child: watching(child) for _, child in _inside(block, "")}


def _own_size(block: Block) -> int:
    return sum(math.prod(parameter.shape or ()) for _, parameter in block.own_parameters())


def _shapes(output: Any) -> str:
    if isinstance(output, ndarray):
        return str(output.shape)
    if isinstance(output, (list, tuple)):
        return ", ".join(map(_shapes, output))
    return type(output).__name__


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths)]
        lines.append("  ".join([*cells, row[3].rjust(widths[3])]).rstrip())
    return "\n".join(lines)
