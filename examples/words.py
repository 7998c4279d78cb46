"""What the chapter with word networks needs: a text as numbers of words, in segments."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.data import text_or_documentation


class Dictionary:
    """Words and their numbers, in the order of their first appearance."""

    def __init__(self) -> None:
        self.word2idx: dict[str, int] = {}
        self.idx2word: list[str] = []

    def add_word(self, word: str) -> int:
        """The number of a word; a new one for a new word."""
        if word not in self.word2idx:
            self.word2idx[word] = len(self.idx2word)
            self.idx2word.append(word)
        return self.word2idx[word]

    def __len__(self) -> int:
        return len(self.idx2word)


def corpus(quick: bool = False) -> tuple[dict[str, Any], int, str]:
    """Training, validation and test words as numbers, how many different ones there are, and the name of the text.

    Shakespeare stands in for the Penn Treebank, as that may not be handed on. Words that come only once are <unk>.
    """
    text, name = text_or_documentation("tinyshakespeare")
    lines = [[*line.lower().split(), "<eos>"] for line in text.splitlines()]
    if quick:
        lines = lines[:3000]
    counts: dict[str, int] = {}
    for line in lines:
        for word in line:
            counts[word] = counts.get(word, 0) + 1
    dictionary = Dictionary()
    numbers = numpy.array(
        [dictionary.add_word(word if counts[word] > 1 else "<unk>") for line in lines for word in line], "int32"
    )
    first, second = int(0.8 * len(numbers)), int(0.9 * len(numbers))
    splits = {"train": numbers[:first], "valid": numbers[first:second], "test": numbers[second:]}
    return splits, len(dictionary), name


def batchify(data: Any, batch_size: int) -> Any:
    """Columns of words that follow one another, of shape (words // batch_size, batch_size)."""
    nbatch = data.shape[0] // batch_size
    return data[: nbatch * batch_size].reshape((batch_size, nbatch)).T


def get_batch(source: Any, i: int, bptt: int) -> tuple[Any, Any]:
    """A segment, shorter at the end, and the words that follow its words."""
    seq_len = min(bptt, source.shape[0] - 1 - i)
    return numpy.ascontiguousarray(source[i : i + seq_len]), source[i + 1 : i + 1 + seq_len].reshape(-1)
