"""The seeded state that all random numbers are drawn from: an array like any other, so compiled code can write it."""

from __future__ import annotations

import os
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray, owned
from dopegraph.dispatch import apply
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.assign import assign
from dopegraph.numpy.creation import integers
from dopegraph.numpy.promotion import new
from dopegraph.runtime.device import cpu, current_device
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording

STATE: ndarray = owned(numpy.array([int.from_bytes(os.urandom(8), "little"), 0], numpy.uint64))
"""The key of the next draw: seed and counter."""


def seed(seed: int | None = None) -> None:
    """Start the random numbers anew; without a number from the operating system's.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.random.seed(1); a = np.random.normal(size=3)
    >>> np.random.seed(1); bool((a == np.random.normal(size=3)).all())
    True
    """
    if seed is None:
        number = int.from_bytes(os.urandom(8), "little")
    else:
        (number,) = integers(seed, "random.seed: the seed")
        if number < 0:
            raise ValueError(located("random.seed: the seed must not be negative", here()))
    _set(number % 2**64, 0)


def _set(seed: int, counter: int) -> None:
    with cpu():  # keys stay in the host's memory
        assign(STATE, new(numpy.array([seed, counter], numpy.uint64)))


def get_state() -> tuple[int, int]:
    """Seed and counter, for `set_state`."""
    key = STATE._look("value-escape", "random.get_state")
    return int(key[0]), int(key[1])


def set_state(state: tuple[int, int]) -> None:
    """Go back to a state that `get_state` gave."""
    _set(*state)


def draw(op: Primitive, **attrs: Any) -> ndarray:
    """What a random primitive gives for the present key; the next draw has another."""
    drawn = apply(op, STATE, **attrs)
    assign(STATE, apply(ops.random_advance, STATE))
    device = current_device()
    return drawn if device.is_host or active_recording() is not None else drawn.to(device)
