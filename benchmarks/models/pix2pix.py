"""The book's pix2pix on 64x64 with 16 instead of 64 filters: a U-net of six halvings, a discriminator of patches, Adam.

Without dropout and without the pool of old images, so that all compute the same; batch 4.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.adversarial import OPTIONAL, Game
from benchmarks.data import normal, uniform
from benchmarks.models.dcgan import norm
from benchmarks.problem import Problem

BATCH, SIZE, WIDTH = 4, 64, 16
DOWN = (WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH, 8 * WIDTH, 8 * WIDTH)  # filters of the halvings
PATCHES = (WIDTH, 2 * WIDTH, 4 * WIDTH, 8 * WIDTH)
L1 = 100


def generator() -> list[Any]:
    """For each halving: its weight and norm, then the weight and norm of the doubling that undoes it."""
    found, channels = [], 3
    for number, filters in enumerate(DOWN):
        inputs = filters if number == len(DOWN) - 1 else 2 * filters
        found += [normal(f"unet down{number}", filters, channels, 4, 4, scale=0.05), *norm("unet", filters)]
        found += [normal(f"unet up{number}", inputs, channels, 4, 4, scale=0.05), *norm("unet up", channels)]
        channels = filters
    return found


def discriminator() -> list[Any]:
    found, channels = [], 6
    for filters in PATCHES:
        found += [normal(f"patch{filters}", filters, channels, 4, 4, scale=0.05), *norm("patch", filters)]
        channels = filters
    return [*found, normal("patch", 1, channels, 4, 4, scale=0.05)]


def data() -> list[Any]:
    return [2 * uniform(f"pix2pix {name}", BATCH, 3, SIZE, SIZE) - numpy.float32(1) for name in ("in", "out")]


def generated(words: Any, g: Any, source: Any, target: Any) -> Any:
    def unit(number: int, x: Any) -> Any:
        """What is made of `x`, with as many channels, beside it."""
        down, gamma, beta, up, up_gamma, up_beta = g[6 * number : 6 * number + 6]
        h = words.conv(words.leaky(x) if number else x, down, stride=2, pad=1)
        h = words.norm(h, gamma, beta) if number else h
        if number < len(DOWN) - 1:
            h = unit(number + 1, h)
        h = words.up(words.relu(h), up, stride=2, pad=1)
        return words.join(words.norm(h, up_gamma, up_beta), x) if number else words.tanh(h)

    return unit(0, source)


def judged(words: Any, d: Any, x: Any, y: Any) -> Any:
    h = words.join(x, y)
    for number in range(len(PATCHES)):
        w, gamma, beta = d[3 * number : 3 * number + 3]
        h = words.conv(h, w, stride=1 if number == len(PATCHES) - 1 else 2, pad=2)
        h = words.leaky(words.norm(h, gamma, beta) if number else h)
    return words.conv(h, d[-1], stride=1, pad=2)


def of_discriminator(words: Any, d: Any, fake: Any, source: Any, target: Any) -> Any:
    right = words.entropy(judged(words, d, source, target), 1)
    return 0.5 * (right + words.entropy(judged(words, d, source, fake), 0))


def of_generator(words: Any, d: Any, fake: Any, source: Any, target: Any) -> Any:
    return words.entropy(judged(words, d, source, fake), 1) + L1 * words.distance(fake, target)


GAME = Game(generator, discriminator, data, generated, of_discriminator, of_generator)
PROBLEMS = [Problem("pix2pix", "pix2pix on 64x64 with Adam, batch 4", GAME.contestants(), OPTIONAL, tolerance=5e-3)]
