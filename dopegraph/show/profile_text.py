"""A profile as tables, in plain text or for `rich`: by step (kernel, product, call), by node, by line of the source."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dopegraph.show.profile import Profile

_STEPS = ("step", "backend", "times", "µs", "share", "GFLOP/s", "GB/s", "of limit", "lines")
_NODES = ("node", "computes", "µs", "share", "line")
_LINES = ("line", "source", "µs", "share")
_NUMBERS = ("times", "µs", "share", "GFLOP/s", "GB/s", "of limit")

# So many rows of a table are shown, and cells are so wide at most.
_ROWS, _WIDTH = 20, 48


def facts(profile: Profile) -> list[str]:
    """What stands above the tables."""

    def part(seconds: float) -> str:
        return f"{1e6 * seconds:,.1f} µs"

    runs = sum(len(program.runs) for program in profile.programs)
    first = f"{profile.name}: {part(profile.seconds)}, {runs} run(s) of {len(profile.programs)} compiled graph(s)"
    python = "Python, recording and compiling" if profile.recorded else "Python"
    machine = profile.machine
    gflops = ", ".join(f"{rate / 1e9:.1f} GFLOP/s in {name} products" for name, rate in machine.flops.items())
    lines = [
        f"{first}: {part(profile.computing)} computing, {part(profile.transfer)} transfers, "
        f"{part(profile.host)} {python}",
        f"run again, {part(profile.measured)} computing; the tables have medians of these",
        f"this machine: {machine.bandwidth / 1e9:.1f} GB/s, {gflops}",
    ]
    if profile.host_calls:
        lines.append("NumPy's functions: " + ", ".join(f"{n} {name}" for name, n in profile.host_calls.items()))
    if any(step.estimated for step, _ in profile.steps):
        lines.append("~: a share of its symbol's time, by what each node takes alone")
    if any(step.share_of_limit(machine) > 1 for step, _ in profile.steps):
        lines.append("more than 100 % of the limit: arrays that are in caches already need no memory bandwidth")
    return lines


def step_rows(profile: Profile) -> list[tuple[str, ...]]:
    """The table of steps."""
    whole = sum(step.seconds * times for step, times in profile.steps) or 1.0
    return [
        (
            step.name,
            step.backend,
            str(times),
            f"{'~' if step.estimated else ''}{1e6 * step.seconds * times:,.1f}",
            f"{100 * step.seconds * times / whole:.1f} %",
            f"{step.gflops:.2f}",
            f"{step.bandwidth:.2f}",
            f"{100 * step.share_of_limit(profile.machine):.0f} %",
            ", ".join(step.lines[:3]) + (", ..." if len(step.lines) > 3 else ""),
        )
        for step, times in profile.steps
    ]


def node_rows(profile: Profile) -> list[tuple[str, ...]]:
    """The table of nodes of the graphs; of a kernel each has its share."""
    nodes = profile.by_node()
    whole = sum(seconds for _, _, seconds in nodes) or 1.0
    return [
        (
            name,
            f"{node.op.name} {', '.join(str(value.type) for value in node.outputs)}",
            f"{1e6 * seconds:,.1f}",
            f"{100 * seconds / whole:.1f} %",
            str(node.location) if node.location is not None else "?",
        )
        for name, node, seconds in nodes
    ]


def _tables(profile: Profile) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    return [(_STEPS, step_rows(profile)), (_NODES, node_rows(profile)), (_LINES, line_rows(profile))]


def line_rows(profile: Profile) -> list[tuple[str, ...]]:
    """The table of lines."""
    lines = profile.by_line()
    whole = sum(seconds for _, seconds in lines) or 1.0
    return [
        (
            str(where) if where is not None else "?",
            where.source() if where is not None else "",
            f"{1e6 * seconds:,.1f}",
            f"{100 * seconds / whole:.1f} %",
        )
        for where, seconds in lines
    ]


def as_text(profile: Profile) -> str:
    """Plain columns."""
    parts = facts(profile)
    for head, rows in _tables(profile):
        more = [f"and {len(rows) - _ROWS} more"] if len(rows) > _ROWS else []
        parts += ["", *_columns(head, rows[:_ROWS]), *more]
    return "\n".join(parts)


def as_tables(profile: Profile) -> Any:
    """What `rich` prints."""
    console, table = importlib.import_module("rich.console"), importlib.import_module("rich.table")
    text = importlib.import_module("rich.text")
    made = [text.Text("\n".join(facts(profile)))]
    for head, rows in _tables(profile):
        one = table.Table()
        for name in head:
            one.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
        for row in rows[:_ROWS]:
            one.add_row(*[text.Text(cell) for cell in row])  # not markup: a source line may have brackets
        made.append(one)
    return console.Group(*made)


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [min(max(len(row[place]) for row in [head, *rows]), _WIDTH) for place in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [cell if len(cell) <= width else f"{cell[: width - 3]}..." for cell, width in zip(row, widths)]
        sides = [
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(head, cells, widths)
        ]
        lines.append("  ".join(sides).rstrip())
    return [lines[0], "-" * len(lines[0]), *lines[1:]]
