"""Where random numbers come from: a key, an array like any other, so that compiled code can read and advance it.

`Philox` holds the key; everything that draws is a `Source` with one of them. `STATE` is the key of the functions of
``dopegraph.numpy.random``.
"""

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
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording

NUMBERS = 2**64


def seed_number(seed: Any, name: str) -> int:
    """The 64-bit number that a seed stands for: integers themselves, of anything else a hash of NumPy's."""
    if seed is None:
        recording = active_recording()
        if recording is not None:
            recording.escape("side-effect", f"{name} asks the operating system for a seed")
        return int.from_bytes(os.urandom(8), "little")
    if isinstance(seed, numpy.random.SeedSequence):
        return int(seed.generate_state(1, numpy.uint64)[0])
    numbers = integers(seed, f"{name}: the seed")
    if min(numbers, default=-1) < 0:
        raise ValueError(located(f"{name}: the seed must be made of integers of 0 or more", here()))
    if len(numbers) == 1 and not numpy.ndim(seed):
        return numbers[0] % NUMBERS
    return int(numpy.random.SeedSequence(numbers).generate_state(1, numpy.uint64)[0])


def new_key(seed: int, counter: int = 0) -> ndarray:
    """A key array; keys stay in the host's memory."""
    with cpu():
        return new(numpy.array([seed % NUMBERS, counter % NUMBERS], numpy.uint64))


class BitGenerator:
    """What random numbers are made from; the one kind there is here is `Philox`."""


class Philox(BitGenerator):
    """A key, seed and number of draws so far, that feeds Philox 4x64-10 (Salmon, Moraes, Dror, Shaw, SC11).

    Every draw is a function of the key alone and advances it, so draws can be recorded, replayed and repeated.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence, optional
        From the operating system by default.
    counter : int, optional
        The number of draws to skip.
    key : int, optional
        In place of the seed.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> rng = np.random.Generator(np.random.Philox(7, counter=2))
    >>> rng.bit_generator.state["state"]
    {'seed': 7, 'counter': 2}
    """

    def __init__(self, seed: Any = None, counter: Any = None, key: Any = None) -> None:
        if seed is not None and key is not None:
            raise ValueError(located("random.Philox: takes a seed or a key, not both", here()))
        number = seed_number(seed if key is None else key, "random.Philox")
        (skipped,) = integers(0 if counter is None else counter, "random.Philox: the counter")
        self._key = new_key(number, skipped)
        self._children = 0

    def _restart(self, seed: int, counter: int = 0) -> None:
        assign(self._key, new_key(seed, counter))

    def _reseed(self, seed: Any, name: str) -> None:
        self._restart(seed_number(seed, name))

    def _numbers(self, name: str) -> tuple[int, int]:
        key = self._key._look("value-escape", name)
        return int(key[0]), int(key[1])

    @property
    def state(self) -> dict[str, Any]:
        """Seed and number of draws, in a dictionary that can be assigned to go back."""
        seed, counter = self._numbers("bit_generator.state")
        return {"bit_generator": "Philox", "state": {"seed": seed, "counter": counter}}

    @state.setter
    def state(self, value: dict[str, Any]) -> None:
        try:
            if value["bit_generator"] != "Philox":
                raise ValueError(located(f"a state of {value['bit_generator']} is none of Philox", here()))
            seed, counter = (int(value["state"][name]) for name in ("seed", "counter"))
        except (KeyError, TypeError) as cause:
            message = "a state is {'bit_generator': 'Philox', 'state': {'seed': ..., 'counter': ...}}"
            raise DTypeError(located(message, here())) from cause
        self._restart(seed, counter)

    def spawn(self, n_children: int) -> list[Philox]:
        """New ones whose numbers do not depend on these; other ones at every call, whatever was drawn."""
        (count,) = integers(n_children, "spawn: the number of children")
        seed, _ = self._numbers("spawn")
        first, self._children = self._children, self._children + count
        return [Philox(numpy.random.SeedSequence(seed, spawn_key=(child,))) for child in range(first, first + count)]

    def __reduce__(self) -> Any:
        return _restored, (*self._numbers("pickling"), self._children)

    def __repr__(self) -> str:
        return "Philox({}, counter={})".format(*self._numbers("printing"))


def _restored(seed: int, counter: int, children: int) -> Philox:
    philox = Philox(seed, counter)
    philox._children = children
    return philox


class Source:
    """Something that random numbers are drawn from."""

    _bits: Philox

    def _draw(self, op: Primitive, *operands: ndarray, **attrs: Any) -> ndarray:
        """What a random primitive gives for the present key; the next draw has another."""
        key = self._bits._key
        drawn = apply(op, key, *operands, **attrs)
        assign(key, apply(ops.random_advance, key))
        device = current_device()
        return drawn if device.is_host or active_recording() is not None else drawn.to(device)


STATE: ndarray = owned(numpy.array([int.from_bytes(os.urandom(8), "little"), 0], numpy.uint64))
"""The key of the next draw of the functions of ``dopegraph.numpy.random``: seed and counter."""


def global_bits() -> Philox:
    """The bit generator around `STATE`."""
    philox = Philox(0)
    philox._key = STATE
    return philox
