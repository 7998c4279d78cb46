"""Linear systems, inverses and determinants of small matrices: LAPACK's algorithms written out, a few nanoseconds each.

NumPy takes some microseconds for a call, whatever the size. Larger matrices stay with LAPACK, which is faster then.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen.expressions import C_TYPES
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape, short_name
from dopegraph.passes.indices import strides_of

# Rows of the largest matrix; a cofactor is written out in minors, of two rows at the most.
LARGEST = {"solve": 8, "inv": 8, "det": 8, "triangular_solve": 8, "cholesky": 8, "cofactor": 3}

# Golub and Van Loan, Matrix Computations, 4th edition, algorithm 3.4.1, with the reciprocal of the pivot as in LAPACK's
# getf2. Gives the sign of the exchanges, 0 where there is no pivot; NaN is the largest of all.
_FACTORS = """
KERNEL int factors_@S@_@N@(@T@ *a, int *rows) {
  int sign = 1;
  for (int k = 0; k < @N@; k++) {
    int p = k;
    for (int i = k + 1; i < @N@; i++)
      if (a[p * @N@ + k] == a[p * @N@ + k] && !(@ABS@(a[i * @N@ + k]) <= @ABS@(a[p * @N@ + k]))) p = i;
    rows[k] = p;
    if (p != k) {
      sign = -sign;
      for (int j = 0; j < @N@; j++) {
        const @T@ t = a[p * @N@ + j];
        a[p * @N@ + j] = a[k * @N@ + j], a[k * @N@ + j] = t;
      }
    }
    const @T@ pivot = a[k * @N@ + k];
    if (pivot == 0) return 0;
    const int direct = @ABS@(pivot) < @TINY@;
    const @T@ reciprocal = 1 / pivot;
    for (int i = k + 1; i < @N@; i++) {
      const @T@ l = a[i * @N@ + k] = direct ? a[i * @N@ + k] / pivot : a[i * @N@ + k] * reciprocal;
      for (int j = k + 1; j < @N@; j++) a[i * @N@ + j] -= l * a[k * @N@ + j];
    }
  }
  return sign;
}
"""

_SUBSTITUTE = """
KERNEL void substitute_@S@_@N@(long m, const @T@ *a, const int *rows, @T@ *x) {
  for (int k = 0; k < @N@; k++)
    if (rows[k] != k)
      for (long j = 0; j < m; j++) {
        const @T@ t = x[rows[k] * m + j];
        x[rows[k] * m + j] = x[k * m + j], x[k * m + j] = t;
      }
  for (int i = 1; i < @N@; i++)
    for (int k = 0; k < i; k++)
      for (long j = 0; j < m; j++) x[i * m + j] -= a[i * @N@ + k] * x[k * m + j];
  for (int i = @N@ - 1; i >= 0; i--) {
    for (int k = i + 1; k < @N@; k++)
      for (long j = 0; j < m; j++) x[i * m + j] -= a[i * @N@ + k] * x[k * m + j];
    for (long j = 0; j < m; j++) x[i * m + j] /= a[i * @N@ + i];
  }
}
"""

_SOLVE = """
KERNEL int solve_@S@_@N@(long m, const @T@ *a, const @T@ *b, @T@ *x) {
  @T@ f[@N@ * @N@];
  int rows[@N@];
  memcpy(f, a, sizeof f);
  if (!factors_@S@_@N@(f, rows)) return 1;
  memcpy(x, b, @N@ * m * sizeof(@T@));
  substitute_@S@_@N@(m, f, rows, x);
  return 0;
}
"""

_INV = """
KERNEL int inv_@S@_@N@(int nan_where_singular, const @T@ *a, @T@ *x) {
  @T@ f[@N@ * @N@];
  int rows[@N@];
  memcpy(f, a, sizeof f);
  const int sign = factors_@S@_@N@(f, rows);
  if (!sign && !nan_where_singular) return 1;
  for (int i = 0; i < @N@ * @N@; i++) x[i] = !sign ? NAN : i % (@N@ + 1) == 0;
  if (sign) substitute_@S@_@N@(@N@, f, rows, x);
  return 0;
}
"""

_DET = """
KERNEL void det_@S@_@N@(const @T@ *a, @T@ *x) {
  @T@ f[@N@ * @N@];
  int rows[@N@];
  memcpy(f, a, sizeof f);
  @T@ product = factors_@S@_@N@(f, rows);
  if (product != 0)
    for (int i = 0; i < @N@; i++) product *= f[i * @N@ + i];
  *x = product;
}
"""

_COFACTOR = {
    1: "x[0] = 1;",
    2: "x[0] = a[3], x[1] = -a[2], x[2] = -a[1], x[3] = a[0];",
    3: """for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      const @T@ *p = a + (i + 1) % 3 * 3, *q = a + (i + 2) % 3 * 3;
      const int r = (j + 1) % 3, s = (j + 2) % 3;
      x[i * 3 + j] = p[r] * q[s] - p[s] * q[r];
    }""",
}

_COFACTORS = """
KERNEL void cofactor_@S@_@N@(const @T@ *a, @T@ *x) {
  int finite = 1;
  for (int i = 0; i < @N@ * @N@; i++) finite &= isfinite(a[i]) != 0;
  @MINORS@
  if (!finite)
    for (int i = 0; i < @N@ * @N@; i++) x[i] = NAN;
}
"""

# Golub and Van Loan, algorithm 4.2.1, row by row; reads the lower triangle only.
_CHOLESKY = """
KERNEL int cholesky_@S@_@N@(const @T@ *a, @T@ *x) {
  for (int i = 0; i < @N@; i++)
    for (int j = 0; j < @N@; j++) {
      @T@ s = j <= i ? a[i * @N@ + j] : 0;
      for (int k = 0; k < j && j <= i; k++) s -= x[i * @N@ + k] * x[j * @N@ + k];
      if (i == j && !(s > 0)) return 1;
      x[i * @N@ + j] = i == j ? @SQRT@(s) : j < i ? s / x[j * @N@ + j] : 0;
    }
  return 0;
}
"""

# `down` and `right` are the steps from a row, and from a column, to the next, which a transposed matrix exchanges.
_TRIANGULAR = """
KERNEL int triangular_solve_@S@_@N@(int lower, int unit, long down, long right, long m, const @T@ *a, const @T@ *b,
                                    @T@ *x) {
  memcpy(x, b, @N@ * m * sizeof(@T@));
  for (int step = 0; step < @N@; step++) {
    const int i = lower ? step : @N@ - 1 - step;
    for (int k = lower ? 0 : i + 1; k < (lower ? i : @N@); k++)
      for (long j = 0; j < m; j++) x[i * m + j] -= a[i * down + k * right] * x[k * m + j];
    const @T@ pivot = unit ? 1 : a[i * down + i * right];
    if (pivot == 0) return 1;
    for (long j = 0; j < m; j++) x[i * m + j] /= pivot;
  }
  return 0;
}
"""

# What else a function needs, and whether it may refuse its operands.
_PARTS = {
    "solve": ([_FACTORS, _SUBSTITUTE, _SOLVE], True),
    "inv": ([_FACTORS, _SUBSTITUTE, _INV], True),
    "det": ([_FACTORS, _DET], False),
    "cofactor": ([_COFACTORS], False),
    "cholesky": ([_CHOLESKY], True),
    "triangular_solve": ([_TRIANGULAR], True),
}


def is_system(node: Node) -> bool:
    """Whether a node is one of those that are written here."""
    largest = LARGEST.get(node.op.name)
    if largest is None:
        return False
    x, result = node.inputs[0].type, node.output.type
    return x.dtype.kind == "f" and x.dtype.itemsize >= 4 and x.shape[-1] <= largest and 0 not in (x.size, result.size)


def system(node: Node) -> tuple[str, list[str]]:
    """The statement that runs a node, with the numbers of its operands and result in braces, and its functions."""
    name, x = node.op.name, node.inputs[0]
    rows, dtype = x.shape[-1], short_name(x.type.dtype)
    single = x.type.dtype.itemsize == 4
    words = {
        "MINORS": _COFACTOR.get(rows, ""),
        "N": str(rows),
        "S": dtype,
        "T": C_TYPES[dtype],
        "ABS": "fabsf" if single else "fabs",
        "SQRT": "sqrtf" if single else "sqrt",
        "TINY": "0x1p-126f" if single else "0x1p-1022",
    }
    parts, refuses = _PARTS[name]
    texts = []
    for text in parts:
        for word, meaning in words.items():
            text = text.replace(f"@{word}@", meaning)
        texts.append(text)
    batch = node.output.shape if name == "det" else node.output.shape[:-2]
    loops = "".join(f"for (long i{axis} = 0; i{axis} < {length}; i{axis}++) " for axis, length in enumerate(batch))
    operands = []
    for place, value in enumerate((*node.inputs, node.output)):
        shape = value.shape if name == "det" and place else value.shape[:-2]
        size = 1 if name == "det" and place else math.prod(value.shape[-2:])
        operands.append(f"({C_TYPES[dtype]} *){{{place}}}{_offset(shape, size, len(batch))}")
    call = f"{name}_{dtype}_{rows}({', '.join([*_numbers(node), *operands])})"
    return f"{loops}{f'if ({call}) return 1;' if refuses else f'{call};'}", texts


def _numbers(node: Node) -> list[str]:
    """What a function is told besides its arrays."""
    attrs, rows = node.attrs, node.inputs[0].shape[-1]
    if node.op.name == "solve":
        return [str(node.output.shape[-1])]
    if node.op.name == "inv":
        return [str(int(attrs["singular_as_nan"]))]
    if node.op.name == "triangular_solve":
        turned = attrs["transpose_a"]
        steps = (1, rows) if turned else (rows, 1)
        return [
            str(int(one)) for one in (attrs["lower"] != turned, attrs["unit_diagonal"], *steps, node.output.shape[-1])
        ]
    return []


def _offset(batch: Shape, size: int, axes: int) -> str:
    """Where the matrix of a batch begins; axes of length 1 are broadcast."""
    first = axes - len(batch)
    parts = [
        f" + {stride * size} * i{first + axis}"
        for axis, (length, stride) in enumerate(zip(batch, strides_of(batch)))
        if length != 1
    ]
    return "".join(parts)
