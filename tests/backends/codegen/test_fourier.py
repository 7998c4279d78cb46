"""Transforms of rows in C, and products of complex numbers, are NumPy's; other lengths and axes stay with NumPy."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.codegen import fourier, support, threads
from dopegraph.ir.primitive import primitives
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

NORMS = ("backward", "ortho", "forward")
LENGTHS = (2, 4, 6, 8, 10, 12, 30, 32, 50, 120, 1000)


def rows(*shape: int, dtype: str, seed: int = 0) -> Any:
    return numpy.random.RandomState(seed).normal(size=shape).astype(dtype)


def pairs(*shape: int, dtype: str, seed: int = 0) -> Any:
    real = "float32" if dtype == "complex64" else "float64"
    return (rows(*shape, dtype=real, seed=seed) + 1j * rows(*shape, dtype=real, seed=seed + 1)).astype(dtype)


def close(found: Any, wanted: Any, label: str) -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), label
    scale = float(numpy.abs(wanted).max())
    numpy.testing.assert_allclose(
        found, wanted, 0, scale * (2e-6 if found.real.itemsize == 4 else 4e-15), err_msg=label
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_numpy(dtype: str) -> None:
    sheet, other = Sheet(), "complex64" if dtype == "float32" else "complex128"
    for place, n in enumerate(LENGTHS):
        norm = NORMS[place % 3]
        for count in (8, 17, 33):
            sheet.add("rfft", rows(count, n, dtype=dtype, seed=n), axis=-1, norm=norm)
            # Imaginary parts of the first and last frequency are not looked at.
            sheet.add("irfft", pairs(count, n // 2 + 1, dtype=other, seed=n), n=n, axis=1, norm=norm)
    sheet.add("rfft", rows(2, 3, 4, 6, dtype=dtype), axis=3)
    sheet.add("mul", pairs(3, 5, dtype=other), pairs(3, 5, dtype=other, seed=5))
    sheet.add("mul", pairs(3, 5, dtype=other), pairs(1, 5, dtype=other, seed=5))
    sheet.add("mul", pairs(5, dtype=other), pairs(2, 3, 5, dtype=other, seed=5))
    sheet.add("conj", pairs(3, 5, dtype=other))
    assert all(map(support.runs, sheet.graph.nodes))
    for label, found, wanted in sheet.run():
        close(found, wanted, label)


def test_a_row_that_is_not_finite_leaves_the_others_alone() -> None:
    x = rows(20, 40, dtype="float32")
    x[3, 5], x[9, 0] = numpy.nan, numpy.inf
    sheet = Sheet()
    sheet.add("rfft", x, axis=-1)
    ((_, found, _),) = sheet.run()
    assert not numpy.isfinite(found[[3, 9]]).any()
    others = [row for row in range(20) if row not in (3, 9)]
    close(found[others], numpy.fft.rfft(x[others]), "the others")


def test_what_is_left_to_numpy() -> None:
    sheet = Sheet()
    for shape, axis in (((20, 7), 1), ((20, 14), 1), ((20, 8), 0), ((2, 8), 1), ((20, 2 * fourier.LONGEST), 1)):
        sheet.add("rfft", numpy.ones(shape, "float32"), axis=axis)
    sheet.add("mul", pairs(3, 5, dtype="complex64"), pairs(3, 1, dtype="complex64"))
    assert not any(map(support.runs, sheet.graph.nodes))
    sheet = Sheet()
    number = sheet.builder.emit(
        primitives["full"], [], {"value": 1j, "shape": (3, 5), "dtype": numpy.dtype("complex64")}
    )
    sheet.add("mul", pairs(3, 5, dtype="complex64"), number)
    assert not support.runs(sheet.graph.nodes[-1])


def test_threads_share_rows_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number in (1, 2):
        monkeypatch.setattr(threads, "number", number)
        sheet = Sheet()
        x = sheet.add("rfft", rows(70, 1000, dtype="float32"), axis=-1)
        sheet.add("irfft", x, n=1000, axis=-1)
        found.append(sheet.run())
    for (label, one, _), (_, other, _) in zip(*found):
        numpy.testing.assert_array_equal(one, other, err_msg=label)


def test_a_convolution_by_transforms_and_its_gradient_are_one_c_function() -> None:
    def loss(x: Any, y: Any) -> Any:
        return (np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(y), n=60) ** 2).sum()

    x, y = (rows(40, 60, dtype="float32", seed=seed) for seed in (1, 2))
    compiled = dopegraph.compile(dopegraph.grad(loss, argnums=(0, 1)))
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        found = compiled(np.array(x), np.array(y))
    assert [stage.backend for stage in compiled.plans[0].program.stages] == ["codegen"]
    with dopegraph.policy("only_numpy"):
        wanted = dopegraph.grad(loss, argnums=(0, 1))(np.array(x), np.array(y))
    for one, other in zip(found, wanted):
        numpy.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-4, atol=1e-3)
