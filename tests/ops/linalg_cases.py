"""Cases of linear algebra and of complex parts; see `tests.ops.cases`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.ir import Builder, Graph, Value
from dopegraph.ir.graph import extract
from dopegraph.ops.matrices import adjoint, as_row, hermitian_part, in_dtype_of
from dopegraph.runtime.errors import DTypeError, ShapeError
from tests.ops.cases import Case
from tests.reference import Array


class Definite(Case):
    """The first operand is Hermitian and positive definite; derivatives are taken through the Hermitian part."""

    def arrays(self, seed: int = 0) -> list[Array]:
        first, *others = super().arrays(seed)
        n = first.shape[-1]
        product = first @ numpy.conj(numpy.swapaxes(first, -1, -2)) + numpy.eye(n) * numpy.arange(1, n + 1)
        return [product.astype(first.dtype), *others]

    def graph(self) -> Graph:
        builder = Builder()
        inputs = [builder.input(type) for type in self.types]
        with builder:
            first = hermitian_part(inputs[0])
            outputs = _without_phases(self, builder.emit(self.primitive, [first, *inputs[1:]], self.attrs))
        return extract("f", builder.nodes, inputs, (), outputs)


class Spread(Case):
    """The matrix is far from singular, and its eigenvalues and singular values lie apart."""

    def arrays(self, seed: int = 0) -> list[Array]:
        first, *others = super().arrays(seed)
        step = numpy.minimum.outer(*(numpy.arange(n) for n in first.shape[-2:])) * numpy.eye(*first.shape[-2:])
        return [(first * 0.5 + 2 * step + 3 * numpy.eye(*first.shape[-2:])).astype(first.dtype), *others]

    def graph(self) -> Graph:
        builder = Builder()
        inputs = [builder.input(type) for type in self.types]
        with builder:
            outputs = _without_phases(self, builder.emit(self.primitive, inputs, self.attrs))
        return extract("f", builder.nodes, inputs, (), outputs)


class Truncated(Spread):
    """The second operand is a small number that nothing depends on."""

    def arrays(self, seed: int = 0) -> list[Array]:
        first, cutoff = super().arrays(seed)
        return [first, numpy.full_like(cutoff, 1e-3)]


def _without_phases(case: Case, results: Any) -> list[Value]:
    """Results that derivatives exist of: of complex vectors, products that do not depend on their phases."""
    found = list(results) if isinstance(results, tuple) else [results]
    if case.op != "eig" and (case.types[0].dtype.kind != "c" or case.op not in ("svd", "eigh")):
        return found
    if case.op == "svd":
        u, s, vh = found
        return [s, ops.matmul(u * as_row(in_dtype_of(ops.sin(s), u)), vh)]
    w, v = found
    numbers = ops.iota(size=v.shape[-1], dtype=v.type.dtype)
    return [w, ops.matmul(v * numbers, adjoint(v))]


def _square(op: str, kind: type[Case], *operands: str, **attrs: Any) -> list[Case]:
    return [kind(op, one, attrs) for one in operands]


SQUARE = ("f64[3,3]", "f64[2,3,3]", "f64[1,1]", "f64[0,0]", "f64[0,2,2]", "f32[3,3]", "c64[2,2]", "c128[3,3]")
SYSTEMS = ("f64[3,3] f64[3,2]", "f64[2,3,3] f64[3,2]", "f64[3,3] f64[2,3,1]", "f64[2,1,3,3] f64[4,3,2]",
           "f64[0,0] f64[0,2]", "f64[2,2] f64[2,0]", "f32[3,3] f32[3,2]", "c128[3,3] c128[3,2]")  # fmt: skip
DEEP = ("f64[4,3]", "f64[2,3,2]", "f64[3,1]", "f32[4,3]", "c64[3,2]", "c128[3,2]", "f64[3,0]")
WIDE = ("f64[3,4]", "f64[2,2,3]", "f64[1,3]", "f32[3,4]", "c128[2,3]", "f64[0,3]")

CASES: list[Case] = [
    *[Case(name, one) for name in ("conj", "real", "imag") for one in ("c128[2,3]", "c64[2]", "c128[]", "c128[0]")],
    *_square("cholesky", Definite, *SQUARE),
    *[
        case
        for lower in (True, False)
        for transpose in (True, False)
        for case in (
            *_square("triangular_solve", Spread, *SYSTEMS, lower=lower, transpose_a=transpose),
            *_square("triangular_solve", Spread, *SYSTEMS[:2], lower=lower, transpose_a=transpose, unit_diagonal=True),
        )
    ],
    replace(Spread("triangular_solve", "f32[200,200] f32[200,3]", {"lower": True}), low=-0.01, high=0.01),
    *_square("solve", Spread, *SYSTEMS),
    *_square("inv", Spread, *SQUARE),
    Spread("inv", "f64[2,3,3]", {"singular_as_nan": True}),
    *[
        Truncated("pinv", f"{one} {cutoff}[]", {})
        for one in (*DEEP, *WIDE, "f64[3,3]", "f64[0,3,3]")
        for cutoff in [{"c64": "f32", "c128": "f64"}.get(one.partition("[")[0], one.partition("[")[0])]
    ],
    Truncated("pinv", "f64[2,3,2] f64[2]", {}),
    *_square("det", Spread, *SQUARE),
    *_square("cofactor", Spread, *SQUARE),
    *_square("slogdet", Spread, *SQUARE),
    *_square("qr", Spread, *SQUARE, *DEEP, *WIDE),
    *_square("qr", Spread, "f64[3,3]", "f64[2,3]", "c128[2,3]", "f32[3,2]", complete=True),
    *_square("svd", Spread, *SQUARE, *DEEP, *WIDE),
    *_square("svd", Spread, "f64[3,3]", "f32[3,2]", "c64[2,3]", full_matrices=True),
    *_square("svdvals", Spread, *SQUARE, *DEEP, *WIDE),
    *_square("eigh", Definite, *SQUARE),
    *_square("eigh", Definite, "f64[3,3]", "c128[2,2]", lower=False),
    *_square("eigvalsh", Definite, *SQUARE),
    *_square("eigvalsh", Definite, "f64[3,3]", "c128[2,2]", lower=False),
    *_square(
        "eig",
        Spread,
        "f64[3,3]",
        "f32[2,2]",
        "f64[2,2,2]",
        "c128[3,3]",
        "c128[2,2,2]",
        "c64[2,2]",
        "c128[1,1]",
        "c128[0,0]",
    ),
    *_square(
        "eigvals", Spread, "f64[3,3]", "f32[2,2]", "c128[3,3]", "c128[2,2,2]", "c64[2,2]", "c128[1,1]", "c128[0,0]"
    ),
]

_LOWER = {"lower": True}
_ERROR = numpy.linalg.LinAlgError
REJECTED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("conj", "f32[2]", {}, DTypeError, "complex numbers, not float32"),
    ("real", "i32[2]", {}, DTypeError, "complex numbers"),
    *[
        (name, "f32[2,3]", {}, _ERROR, r"must be square, not \(2, 3\)")
        for name in ("cholesky", "inv", "det", "cofactor", "slogdet", "eigh", "eigvalsh", "eig", "eigvals")
    ],
    *[
        (name, "f32[2]", {}, _ERROR, "1-dimensional array given. Array must be at least two-dimensional")
        for name in ("cholesky", "inv", "det", "qr", "svd", "svdvals", "eigh")
    ],
    *[
        (name, "f16[2,2]", {}, DTypeError, "array type float16 is unsupported in linalg")
        for name in ("cholesky", "inv", "det", "qr", "svd", "svdvals", "eigh", "eigvalsh")
    ],
    ("solve", "f32[2,2] f32[3,1]", {}, ShapeError, "has 2 rows, the right-hand side 3"),
    ("solve", "f32[2,2] f32[2]", {}, ShapeError, "no matrix"),
    ("solve", "f32[2,2] f64[2,2]", {}, DTypeError, "cast them to one"),
    ("solve", "f32[2,3] f32[2,2]", {}, _ERROR, "must be square"),
    ("solve", "f32[2,3,3] f32[4,3,3]", {}, ShapeError, "do not broadcast"),
    ("pinv", "f32[2,2,3] f32[3]", {}, ShapeError, r"\(2,\) and \(3,\) do not broadcast"),
    ("pinv", "f32[2,3] f32[3]", {}, ShapeError, r"rcond of shape \(3,\) does not broadcast"),
    ("pinv", "f32[2] f32[]", {}, _ERROR, "at least two-dimensional"),
    ("triangular_solve", "f32[2,2] f32[3,1]", _LOWER, ShapeError, "has 2 rows"),
    ("triangular_solve", "f32[2,3] f32[2,1]", _LOWER, _ERROR, "must be square"),
]
