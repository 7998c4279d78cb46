"""Gives you questions about made-up scenes, with vectors of their words and pictures, and the answers.

They stand in for VQA (Antol et al., *VQA: Visual Question Answering*, 2015) as its features come from other networks:
a vector of a scene, another of a question. What is asked decides which part of the scene is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANSWERS", "Questions", "questions"]

SHAPES = ["circle", "square", "triangle", "diamond", "star", "cross"]
COLOURS = ["red", "green", "blue", "yellow", "orange", "purple", "brown", "black"]
MOST = 3  # things of a shape in a scene; they have one colour, no other shape has it
ANSWERS = [*COLOURS, *SHAPES, *map(str, range(MOST + 1)), "yes", "no"]
_ASKED = [
    *(f"What colour is each {shape}?" for shape in SHAPES),
    *(f"What shape is {colour}?" for colour in COLOURS),
    *(f"How many {shape}{'es' if shape == 'cross' else 's'} are there?" for shape in SHAPES),
    *(f"Is there a {shape}?" for shape in SHAPES),
]
# What differs between two questions, or scenes, that are the same: of each number, beside its deviation.
_TEXT_NOISE, _IMAGE_NOISE = 0.3, 0.1


@dataclass(frozen=True)
class Questions:
    """Questions and answers.

    Attributes
    ----------
    text, image : numpy.ndarray
        float32, (count, text_size) and (count, image_size): what other networks would make of questions and scenes.
    answer : numpy.ndarray
        int64, (count,): numbers of `ANSWERS`.
    asked : list of str
        The questions.
    scenes : list of list of (int, str, str)
        How many, of which colour, of which shape.
    """

    text: NDArray[np.float32]
    image: NDArray[np.float32]
    answer: NDArray[np.int64]
    asked: list[str]
    scenes: list[list[tuple[int, str, str]]]


def questions(count: int, seed: int = 0, text_size: int = 1024, image_size: int = 2048) -> Questions:
    """Questions about scenes, each about one of its own.

    Parameters
    ----------
    count : int
    seed : int
        The same seed asks the same; what vectors mean is the same for all.
    text_size, image_size : int
        How long the vectors are.

    Examples
    --------
    >>> found = questions(3)
    >>> found.text.shape, found.image.shape
    ((3, 1024), (3, 2048))
    >>> ANSWERS[-2:]
    ['yes', 'no']
    """
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(20151)
    there = rng.integers(1, MOST + 1, (count, len(SHAPES))) * (rng.random((count, len(SHAPES))) < 0.6)
    colours = rng.permuted(np.tile(np.arange(len(COLOURS)), (count, 1)), axis=1)[:, : len(SHAPES)]
    pairs = [_question(rng, *scene) for scene in zip(there, colours)]
    asked, answer = (np.array(column, np.int64).reshape(count) for column in (zip(*pairs) if pairs else ((), ())))
    words = fixed.normal(size=(len(_ASKED), text_size))
    text = words[asked] + _TEXT_NOISE * rng.normal(size=(count, text_size))
    image = _seen(there, colours) @ fixed.normal(size=(len(SHAPES) * (len(COLOURS) + MOST + 1), image_size))
    image += _IMAGE_NOISE * image.std(axis=1, keepdims=True) * rng.normal(size=(count, image_size))
    scenes = [
        [(int(n), COLOURS[colour], shape) for n, colour, shape in zip(*scene, SHAPES) if n]
        for scene in zip(there, colours)
    ]
    return Questions(
        text.astype(np.float32), image.astype(np.float32), answer, [_ASKED[number] for number in asked], scenes
    )


def _question(rng: np.random.Generator, there: NDArray[np.int64], colours: NDArray[np.int64]) -> tuple[int, int]:
    """The number of a question, and that of its answer."""
    kind, shape = int(rng.integers(4)), int(rng.integers(len(SHAPES)))
    if kind < 2 and there.any():  # about something that is there
        shape = int(rng.choice(np.flatnonzero(there)))
        colour = int(colours[shape])
        return (shape, colour) if kind == 0 else (len(SHAPES) + colour, len(COLOURS) + shape)
    first = len(SHAPES) + len(COLOURS)  # of the questions how many; of the answers, too
    if kind == 2:
        return first + shape, first + int(there[shape])
    return first + len(SHAPES) + shape, first + MOST + 1 + (0 if there[shape] else 1)


def _seen(there: NDArray[np.int64], colours: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each scene for each shape: which colour it has, if it is there, and how many there are, as zeros and ones."""
    code = np.zeros((*there.shape, width := len(COLOURS) + MOST + 1))
    scene, shape = np.indices(there.shape)
    code[scene, shape, len(COLOURS) + there] = 1
    code[scene, shape, colours] = there > 0
    return code.reshape(len(there), len(SHAPES) * width)
