"""Pairs of sentences: words, trees and scores belong together."""

from __future__ import annotations

import numpy as np
import pytest

from dopegraph.data import VOCABULARY, Tree, sentence_pairs, word_vectors
from dopegraph.data.sentences import MEANINGS, _relatedness

PAIRS = sentence_pairs(300, seed=4)
SIDES = [side for p in PAIRS for side in ((p.left_words, p.left), (p.right_words, p.right))]


def test_the_same_seed_makes_the_same_pairs():
    assert sentence_pairs(300, seed=4) == PAIRS
    assert sentence_pairs(300, seed=5) != PAIRS
    assert sentence_pairs(10, seed=4) == PAIRS[:10]


def test_a_tree_has_each_word_once():
    for words, tree in SIDES:
        assert sorted(one.idx for one in tree) == list(range(len(words)))
        assert all(0 < word < len(VOCABULARY) for word in words)


def test_the_root_is_the_verb_and_nouns_have_articles():
    verbs = {word for kind in ("act", "deed") for words in MEANINGS[kind] for word in words}
    nouns = {word for kind in ("noun", "thing", "place") for words in MEANINGS[kind] for word in words}
    for words, root in SIDES:
        assert VOCABULARY[words[root.idx]] in verbs
        for tree in root:
            if VOCABULARY[words[tree.idx]] in nouns:
                assert VOCABULARY[words[tree.children[0].idx]] in ("this", "the")


def test_scores_are_from_one_to_five_and_all_kinds_of_them():
    scores = np.array([one.score for one in PAIRS])
    assert scores.min() >= 1 and scores.max() <= 5
    assert np.histogram(scores, [1, 2, 3, 4, 5.01])[0].min() > 20


def test_what_says_the_same_is_most_related():
    one = {"subject": 0, "act": 1, "place": 2}
    assert _relatedness(one, one) == 5
    assert _relatedness(one, {"subject": 3, "deed": 0, "object": 1}) == 1
    assert 1 < _relatedness(one, {"subject": 0, "act": 1, "place": 3}) < 5
    assert _relatedness(one, {**one, "not": 1}) == 4


def test_there_are_many_shapes():
    assert len({(one.left.shape, one.right.shape) for one in PAIRS}) > 100


def test_shapes_and_the_text_of_trees():
    tree = Tree(0, [Tree(1), Tree(2, [Tree(4)]), Tree(3)])
    assert repr(tree) == "0: [1, 2: [4], 3]"
    assert tree.shape == Tree(7, [Tree(1), Tree(0, [Tree(9)]), Tree(2)]).shape
    assert tree.shape != Tree(0, [Tree(2, [Tree(4)]), Tree(1), Tree(3)]).shape
    assert [one.idx for one in tree] == [1, 4, 2, 3, 0]


def test_words_that_mean_the_same_have_vectors_that_are_near():
    vectors = word_vectors(100)
    assert vectors.shape == (len(VOCABULARY), 100) and vectors.dtype == np.float32
    assert not vectors[0].any()
    of = {word: vectors[number] for number, word in enumerate(VOCABULARY)}

    def near(one, other):
        return of[one] @ of[other] / np.linalg.norm(of[one]) / np.linalg.norm(of[other])

    assert near("dog", "hound") > 0.6 > 0.5 > near("dog", "cat") > near("dog", "slowly")


@pytest.mark.parametrize("count", [0, 1])
def test_few_pairs(count):
    assert len(sentence_pairs(count)) == count
