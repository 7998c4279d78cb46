"""What the chapter with questions needs: pictures of made-up scenes, beside what was asked and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.data import ANSWERS, Questions
from examples.chapter import picture

MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D", "star": "*", "cross": "X"}


def draw(folder: Path, curves: Mapping[str, Sequence[float]], asked: Questions, answers: Sequence[str]) -> None:
    """The accuracies over the epochs; some scenes with their questions, right answers, and those found."""
    with picture(folder / "visual_question_answering.png") as axes:
        for name, curve in curves.items():
            axes.plot(
                range(1, len(curve) + 1), curve, marker="o", label=name.replace("accuracy_", "").replace("_", " ")
            )
        axes.set_xlabel("epoch")
        axes.set_ylabel("accuracy of the test")
        axes.legend(loc=(0.6, 0.45))
    with picture(folder / "visual_question_answering_scenes.png", 2, 4, (16, 9), layout="constrained") as places:
        for number, axes in enumerate(places.flat):
            draw_scene(axes, asked.scenes[number], number)
            right = ANSWERS[asked.answer[number]]
            found = answers[number]
            axes.set_title(f"{asked.asked[number]}\n{found}" + ("" if found == right else f" (no, {right})"))


def draw_scene(axes: Any, scene: Sequence[tuple[int, str, str]], seed: int) -> None:
    """Things of a scene, at places of chance."""
    things = [(colour, shape) for count, colour, shape in scene for _ in range(count)]
    places = numpy.random.default_rng(seed).permutation(25)[: len(things)]
    for place, (colour, shape) in zip(places, things):
        axes.plot(place % 5, place // 5, MARKERS[shape], color=colour, markersize=22, markeredgecolor="black")
    axes.set(xlim=(-0.7, 4.7), ylim=(-0.7, 4.7), xticks=[], yticks=[], aspect="equal")
