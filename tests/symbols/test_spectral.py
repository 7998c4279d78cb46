"""Operators that MXNet runs on GPUs only: imported, they run anywhere. Compared with NumPy."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

RNG = numpy.random.default_rng(0)
X, Y = RNG.normal(size=(2, 3, 6)).astype("float32")
H, S = RNG.integers(0, 8, (1, 6)).astype("float32"), RNG.choice([-1, 1], (1, 6)).astype("float32")


def imported(text: str) -> Any:
    sym = library.load().sym
    names = {name: sym.Variable(name) for name in ("x", "y", "h", "s")}
    return dopegraph.from_symbol(eval(text, {"sym": sym, **names}))


def sketched(x: Any) -> Any:
    found = numpy.zeros((3, 8), "float32")
    for j in range(6):
        found[:, int(H[0, j])] += S[0, j] * x[:, j]
    return found


def turns(z: Any) -> Any:
    return numpy.stack([z.real, z.imag], -1).reshape(len(z), -1)


@pytest.mark.parametrize("is_compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("sym.contrib.count_sketch(data=x, h=h, s=s, out_dim=8)", {"x": X, "h": H, "s": S}, sketched(X)),
        ("sym.contrib.fft(x, compute_size=2)", {"x": X}, turns(numpy.fft.fft(X))),
        ("sym.contrib.ifft(x)", {"x": X}, 3 * numpy.fft.ifft(X[:, ::2] + 1j * X[:, 1::2]).real),
        ("sym.contrib.ifft(sym.contrib.fft(x)) / 6", {"x": X}, X),
    ],
)
def test_it_is_what_its_documentation_says(text: str, given: Any, expected: Any, is_compiled: bool) -> None:
    function = imported(text)
    call = dopegraph.compile(lambda **given: function(**given)) if is_compiled else function
    for _ in range(2):
        found = call(**{name: np.array(array) for name, array in given.items()})
    assert found.dtype == "float32"
    numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_books_pooling_as_a_symbol_has_gradients() -> None:
    """Its product is that of real parts and that of imaginary parts."""
    sketches = [f"sym.contrib.fft(sym.contrib.count_sketch(data={one}, h=h, s=s, out_dim=8))" for one in "xy"]
    function = imported(f"sym.contrib.ifft({' * '.join(sketches)})")

    def along(t: Any) -> Any:
        result = function(x=np.array(X) + t * np.array(Y), y=np.array(Y), h=np.array(H), s=np.array(S))
        return np.sum(np.sin(result / 8))

    f, g = (numpy.fft.fft(sketched(one)) for one in (X, Y))
    expected = numpy.sin(numpy.fft.ifft(f.real * g.real + 1j * f.imag * g.imag).real).sum()
    assert float(along(np.array(0.0))) == pytest.approx(expected, rel=1e-4)
    step = 1e-2
    slope = (float(along(np.array(step))) - float(along(np.array(-step)))) / (2 * step)
    assert float(dopegraph.grad(along)(np.array(0.0))) == pytest.approx(slope, rel=1e-2)


def test_a_row_without_imaginary_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="take turns"):
        imported("sym.contrib.ifft(x)")(x=np.ones((2, 5)))
