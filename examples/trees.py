"""What the chapter with trees needs: batches of trees by levels, which all have the same shapes, and their pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.data import VOCABULARY, SentencePair, Tree
from examples.chapter import picture

Place = tuple[int, int]  # a level, and which of its words
Levels = list[list[tuple[int, list[Place]]]]


def levels_of(trees: Iterable[tuple[Sequence[int], Tree]]) -> tuple[Levels, list[Place]]:
    """The words of trees, each with the places of its children; the places of the roots.

    In the first level are words without children, in each other one those whose highest child is a level lower.
    """
    levels: Levels = []
    roots: list[Place] = []
    for words, root in trees:
        places: dict[int, Place] = {}
        for tree in root:  # children come before their parents
            children = [places[id(child)] for child in tree.children]
            level = 1 + max((one for one, _ in children), default=-1)
            if level == len(levels):
                levels.append([])
            places[id(tree)] = (level, len(levels[level]))
            levels[level].append((words[tree.idx], children))
        roots.append(places[id(root)])
    return levels, roots


def in_batches(pairs: Sequence[SentencePair], batch_size: int) -> Iterator[tuple[list[tuple[Any, Any]], Any, Any, Any]]:
    """Levels, left and right roots, and scores of batches, all of the same shapes.

    A level is an array of words, of shape (words,), and one of the states of their children, (words, children): 0
    is a child that is not there, 1 is the first word of the first level. It is filled up with word 0.
    """
    groups = [pairs[start : start + batch_size] for start in range(0, len(pairs), batch_size)]
    found = [
        levels_of([(p.left_words, p.left) for p in some] + [(p.right_words, p.right) for p in some]) for some in groups
    ]
    depth = max(len(levels) for levels, _ in found)
    at = [[levels[level] for levels, _ in found if level < len(levels)] for level in range(depth)]
    widths = [max(map(len, one)) for one in at]
    arities = [max(len(children) for level in one for _, children in level) for one in at]
    starts = numpy.cumsum([1, *widths])  # of the states of a level, behind the one of zeros
    for group, (levels, roots) in zip(groups, found):
        arrays = [
            (numpy.zeros(width, "int32"), numpy.zeros((width, arity), "int32")) for width, arity in zip(widths, arities)
        ]
        for level, (words, places) in zip(levels, arrays):
            for place, (word, children) in enumerate(level):
                words[place] = word
                places[place, : len(children)] = [starts[level] + place for level, place in children]
        left, right = numpy.array([starts[level] + place for level, place in roots], "int32").reshape(2, -1)
        yield arrays, left, right, numpy.array([one.score for one in group], "float32")


def sentence(words: Iterable[int]) -> str:
    """What the numbers say."""
    return " ".join(VOCABULARY[word] for word in words)


def timed(step: Callable[..., Any], items: Iterable[Sequence[Any]]) -> tuple[list[Any], float]:
    """Results of a step for items, and how many items it does in a second, by the median."""
    results, seconds = [], []
    for item in items:
        start = time.perf_counter()
        results.append(step(*item))
        seconds.append(time.perf_counter() - start)
    return results, 1 / float(numpy.median(seconds))


def draw(
    path: Path, pair: SentencePair, history: Sequence[Sequence[float]], predicted: Any, batches: Sequence[Any]
) -> None:
    """A sentence as a tree, the correlations over the epochs, and the scores of batches beside those predicted."""
    with picture(path, 1, 3, (18, 5), layout="constrained", gridspec_kw={"width_ratios": [2, 1, 1]}) as axes:
        _draw_tree(axes[0], pair.left_words, pair.left, 0)
        axes[0].axis("off")
        for column, label in ((0, "training"), (2, "validation")):
            axes[1].plot(range(1, len(history) + 1), [one[column] for one in history], label=label)
        axes[1].set_xlabel("epoch")
        axes[1].set_ylabel("Pearson's r")
        axes[1].legend()
        scores = numpy.concatenate([one[-1] for one in batches])
        axes[2].scatter(scores, predicted, s=12)
        axes[2].plot([1, 5], [1, 5], color="gray", linewidth=1)
        axes[2].set_xlabel("score")
        axes[2].set_ylabel("predicted")


def _draw_tree(axes: Any, words: Sequence[int], tree: Tree, depth: int) -> None:
    """Words from left to right as in the sentence, under those on which they depend."""
    for child in tree.children:
        axes.plot([tree.idx, child.idx], [-depth, -depth - 1], color="gray", linewidth=1)
        _draw_tree(axes, words, child, depth + 1)
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "gray"}
    axes.text(tree.idx, -depth, VOCABULARY[words[tree.idx]], ha="center", va="center", bbox=box)
