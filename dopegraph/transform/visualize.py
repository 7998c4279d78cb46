"""``visualize``: the picture of a function's graph, or of a graph, as a file or a page to look around in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from dopegraph.backends.facts import facts_of
from dopegraph.ir.graph import Graph, Node
from dopegraph.passes import optimize as run_passes
from dopegraph.passes.pipeline import stages_of_optimization
from dopegraph.runtime.errors import DopegraphError
from dopegraph.show.difference import changed_nodes
from dopegraph.show.dot import draws_page, render
from dopegraph.show.picture import COLOURS, Facts, Picture, picture_of, recolour
from dopegraph.transform.graph_of import record_graph
from dopegraph.transform.profiling import profile_graph

Beside = Union[Graph, bool, None]


def visualize(
    function: Callable[..., Any],
    path: str | Path | None = None,
    optimize: bool = True,
    *,
    colour: str = "operation",
    before: Beside = None,
    after: Beside = None,
    steps: bool = False,
    fold: bool | None = None,
) -> Callable[..., Path]:
    """A function that draws the graph of `function` for its arguments into a file.

    Parameters
    ----------
    function : callable
    path : path, optional
        ``NAME.svg`` in the working directory by default; the ending chooses the format: ``svg``, ``png`` and ``pdf`` as
        Graphviz's ``dot`` draws them, ``dot`` for the text, ``html`` for a page to move, zoom and search in, to fold
        parts and to read what a box is, with its lines of Python and C. The page is one file that works offline.
        Without ``dot`` a page is written instead of a picture.
    optimize : bool
        Draw the graph that would be executed, not the one that was recorded.
    colour : {"operation", "backend", "memory", "time"}
        What colours mean: the kind of operation, who runs it, how many bytes are alive while it runs, or how long it
        takes. For the last one the optimized graph is run, on copies of all arrays: nothing changes.
    before, after : Graph or bool, optional
        A graph to draw on the left or on the right of it, or True: as it was recorded, or as it would be executed.
        What only the graph on the right has gets a thick frame.
    steps : bool
        Draw it as it was recorded and after each pass that changed it; a page shows one at a time.
    fold : bool, optional
        Whether what a loop repeats, and the functions that a large graph comes from, are drawn as one box each (at
        first, on a page). By default they are when there are more than 60 nodes.

    Returns
    -------
    callable
        Takes the function's arguments, returns the path of the file.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np, tempfile
    >>> def f(x):
    ...     return np.log(np.exp(x).sum())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = dopegraph.visualize(f, f"{folder}/f.html", colour="backend")(np.ones(3))
    ...     "WebAssembly" in page.read_text()
    True
    """
    _check(colour)

    @functools.wraps(function)
    def drawn(*args: Any, **kwargs: Any) -> Path:
        recorded = record_graph(function, args, kwargs)
        graph = run_passes(recorded.graph) if optimize else recorded.graph
        seconds: Mapping[Node, Facts] | None = None
        if colour == "time":
            profile = profile_graph(recorded.graph if optimize else graph, [*recorded.inputs, *recorded.state])
            seconds = {}
            for program in profile.programs:  # none, if there is nothing to compute
                graph, seconds = program.graph, program.facts
        target = path if path is not None else f"{graph.name}.svg"
        return visualize_graph(
            graph, target, colour=colour, before=recorded.graph if before is True else before, after=after,
            steps=recorded.graph if steps else None, fold=fold, facts=seconds,
        )  # fmt: skip

    return drawn


def visualize_graph(
    graph: Graph,
    path: str | Path,
    *,
    colour: str = "operation",
    before: Beside = None,
    after: Beside = None,
    steps: Graph | None = None,
    fold: bool | None = None,
    facts: Mapping[Node, Facts] | None = None,
) -> Path:
    """Draw a graph, others beside it, or all that optimizing `steps` goes through; see `visualize`."""
    _check(colour)
    known = dict(facts or {})
    if colour == "time" and facts is None:
        message = (
            "visualize: a graph alone has no times: write visualize(f, path, colour='time')(*args), or draw a profile"
        )
        raise DopegraphError(message)
    if steps is not None:
        named = list(stages_of_optimization(steps))
    else:
        if before is True:
            raise DopegraphError("visualize: before=True is for functions; give the graph to draw on the left")
        if after is True:
            after = run_passes(graph)
        named = [(graph.name, graph)]
        if isinstance(before, Graph):
            named = [(f"{before.name}: before", before), (f"{graph.name}: after", graph)]
        if isinstance(after, Graph):
            title = graph.name if isinstance(before, Graph) else f"{graph.name}: before"
            named[-1:] = [(title, graph), (f"{after.name}: after", after)]
    told = colour == "backend" or draws_page(path)  # what runs a node, and how, is asked for nothing else
    pictures = [_picture(named, number, known, colour, fold, told) for number in range(len(named))]
    return render(pictures, path, colour, steps is not None, graph.name)


def _picture(
    named: Sequence[tuple[str, Graph]],
    number: int,
    known: dict[Node, Facts],
    colour: str,
    fold: bool | None,
    told: bool,
) -> Picture:
    title, graph = named[number]
    changed = changed_nodes(named[number - 1][1], graph) if number else ()
    last = number == len(named) - 1
    facts = known or (facts_of(graph) if told and (last or colour == "backend") else {})
    picture = picture_of(graph, title, facts, changed, fold)
    recolour(picture, colour)
    return picture


def _check(colour: str) -> None:
    if colour not in COLOURS:
        raise ValueError(f"visualize: colour is one of {', '.join(COLOURS)}, not {colour!r}")
