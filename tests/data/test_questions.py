"""Questions about made-up scenes: the answers are those of the scenes, the vectors tell what is asked and seen."""

from __future__ import annotations

import numpy as np
import pytest

from dopegraph.data import ANSWERS, questions
from dopegraph.data.questions import COLOURS, SHAPES

FOUND = questions(400, seed=3, text_size=64, image_size=128)


def true_answer(asked, scene):
    of_shape = {shape: (count, colour) for count, colour, shape in scene}
    if asked.startswith("What shape"):
        colour = asked.split()[3].rstrip("?")
        return next(shape for shape, (_, found) in of_shape.items() if found == colour)
    shape = next(shape for shape in SHAPES if shape in asked)
    count, colour = of_shape.get(shape, (0, None))
    if asked.startswith("What colour"):
        return colour
    return str(count) if asked.startswith("How many") else "yes" if count else "no"


def test_answers_are_right():
    for asked, scene, answer in zip(FOUND.asked, FOUND.scenes, FOUND.answer):
        assert ANSWERS[answer] == true_answer(asked, scene)


def test_all_is_asked_and_answered():
    assert len(set(FOUND.asked)) == 3 * len(SHAPES) + len(COLOURS)
    assert set(FOUND.answer.tolist()) == set(range(len(ANSWERS)))


def test_no_colour_is_of_two_shapes():
    for scene in FOUND.scenes:
        colours = [colour for _, colour, _ in scene]
        assert len(set(colours)) == len(colours)


def test_the_same_seed_asks_the_same():
    again = questions(400, seed=3, text_size=64, image_size=128)
    assert again.asked == FOUND.asked and again.scenes == FOUND.scenes
    np.testing.assert_array_equal(again.text, FOUND.text)
    np.testing.assert_array_equal(again.image, FOUND.image)
    assert questions(400, seed=4).asked != FOUND.asked


def test_vectors_of_the_same_are_near_with_any_seed():
    other = questions(200, seed=9, text_size=64, image_size=128)
    lines = {asked: text for asked, text in zip(other.asked, other.text)}
    near = [np.corrcoef(text, lines[asked])[0, 1] for asked, text in zip(FOUND.asked, FOUND.text) if asked in lines]
    assert np.min(near) > 0.7
    assert abs(np.corrcoef(FOUND.text[0], lines[next(one for one in lines if one != FOUND.asked[0])])[0, 1]) < 0.5


@pytest.mark.parametrize("count", [0, 1])
def test_few_questions(count):
    found = questions(count)
    assert found.text.shape == (count, 1024) and found.image.shape == (count, 2048) and found.answer.shape == (count,)
    assert found.text.dtype == found.image.dtype == np.float32 and found.answer.dtype == np.int64
