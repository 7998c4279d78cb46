"""The C function that calls kernels and products one after another: statements, or a table where they are many."""

from __future__ import annotations

from dataclasses import dataclass

# The compiler takes half a millisecond for a statement; a table of calls costs a few nanoseconds each when it runs.
STATEMENTS = 64


@dataclass(frozen=True)
class Call:
    """A statement with numbers in braces for its pointers: offsets in the workspace, or ``-1 - place`` of an array.

    `step` is the number of what it computes among the steps of the plan.
    """

    statement: str
    pointers: tuple[int, ...]
    step: int = -1


def entry(calls: list[Call]) -> str:
    """The function ``run``; it returns 1 when a position is outside."""
    return _table(calls) if len(calls) > STATEMENTS else _statements(calls)


def _statements(calls: list[Call]) -> str:
    lines = [f"  {call.statement.format(*map(pointer, call.pointers))}" for call in calls]
    return "\n".join(
        [
            "int run(void *const *a, char *w, int threads) {",
            *lines,
            "  return 0;",
            "}",
            "",
        ]
    )


def pointer(number: int, array: str = "a[{}]") -> str:
    """An offset in the workspace, or an array by its place."""
    return f"((void *)(w + {number}))" if number >= 0 else array.format(-1 - number)


def _table(calls: list[Call]) -> str:
    """A table of the calls: which statement, then its pointers."""
    statements: dict[str, int] = {}
    rows = []
    for call in calls:
        number = statements.setdefault(call.statement, len(statements))
        rows.append(f"  {', '.join(map(str, (number, *call.pointers)))},")
    counts = [next(len(call.pointers) for call in calls if call.statement == text) for text in statements]
    cases = [
        f"      case {number}: {text.format(*(f'p[{place}]' for place in range(counts[number])))} break;"
        for text, number in statements.items()
    ]
    return "\n".join(
        [
            f"static const unsigned char COUNTS[] = {{{', '.join(map(str, counts))}}};",
            "static const int64_t CALLS[] = {",
            *rows,
            "};",
            "int run(void *const *a, char *w, int threads) {",
            "  const int64_t *const end = CALLS + sizeof(CALLS) / sizeof(CALLS[0]);",
            "  for (const int64_t *c = CALLS; c < end;) {",
            f"    void *p[{max(counts)}];",
            "    const int64_t number = *c++;",
            "    for (int i = 0; i < COUNTS[number]; i++, c++) p[i] = *c < 0 ? a[-1 - *c] : w + *c;",
            "    switch (number) {",
            *cases,
            "    }",
            "  }",
            "  return 0;",
            "}",
            "",
        ]
    )
