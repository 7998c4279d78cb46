"""Gives you pairs of made-up sentences with their dependency trees, and how related they are, from 1 to 5.

They stand in for SICK (Marelli et al., *A SICK Cure for the Evaluation of Compositional Distributional Semantic
Models*, 2014), of whose form they are, and vectors of their words for those of GloVe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["VOCABULARY", "SentencePair", "Tree", "sentence_pairs", "word_vectors"]

# Words with a stroke between them mean the same.
_NOUNS = """man|guy woman|lady boy|lad girl|lass child|kid dog|hound cat|kitten horse|pony singer|vocalist
    doctor|physician cook|chef student|pupil"""
_THINGS = """ball|sphere guitar|instrument bicycle|bike car|automobile picture|image stone|rock hat|cap coat|jacket
    onion|vegetable cake|pastry"""
_PLACES = "street|road forest|wood field|meadow kitchen|galley park|garden house|home lake|pond"
_ADJECTIVES = "small|little big|large old|aged young|youthful red|crimson happy|cheerful quick|fast strange|odd"
_ADVERBS = "slowly|unhurriedly loudly|noisily carefully|cautiously quietly|silently"
_ACTS = "running|jogging sleeping|dozing laughing|giggling jumping|leaping talking|speaking"
_DEEDS = "carrying|holding throwing|tossing cutting|slicing cleaning|washing painting|drawing watching|observing"
_SMALL = "this the is not in with near"

MEANINGS = {
    kind: [tuple(one.split("|")) for one in words.split()]
    for kind, words in {
        "noun": _NOUNS, "thing": _THINGS, "place": _PLACES, "adjective": _ADJECTIVES, "adverb": _ADVERBS,
        "act": _ACTS, "deed": _DEEDS, "small": _SMALL,
    }.items()
}  # fmt: skip
VOCABULARY = ["<pad>", *(word for meanings in MEANINGS.values() for words in meanings for word in words)]
_NUMBERS = {word: number for number, word in enumerate(VOCABULARY)}

# What a sentence may say: the kind of its word, how often it is said (where what it describes is), what it weighs.
_PARTS = {
    "subject": ("noun", 1.0, 1.0),
    "subject adjective": ("adjective", 0.4, 0.4),
    "subject with": ("thing", 0.2, 0.4),
    "subject with adjective": ("adjective", 0.3, 0.2),
    "act": ("act", 0.4, 1.2),
    "deed": ("deed", 0.6, 1.2),  # one or the other
    "object": ("thing", 1.0, 0.9),
    "object adjective": ("adjective", 0.4, 0.3),
    "adverb": ("adverb", 0.25, 0.3),
    "place": ("place", 0.4, 0.5),
    "place adjective": ("adjective", 0.3, 0.2),
    "place near": ("place", 0.2, 0.3),
}
_NEGATED, _NOISE = 1.0, 0.15


@dataclass
class Tree:
    """A word by its place in the sentence, and the trees of the words that depend on it.

    Examples
    --------
    >>> Tree(0, [Tree(1), Tree(2, [Tree(4)]), Tree(3)])
    0: [1, 2: [4], 3]
    """

    idx: int
    children: list[Tree] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"{self.idx}: [{', '.join(map(repr, self.children))}]" if self.children else str(self.idx)

    def __iter__(self) -> Iterator[Tree]:
        """All trees in it, children before their parents."""
        for child in self.children:
            yield from child
        yield self

    @property
    def shape(self) -> tuple[object, ...]:
        """The same for trees that differ in their words only."""
        return tuple([child.shape for child in self.children])


@dataclass(frozen=True)
class SentencePair:
    """Two sentences.

    Attributes
    ----------
    left_words, right_words : list of int
        Numbers of `VOCABULARY`.
    left, right : Tree
    score : float
        How related they are: 1 not at all, 5 they say the same.
    """

    left_words: list[int]
    left: Tree
    right_words: list[int]
    right: Tree
    score: float


def sentence_pairs(count: int, seed: int = 0) -> list[SentencePair]:
    """Pairs of sentences: the second says what the first says, in other words, or less, or something else.

    Parameters
    ----------
    count : int
    seed : int
        The same seed makes the same pairs.

    Examples
    --------
    >>> (pair,) = sentence_pairs(1, seed=5)
    >>> 1 <= pair.score <= 5
    True
    >>> len(pair.left_words) == len(list(pair.left))
    True
    """
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        left = _meant(rng)
        right = _changed(rng, left)
        sides = [part for meant in (left, right) for part in _said(rng, meant)]
        score = np.clip(_relatedness(left, right) + _NOISE * rng.normal(), 1, 5)
        pairs.append(SentencePair(*sides, score=round(float(score), 1)))  # type: ignore[arg-type]
    return pairs


def word_vectors(size: int, seed: int = 0) -> NDArray[np.float32]:
    """A vector of `size` numbers for each word of `VOCABULARY`; words that mean the same have vectors that are near."""
    rng = np.random.default_rng(seed)
    vectors = [np.zeros(size)]
    for meanings in MEANINGS.values():
        kind = rng.normal(size=size)
        for words in meanings:
            meaning = rng.normal(size=size)
            vectors += [0.3 * (0.5 * kind + meaning + 0.5 * rng.normal(size=size)) for _ in words]
    return np.array(vectors, np.float32)


def _meant(rng: np.random.Generator) -> dict[str, int]:
    """What a sentence says: of each of its parts, which meaning."""
    found: dict[str, int] = {}
    for part, (kind, chance, _) in _PARTS.items():
        if _has_place(found, part) and (rng.random() < chance or part == "deed"):
            found[part] = int(rng.integers(len(MEANINGS[kind])))
    if rng.random() < 0.15:
        found["not"] = 1
    return found


def _has_place(meant: dict[str, int], part: str) -> bool:
    described = part.rpartition(" ")[0]
    return (
        (not described or described in meant)
        and not (part == "deed" and "act" in meant)
        and not (part == "object" and "deed" not in meant)
    )


def _changed(rng: np.random.Generator, meant: dict[str, int]) -> dict[str, int]:
    """A sentence that shares so many parts with the first as chance will have it."""
    kept, other = rng.beta(1.5, 0.7), _meant(rng)
    found: dict[str, int] = {}
    for part in (*_PARTS, "not"):
        chosen = meant if rng.random() < kept else other
        if part in chosen and _has_place(found, part):
            found[part] = chosen[part]
    if "act" not in found and "deed" not in found:
        found["act"] = int(rng.integers(len(MEANINGS["act"])))
    if "deed" in found and "object" not in found:
        found["object"] = int(rng.integers(len(MEANINGS["thing"])))
    return found


def _relatedness(left: dict[str, int], right: dict[str, int]) -> float:
    """From 1 to 5: what both say, of what one of them says, by weight."""
    weights = {part: weight for part, (_, _, weight) in _PARTS.items() if part in left or part in right}
    shared = sum(weight for part, weight in weights.items() if left.get(part) == right.get(part))
    return 1 + 4 * shared / sum(weights.values()) - _NEGATED * (left.get("not") != right.get("not"))


def _said(rng: np.random.Generator, meant: dict[str, int]) -> tuple[list[int], Tree]:
    """The numbers of the words in their order, and their tree, whose root is the verb."""
    words: list[int] = []

    def say(word: str) -> Tree:
        words.append(_NUMBERS[word])
        return Tree(len(words) - 1)

    def say_part(part: str) -> Tree:
        return say(str(rng.choice(MEANINGS[_PARTS[part][0]][meant[part]])))

    def noun(part: str) -> Tree:
        children = [say("this" if rng.random() < 0.5 else "the")]
        if f"{part} adjective" in meant:
            children.append(say_part(f"{part} adjective"))
        head = say_part(part)
        head.children = children + [behind(word, f"{part} {word}") for word in ("with", "near")
                                    if f"{part} {word}" in meant]  # fmt: skip
        return head

    def behind(word: str, part: str) -> Tree:
        tree = say(word)
        tree.children.append(noun(part))
        return tree

    children = [noun("subject"), say("is")]
    if "not" in meant:
        children.append(say("not"))
    if "adverb" in meant:
        children.append(say_part("adverb"))
    verb = say_part("deed" if "deed" in meant else "act")
    if "object" in meant:
        children.append(noun("object"))
    if "place" in meant:
        children.append(behind("in", "place"))
    verb.children = children
    return words, verb
