"""Convolution and pooling against loops over every output element, written from the definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from dopegraph.ops import avg_pool, conv, max_pool
from tests.ops.cases import CONVOLUTIONS, POOLINGS, Case
from tests.reference import Array


def windows(
    shape: tuple[int, ...], kernel: tuple[int, ...], stride: Any, pad: Any, dilate: Any
) -> Iterator[tuple[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]]:
    """For each output position the kernel offsets and the data positions they meet, outside the padding."""
    counts = [(n + 2 * p - (d * (k - 1) + 1)) // s + 1 for n, k, s, p, d in zip(shape, kernel, stride, pad, dilate)]
    for out in numpy.ndindex(*counts):
        met = []
        for offset in numpy.ndindex(*kernel):
            place = tuple(o * s - p + k * d for o, s, p, k, d in zip(out, stride, pad, offset, dilate))
            if all(0 <= i < n for i, n in zip(place, shape)):
                met.append((offset, place))
        yield out, met


def direct_conv(x: Array, w: Array, result: Array, stride: Any, pad: Any, dilate: Any, groups: int = 1) -> Array:
    inside, outside = w.shape[1], w.shape[0] // groups
    for n, o in itertools.product(range(x.shape[0]), range(w.shape[0])):
        for out, met in windows(x.shape[2:], w.shape[2:], stride, pad, dilate):
            result[(n, o, *out)] = sum(
                w[(o, c, *offset)] * x[(n, o // outside * inside + c, *place)]
                for c in range(inside)
                for offset, place in met
            )
    return result


@pytest.mark.parametrize(("data", "weight", "how"), CONVOLUTIONS)
def test_convolution_is_the_sum_of_products_in_every_window(data: str, weight: str, how: dict[str, Any]) -> None:
    case = Case("conv", f"f64[{data}] f64[{weight}]", how)
    x, w = case.arrays()
    expected = direct_conv(x, w, numpy.zeros(case.result.shape), **how)
    numpy.testing.assert_allclose(conv.kernel(x, w, **how), expected, atol=1e-12)


@pytest.mark.parametrize(("data", "how"), POOLINGS)
@pytest.mark.parametrize("kind", ["max", "average", "average of the data alone"])
def test_pooling_looks_at_every_window(data: str, how: dict[str, Any], kind: str) -> None:
    case = Case("max_pool", f"f64[{data}]", how)
    (x,) = case.arrays()
    expected = numpy.zeros(case.result.shape)
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for out, met in windows(x.shape[2:], dilate=itertools.repeat(1), **how):
            seen = [x[(n, c, *place)] for _, place in met]
            size = math.prod(how["kernel"]) if kind == "average" else len(seen)
            expected[(n, c, *out)] = max(seen) if kind == "max" else sum(seen) / size
    found = (
        max_pool.kernel(x, **how) if kind == "max" else avg_pool.kernel(x, count_include_pad=kind == "average", **how)
    )
    numpy.testing.assert_allclose(found, expected, atol=1e-12)


def test_max_pooling_never_picks_the_padding() -> None:
    found = max_pool.kernel(numpy.full((1, 1, 2), -5.0), kernel=(2,), stride=(1,), pad=(1,))
    assert found.tolist() == [[[-5.0, -5.0, -5.0]]]
