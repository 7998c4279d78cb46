"""The book's DCGAN with 16 instead of 64 filters: images of 64x64, batch 64, both networks updated by Adam in a step.

The noise is the same in each step, so that all compute the same; batch normalization is by the batch's own moments.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.adversarial import OPTIONAL, Game
from benchmarks.data import normal, uniform, zeros
from benchmarks.problem import Problem

BATCH, NOISE, WIDTH = 64, 100, 16
WIDTHS = (8 * WIDTH, 4 * WIDTH, 2 * WIDTH, WIDTH)


def norm(name: str, channels: int) -> list[Any]:
    return [1 + normal(name, channels, scale=0.02), zeros(channels)]


def generator() -> list[Any]:
    found, channels = [], NOISE
    for filters in WIDTHS:
        found += [normal(f"dcgan g{filters}", channels, filters, 4, 4, scale=0.05), *norm("dcgan g", filters)]
        channels = filters
    return [*found, normal("dcgan image", channels, 3, 4, 4, scale=0.05)]


def discriminator() -> list[Any]:
    found, channels = [], 3
    for filters in reversed(WIDTHS):
        found.append(normal(f"dcgan d{filters}", filters, channels, 4, 4, scale=0.05))
        found += norm("dcgan d", filters) if channels > 3 else []
        channels = filters
    return [*found, normal("dcgan score", 1, channels, 4, 4, scale=0.05)]


def data() -> list[Any]:
    return [normal("dcgan noise", BATCH, NOISE, 1, 1), 2 * uniform("dcgan", BATCH, 3, 64, 64) - numpy.float32(1)]


def generated(words: Any, g: Any, noise: Any, real: Any) -> Any:
    h = noise
    for number in range(len(WIDTHS)):
        w, gamma, beta = g[3 * number : 3 * number + 3]
        h = words.up(h, w, stride=2 if number else 1, pad=1 if number else 0)
        h = words.relu(words.norm(h, gamma, beta))
    return words.tanh(words.up(h, g[-1], stride=2, pad=1))


def judged(words: Any, d: Any, x: Any) -> Any:
    h = words.leaky(words.conv(x, d[0], stride=2, pad=1))
    for number in range(len(WIDTHS) - 1):
        w, gamma, beta = d[3 * number + 1 : 3 * number + 4]
        h = words.leaky(words.norm(words.conv(h, w, stride=2, pad=1), gamma, beta))
    return words.conv(h, d[-1])


def of_discriminator(words: Any, d: Any, fake: Any, noise: Any, real: Any) -> Any:
    return words.entropy(judged(words, d, real), 1) + words.entropy(judged(words, d, fake), 0)


def of_generator(words: Any, d: Any, fake: Any, noise: Any, real: Any) -> Any:
    return words.entropy(judged(words, d, fake), 1)


GAME = Game(generator, discriminator, data, generated, of_discriminator, of_generator)
PROBLEMS = [Problem("dcgan", "DCGAN on 64x64 with Adam, batch 64", GAME.contestants(), OPTIONAL, tolerance=5e-3)]
