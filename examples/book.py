"""Runs the chapters of the book, each in a process of its own, and writes the table of examples/README.md.

    python -m examples.book                       every chapter (`make book`)
    python -m examples.book --only mlp,softmax    those whose names contain one of these
    python -m examples.book --quick               a few steps of each; nothing is written
    python -m examples.book --table               only the table, from what the last runs left in examples/results

What a chapter gives: the figures the book prints, in ``BOOK``; the same of this run, and under "train_step" the
compiled step, in what `main` returns.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
README = FOLDER / "README.md"

PARTS = {
    "part1": "Part 1: basics, linear models, multilayer perceptrons, plumbing",
    "part2": "Part 2: convolution, recurrence, optimization, performance, several devices",
    "part3": "Part 3: applications and advanced chapters",
    "beyond": "Beyond the book",
}
# Of a chapter's docstring: its title, its number in the book if it has one, what it shows.
HEAD = re.compile(r"(?P<title>.+?) \((?:the book's chapter(?: (?P<number>\d+))?|beyond the book)\): (?P<shows>.+)")
FORM = '"Title (the book\'s chapter 7): what it shows." or "Title (beyond the book): what it shows."'


@dataclass(frozen=True)
class Chapter:
    """A chapter, as its file's docstring tells.

    Attributes
    ----------
    part, name : str
        Folder and file: ``"part1"``, ``"perceptron"``.
    number : int
        The book's.
    title, shows : str
    """

    part: str
    name: str
    number: int
    title: str
    shows: str

    @property
    def module(self) -> str:
        return f"examples.{self.part}.{self.name}"

    @property
    def result(self) -> Path:
        """Where a full run leaves its figures."""
        return RESULTS / self.part / f"{self.name}.json"


def chapters() -> list[Chapter]:
    """All chapters in the book's order; nothing is imported."""
    found = []
    for path in sorted(path for part in PARTS for path in FOLDER.glob(f"{part}/[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        head = HEAD.match(" ".join(text.split("\n\n")[0].split()))
        if head is None:
            raise ValueError(f"the docstring of {path} does not begin with {FORM}")
        shows = head["shows"].rstrip(".")
        found.append(Chapter(path.parent.name, path.stem, int(head["number"] or 1000), head["title"], shows))
    parts = list(PARTS)
    return sorted(found, key=lambda one: (parts.index(one.part), one.number, one.name.endswith("_gluon"), one.name))


# Running one --------------------------------------------------------------------------------------------------------


def processor_seconds() -> float:
    """What this process, and the C compilers that it started, have computed: the same on a machine that is busy."""
    of_children = os.times()
    return time.process_time() + of_children.children_user + of_children.children_system


@contextmanager
def watched() -> Iterator[dict[Any, tuple[list[float], list[float]]]]:
    """Seconds of the calls of each compiled function: of the processor, those that recorded something; the others."""
    from dopegraph.transform.compiled import Compiled

    times: dict[Any, tuple[list[float], list[float]]] = {}
    misses: dict[Any, int] = {}
    original = Compiled.__call__

    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        Compiled.__call__ = original  # what is recorded must not call this
        used, start = processor_seconds(), time.perf_counter()
        try:
            return original(self, *args, **kwargs)
        finally:
            Compiled.__call__ = timed
            took, seen = time.perf_counter() - start, self.cache_info().misses
            first, others = times.setdefault(self, ([], []))
            if seen == misses.get(self, 0):
                others.append(took)
            else:
                first.append(processor_seconds() - used)
            misses[self] = seen

    Compiled.__call__ = timed
    try:
        yield times
    finally:
        Compiled.__call__ = original


def run_here(name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Run a chapter in this process: its figures, the book's, and what compiling and a step cost."""
    import dopegraph

    start = time.perf_counter()
    with watched() as times:
        module = importlib.import_module(name)
        found = module.main(list(arguments))
    step = times.get(found.get("train_step"), ([], []))[1]
    plans = [plan for function in times for plan in function.plans]
    return {
        "book": {key: _plain(value) for key, value in module.BOOK.items()},
        "here": {key: _plain(found[key]) for key in module.BOOK},
        "graphs": dopegraph.programs.compiled,
        "fallbacks": sorted({f"{one.operation}: {one.reason}" for plan in plans for one in plan.fallbacks}),
        "as_python": sum(function.cache_info().python_calls for function in times),
        "compile_seconds": sum(sum(first) for first, _ in times.values()),
        "step_microseconds": median(step) * 1e6 if step else None,
        "seconds": time.perf_counter() - start,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    return value.tolist() if hasattr(value, "tolist") else value


def run_apart(chapter: Chapter, arguments: Sequence[str]) -> dict[str, Any]:
    """Run a chapter in a process of its own, with a new cache, so that compiling means compiling.

    Raises
    ------
    RuntimeError
        When it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        from dopegraph.data.files import cache_folder

        data = cache_folder()
        data.mkdir(parents=True, exist_ok=True)
        (Path(folder) / "data").symlink_to(data.absolute())  # what is downloaded is kept
        environment = {**os.environ, "DOPEGRAPH_CACHE": folder}
        into = Path(folder) / "result.json"
        command = [sys.executable, "-m", "examples.book", "--run", chapter.module, str(into), *arguments]
        done = subprocess.run(command, cwd=FOLDER.parent, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(f"{chapter.module} ended with code {done.returncode}")
        return json.loads(into.read_text(encoding="utf-8"))


# The table ----------------------------------------------------------------------------------------------------------

# So many figures of a chapter stand in the table, with so many letters each; all are in its result.
MOST, LONGEST = 6, 60
COLUMNS = ["chapter", "what it shows", "the book", "here", "graphs", "on NumPy", "compiling", "a step"]


def table(found: Sequence[Chapter]) -> str:
    """The chapters of a part with the results of their last full runs, as Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---|---|---|---|---:|---|---:|---:|"]
    for one in found:
        cells = [f"[{one.title}]({one.part}/{one.name}.py)", one.shows, *_cells(one.result)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _cells(path: Path) -> list[str]:
    from examples.chapter import shown

    if not path.exists():
        return ["", "not run yet", "", "", "", ""]
    result = json.loads(path.read_text(encoding="utf-8"))
    book, here = result["book"], result["here"]
    differ = {name: value for name, value in here.items() if shown(value) != shown(book[name])}
    others = "" if len(differ) == len(here) else "the others are the same" if differ else "the same"
    step = result["step_microseconds"]
    return [
        _figures(book),
        "; ".join(filter(None, [_figures(differ), others])),
        str(result["graphs"]),
        ", ".join(result["fallbacks"]) or "nothing",
        f"{result['compile_seconds']:.2f} s",
        "" if step is None else f"{step / 1000:.2f} ms" if step >= 1000 else f"{step:.0f} us",
    ]


def _figures(values: dict[str, Any]) -> str:
    """Figures in a cell of the table, shortened."""
    from examples.chapter import shown

    texts = [f"{name.replace('_', ' ')} {shown(value)}" for name, value in values.items()]
    texts = [text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..." for text in texts]
    return "; ".join([*texts[:MOST], "..."] if len(texts) > MOST else texts)


def readme() -> str:
    """The text of examples/README.md."""
    every = chapters()
    sections = []
    for part, title in PARTS.items():
        found = [one for one in every if one.part == part]
        if found:
            sections.append(f"## {title}\n\n{table(found)}\n")
    return "\n".join([INTRODUCTION, *sections])


INTRODUCTION = """# The book's chapters

Each file is a chapter of *Deep Learning: The Straight Dope* as a traced program: `python -m examples.part1.NAME`, with
the options `--quick`, `--epochs N`, `--device DEVICE` and `--plots DIR`. Everything below is written by `make book`: it
runs every chapter in a process of its own with an empty cache; what it measured lies in `results/`.

*Graphs* are all compiled graphs of a run; *on NumPy* names nodes of compiled functions that neither MXNet nor generated
code ran; *compiling* is the processor's time of all calls that recorded something, the C compiler's included; *a step*
is the median call of the training step. Of what is not in the book, the book's column says what must come out, or what
NumPy or PyTorch reach with the same settings; the chapter's file says which.
"""


# The command --------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run chapters; the exit code is the number of those that failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--run"]:
        name, into = given[1:3]
        sys.argv[1:] = given[3:]  # where `chapter.py` looks for the device
        Path(into).write_text(json.dumps(run_here(name, given[3:])), encoding="utf-8")
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps of each; nothing is written")
    parser.add_argument("--only", default="", help="parts of the names of those to run, separated by commas")
    parser.add_argument("--table", action="store_true", help="run nothing, write the table")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="leave the book's plots in folders of this one")
    chosen = parser.parse_args(given)
    failed = 0 if chosen.table else _run_all(chosen)
    if not chosen.quick:
        _write_table()
    return failed


def _write_table() -> None:
    README.write_text(readme(), encoding="utf-8")


def _run_all(chosen: argparse.Namespace) -> int:
    failed = 0
    wanted = [part for part in chosen.only.split(",") if part]
    for chapter in chapters():
        if wanted and not any(part in f"{chapter.part}/{chapter.name}" for part in wanted):
            continue
        print(f"\n{chapter.title} ({chapter.module})", flush=True)
        options = ["--quick"] if chosen.quick else []
        options += ["--plots", str(chosen.plots.absolute() / chapter.part)] if chosen.plots else []
        try:
            result = run_apart(chapter, options)
        except RuntimeError as error:
            failed += 1
            print(error)
            continue
        print(f"{result['seconds']:.1f} s, of which {result['compile_seconds']:.2f} s compiling", flush=True)
        if not chosen.quick:
            chapter.result.parent.mkdir(parents=True, exist_ok=True)
            lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
            chapter.result.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
            _write_table()  # the others take a while
    return failed


if __name__ == "__main__":
    sys.exit(main())
