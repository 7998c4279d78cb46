"""Cases of the primitives that draw from distributions with array parameters, and of the functions they are made of.

Operands, attributes, and the interval they are drawn from, as in tests/ops/cases.py.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.runtime.errors import DTypeError, ShapeError

KEY = "u64[2]"
I8, I64, U8 = (numpy.dtype(name) for name in ("int8", "int64", "uint8"))

# Their derivatives keep the distribution function's value, not what is drawn: central differences of the kernel do not
# show them. They are tested in test_random_gradients.py.
IMPLICIT = frozenset(["correlated", "random_gamma", "random_vonmises", "random_wald"])

# How many parameters of which dtype, and the interval that all of them are drawn from (the key, too).
COUNTS: dict[str, tuple[list[str], float, float]] = {
    "random_poisson": (["f"], 0, 20),
    "random_binomial": (["i64", "f"], 0, 1),
    "random_negative_binomial": (["f", "f"], 0.2, 1),
    "random_geometric": (["f"], 0.1, 1),
    "random_logseries": (["f"], 0, 0.9),
    "random_zipf": (["f"], 1.5, 4),
    "random_hypergeometric": (["i64", "i64", "i64"], 3, 5),
    "random_gamma": (["f"], 0.1, 9),
    "random_wald": (["f", "f"], 0.2, 9),
    "random_vonmises": (["f"], 0, 9),
}
# Shapes of the first and of the other parameters, and of the result.
SHAPES: list[tuple[str, str, tuple[int, ...]]] = [
    ("", "", ()), ("", "", (4,)), ("3", "", (3,)), ("2,1", "3", (2, 3)), ("3", "1", (2, 3)), ("1", "", (0, 1)),
    ("0", "", (0,)),
]  # fmt: skip

CASES: list[tuple[str, str, dict[str, Any], float, float]] = []
for _name, (_kinds, _low, _high) in COUNTS.items():
    for _dtype in ("f64", "f32", "f16"):
        for _first, _others, _shape in SHAPES:
            _shapes = [_first, *[_others] * (len(_kinds) - 1)]
            _operands = [f"{kind if kind == 'i64' else _dtype}[{one}]" for kind, one in zip(_kinds, _shapes)]
            CASES.append((_name, " ".join([KEY, *_operands]), {"shape": _shape}, _low, _high))

CASES += [("random_gamma", f"{KEY} {one}", {"shape": (2, 3), "log": True}, 0.1, 9) for one in ("f64[3]", "f32[]")]
CASES += [
    ("random_multinomial", f"{KEY} {operands}", {"shape": shape}, 0, 0.3)
    for operands, shape in (
        ("i64[] f64[3]", ()), ("i64[] f32[3]", (4,)), ("i64[2,1] f64[3,2]", (2, 3)), ("i64[] f16[1]", (0,)),
    )
]  # fmt: skip
CASES += [
    ("random_multivariate_hypergeometric", f"{KEY} i64[{k}]", {"nsample": 2, "shape": shape, "method": method}, 2, 5)
    for k, shape in ((3, ()), (1, (2,)), (3, (0, 2)), (4, (2, 2)))
    for method in ("marginals", "count")
]
CASES += [
    ("random_between", f"{KEY} {operands}", {"shape": shape, "dtype": dtype}, 4, 4)
    for operands, shape in (("i64[] i64[]", ()), ("i64[3] i64[2,1]", (2, 3)), ("i32[0] i64[]", (0,)))
    for dtype in (I8, U8, I64)
]
CASES += [
    ("random_permuted", KEY, {"shape": shape, "axis": axis}, 0, 9)
    for shape, axis in (((), None), ((4,), 0), ((2, 3), None), ((2, 3), 1), ((2, 3, 4), 1), ((0, 3), 1))
]
CASES += [
    ("random_choice", f"{KEY} {operands}", {"shape": shape, "replace": replace}, 1, 1)
    for operands, shape in (("f64[1]", ()), ("f32[1]", (1,)), ("f64[1]", (0,)))
    for replace in (True, False)
]
CASES += [
    ("random_categorical", f"{KEY} {operands}", {"shape": shape}, 0, 3)
    for operands, shape in (("f64[3]", ()), ("f32[3]", (4, 2)), ("f16[2,3]", (2,)), ("f64[2,1,3]", (4, 2, 5)),
        ("f64[0,3]", (0,)))
]  # fmt: skip
CASES += [
    ("correlated", operands, {"method": method}, 1, 1)
    for operands in ("f64[2,1] f64[1,1]", "f32[2,1] f32[1,1]", "f64[0,1] f64[1,1]", "f64[2,0] f64[0,0]")
    for method in ("svd", "eigh", "cholesky")
]
CASES += [("covariance_inverse", one, {}, 1, 3) for one in ("f64[1,1]", "f64[3,3]", "f32[1,1]", "f64[0,0]")]

FLOATS = ("f64[2,3]", "f32[3]", "f16[]", "f64[0,2]", "f64[]")
CASES += [("erfcx", one, {}, -2, 2) for one in FLOATS]
CASES += [("polygamma", one, {"order": order}, 0.5, 3) for one in FLOATS for order in (0, 1, 2, 3)]
CASES += [
    ("gamma_tail", operands, {"order": order}, 0.3, 1.8)
    for operands in (
        "f64[2,3] f64[2,3]",
        "f64[3] f64[2,1]",
        "f64[] f64[2]",
        "f64[0] f64[]",
        "f32[2] f32[2]",
        "f16[] f16[]",
    )
    for order in (1, 2, 3)
]

CASES += [("bessel_ratio", one, {"order": order}, 0, 3) for one in FLOATS for order in (0, 1, 2)]
CASES += [
    ("vonmises_tail", operands, {"order": order}, 0.3, 2.5)
    for operands in ("f64[2,3] f64[2,3]", "f64[3] f64[2,1]", "f64[] f64[2]", "f64[0] f64[]", "f32[2] f32[2]")
    for order in (1, 2, 3)
]

REJECTED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("random_gamma", "u64[3] f64[]", {"shape": ()}, ShapeError, "a random key"),
    ("random_gamma", f"{KEY} i64[]", {"shape": ()}, DTypeError, "real floating numbers"),
    ("random_gamma", f"{KEY} f64[2]", {"shape": (3,)}, ShapeError, "do not broadcast"),
    ("random_gamma", f"{KEY} f64[2]", {"shape": ()}, ShapeError, "do not broadcast"),
    ("random_wald", f"{KEY} f64[] f32[]", {"shape": ()}, DTypeError, "cast them to one"),
    ("random_poisson", f"{KEY} i64[]", {"shape": ()}, DTypeError, "floating parameters"),
    ("random_poisson", f"{KEY} f64[]", {"shape": (-1,)}, ShapeError, "negative length"),
    ("random_binomial", f"{KEY} f64[] f64[]", {"shape": ()}, DTypeError, "signed integers"),
    ("random_multinomial", f"{KEY} i64[] f64[]", {"shape": ()}, ShapeError, "need an axis"),
    ("random_multivariate_hypergeometric", f"{KEY} i64[2,2]", {"nsample": 1, "shape": ()}, ShapeError, "one axis"),
    ("random_between", f"{KEY} i64[] i64[]", {"shape": (), "dtype": numpy.dtype("float32")}, DTypeError, "integer"),
    ("random_permuted", KEY, {"shape": (2,), "axis": 1}, ShapeError, "no axis 1"),
    ("random_choice", f"{KEY} f64[2,2]", {"shape": ()}, ShapeError, "a list of probabilities"),
    ("random_categorical", f"{KEY} f64[]", {"shape": ()}, ShapeError, "one or more categories"),
    ("random_categorical", f"{KEY} i64[2]", {"shape": ()}, DTypeError, "floating"),
    ("covariance_inverse", "f64[2,3]", {}, ShapeError, "a square matrix"),
    ("correlated", "f64[2,2] f64[2,3]", {}, ShapeError, "a square matrix"),
    ("correlated", "f64[2] f64[2,2]", {}, ShapeError, "takes vectors"),
    ("correlated", "f64[2,3] f64[2,2]", {}, ShapeError, "takes vectors"),
    ("erfcx", "i64[]", {}, DTypeError, "real floating"),
    ("polygamma", "f64[]", {"order": -1}, ShapeError, "no derivative of order -1"),
    ("bessel_ratio", "f64[]", {"order": -1}, ShapeError, "no derivative of order -1"),
    ("vonmises_tail", "f64[] f64[]", {"order": 0}, ShapeError, "order 0"),
    ("gamma_tail", "f64[] f64[]", {"order": 0}, ShapeError, "order 0"),
    ("gamma_tail", "f64[] f32[]", {"order": 1}, DTypeError, "cast them to one"),
]
