"""Cases of the primitives of complex numbers and of Fourier transforms."""

import numpy

from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from tests.ops.cases import C128, Case
from tests.ops.cases import _each as each

COMPLEX = ("c128[2,3]", "c64[2]", "c128[]", "c128[0,2]")

CASES = [
    *each("real imag conj abs sign", *COMPLEX),
    # In all four quadrants, where the branches of the roots matter.
    *each("sqrt log log2 log10 log1p exp exp2 expm1 reciprocal square sigmoid", "c128[3,3]"),
    *each("arcsin arccos arctan arcsinh arccosh arctanh sin cos tan sinh cosh tanh", "c128[3,3]"),
    *each("complex", "f64[2,3] f64[3]", "f64[] f64[]", "f32[2,1] f32[2]", "f64[0] f64[1]"),
    *each("maximum minimum fmax fmin", "c128[2,3] c128[3]", "c64[2] c64[]"),
    *each("cast", "f64[2]", "f32[]", dtype=numpy.dtype("complex64")),
    *each("cast", "c64[2]", "c128[2]", dtype=C128),
    *[
        Case("fft", one, {"axis": axis, "inverse": inverse, "norm": norm})
        for one, axis in (("c128[4]", 0), ("c128[2,3]", -1), ("c64[3,2]", 0), ("c128[0,1]", 1))
        for inverse in (False, True)
        for norm in ("backward", "ortho", "forward")
    ],
    *[
        Case("rfft", one, {"axis": axis, "norm": norm})
        for one, axis in (("f64[4]", 0), ("f64[2,3]", 1), ("f64[5,2]", -2), ("f32[1,6]", 1), ("f64[0,1]", 1))
        for norm in ("backward", "ortho", "forward")
    ],
    *[
        Case("irfft", one, {"n": n, "axis": axis, "norm": norm})
        for one, n, axis in (("c128[3]", 4, 0), ("c128[2,3]", 5, 1), ("c64[1,2]", 1, 0), ("c128[0,2]", 2, -1))
        for norm in ("backward", "ortho", "forward")
    ],
]

REJECTED = [
    ("real", "f64[2]", {}, DTypeError, "complex numbers, not float64"),
    ("imag", "i32[2]", {}, DTypeError, "complex numbers, not int32"),
    ("conj", "f32[]", {}, DTypeError, "complex numbers, not float32"),
    ("complex", "f16[] f16[]", {}, DTypeError, "parts of float32 or float64, not float16"),
    ("complex", "f32[] f64[]", {}, DTypeError, "cast them to one"),
    ("complex", "f64[2] f64[3]", {}, ShapeError, "do not broadcast"),
    ("fft", "f64[2]", {"axis": 0}, DTypeError, "complex numbers, not float64"),
    ("fft", "c64[2]", {"axis": 1}, AxisError, "axis 1"),
    ("fft", "c64[0]", {"axis": 0}, ShapeError, "at least one number"),
    ("fft", "c64[2]", {"axis": 0, "norm": "none"}, ShapeError, "norm must be one of backward, ortho, forward"),
    ("rfft", "c64[2]", {"axis": 0}, DTypeError, "float32 and float64, not complex64"),
    ("rfft", "f16[2]", {"axis": 0}, DTypeError, "float32 and float64, not float16"),
    ("irfft", "c64[3]", {"n": 3, "axis": 0}, ShapeError, "3 real numbers have 2 frequencies"),
]
