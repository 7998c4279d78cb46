"""What the three chapters with character networks share: The Time Machine as one-hot vectors, training, sampling."""

from __future__ import annotations

import time
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.data import text_or_documentation
from examples.chapter import on_device, progress

seq_length, batch_size = 64, 32
prefixes = ("The Time Ma", "The Medical Man rose, came to the lamp,")
licence = 38083  # characters at the end that are not the book

text, name = text_or_documentation("timemachine")
time_machine = text[:-licence] if name == "timemachine" else text[:180000]
character_list = sorted(set(time_machine))
vocab_size = len(character_list)
character_dict = {character: number for number, character in enumerate(character_list)}
time_numerical = numpy.array([character_dict[character] for character in time_machine])


def one_hots(numerical_list: Any) -> Any:
    return on_device(numpy.eye(vocab_size, dtype="float32")[numpy.asarray(numerical_list)])


def textify(vectors: Any) -> str:
    return "".join(character_list[i] for i in numpy.argmax(numpy.asarray(vectors), axis=1))


def sequences() -> tuple[Any, Any]:
    """Inputs and labels of shape (batches, seq_length, batch_size): numbers of characters, labels one further.

    Sequence i of a batch is followed by sequence i of the next one, as the states that are carried on need it. (The
    book cuts so that a batch holds 32 sequences that follow one another, and carries states to where they do not fit.)
    """
    num_batches = (len(time_numerical) - 1) // (seq_length * batch_size)
    found = []
    for start in (0, 1):
        used = time_numerical[start : start + num_batches * seq_length * batch_size]
        found.append(used.reshape(batch_size, num_batches, seq_length).transpose(1, 2, 0))
    return found[0], found[1]


def train(chosen: Any, step: Any, states: Any, sample: Any, learning_rate: float) -> dict[str, Any]:
    """The book's schedule: states of zeros in each epoch, carried from batch to batch; the rate halved every 100."""
    data, label = sequences()
    print(f"{len(time_machine)} characters of {name}, {vocab_size} different ones, {len(data)} batches")
    losses: list[float] = []
    found: dict[str, Any] = {"train_step": step, "losses": losses, "epoch_losses": []}
    for e in range(chosen.epochs):
        if (e + 1) % 100 == 0:
            learning_rate = learning_rate / 2.0
        start = time.perf_counter()
        carried = [np.zeros((batch_size, width)) for width in states]
        total, count = 0.0, 0
        for inputs, outputs in progress(list(zip(data, label)), e, chosen.steps):
            loss, *carried = step(one_hots(inputs), one_hots(outputs), *carried, learning_rate)
            loss = float(loss)
            total, count = total + loss, count + 1
            losses.append(loss if not losses else 0.99 * losses[-1] + 0.01 * loss)
        found["epoch_losses"].append(total / count)
        seconds = time.perf_counter() - start
        print(f"Epoch {e}. Loss: {losses[-1]:.4f}, mean of the epoch {total / count:.4f} ({seconds:.1f} s)")
        if (e + 1) % 10 == 0 or e + 1 == chosen.epochs:
            for prefix in prefixes:
                print(f"  {sample(prefix, 32 if chosen.quick else 1024)!r}")
    found["characters"], found["vocabulary"] = len(time_machine), vocab_size
    found["batches"], found["last_epoch_loss"] = len(data), found["epoch_losses"][-1]
    return found
