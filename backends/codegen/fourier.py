"""Fourier transforms of real rows, and back, in C: as many rows at a time as a vector has numbers; complex products.

Stockham's form of the fast transform, which needs no permutation, with factors 2, 3, 4 and 5 (Van Loan, *Computational
Frameworks for the Fast Fourier Transform*, 1992, chapter 1). A row of n real numbers is one of n / 2 complex ones, from
whose transform that of the row follows (Cooley, Lewis, Welch, *The Fast Fourier Transform Algorithm: Programming
Considerations*, 1970).
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.blocks import head, transposition, vector_lanes
from dopegraph.backends.codegen.team import CLOSE, OPEN
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape, TensorType, short_name
from dopegraph.ops.typing import normalize_axis

# Twice as many complex numbers as a row has, for all rows of a vector, should stay in a cache of the second level.
LONGEST = 1 << 13

# Real numbers from which threads share the rows: some 50 microseconds.
SHARED = 1 << 16

# The types in C of the numbers that complex ones are pairs of.
_REAL = {"c64": "float", "c128": "double"}

# A complex number of every row is two vectors. x as (factor, n / factor, s) becomes y as (n / factor, factor, s).
_STAGE = """
static FAST void radix@P@_@S@(
    long n, long s, @T@ sign, const @T@ *restrict w, const VEC_@S@ *restrict x, VEC_@S@ *restrict y) {
  CONTRACTED
  const long m = n / @P@;
  for (long q = 0; q < m; q++) {
@TWIDDLES@
    const VEC_@S@ *restrict from = x + 2 * s * q;
    VEC_@S@ *restrict to = y + 2 * s * @P@ * q;
    for (long i = 0; i < 2 * s; i += 2) {
@LOADS@
@BODY@
@STORES@
    }
  }
}
"""

# Sums of a0, a1, ... as the results b0, b1, ...; `r` and `i` are real and imaginary parts, `sign` is 1 forwards.
_BODIES = {
    2: "{V} b0r = a0r + a1r, b0i = a0i + a1i, b1r = a0r - a1r, b1i = a0i - a1i;",
    3: """
      const {V} tr = a1r + a2r, ti = a1i + a2i, ur = a0r - tr * ({T})0.5, ui = a0i - ti * ({T})0.5;
      const {V} dr = (a1r - a2r) * (sign * ({T}){sin60}), di = (a1i - a2i) * (sign * ({T}){sin60});
      {V} b0r = a0r + tr, b0i = a0i + ti, b1r = ur + di, b1i = ui - dr, b2r = ur - di, b2i = ui + dr;""",
    4: """
      const {V} tr = a0r + a2r, ti = a0i + a2i, ur = a0r - a2r, ui = a0i - a2i;
      const {V} vr = a1r + a3r, vi = a1i + a3i, dr = (a1r - a3r) * sign, di = (a1i - a3i) * sign;
      {V} b0r = tr + vr, b0i = ti + vi, b1r = ur + di, b1i = ui - dr;
      {V} b2r = tr - vr, b2i = ti - vi, b3r = ur - di, b3i = ui + dr;""",
    5: """
      const {V} tr = a1r + a4r, ti = a1i + a4i, ur = a2r + a3r, ui = a2i + a3i;
      const {V} dr = (a1r - a4r) * sign, di = (a1i - a4i) * sign, er = (a2r - a3r) * sign, ei = (a2i - a3i) * sign;
      const {V} pr = a0r + tr * ({T}){cos72} + ur * ({T}){cos144}, pi = a0i + ti * ({T}){cos72} + ui * ({T}){cos144};
      const {V} qr = a0r + tr * ({T}){cos144} + ur * ({T}){cos72}, qi = a0i + ti * ({T}){cos144} + ui * ({T}){cos72};
      const {V} fr = dr * ({T}){sin72} + er * ({T}){sin144}, fi = di * ({T}){sin72} + ei * ({T}){sin144};
      const {V} gr = dr * ({T}){sin144} - er * ({T}){sin72}, gi = di * ({T}){sin144} - ei * ({T}){sin72};
      {V} b0r = a0r + tr + ur, b0i = a0i + ti + ui, b1r = pr + fi, b1i = pi - fr, b4r = pr - fi, b4i = pi + fr;
      {V} b2r = qr + gi, b2i = qi - gr, b3r = qr - gi, b3i = qi + gr;""",
}
_ANGLES = {
    "sin60": math.sin(math.pi / 3), "cos72": math.cos(math.tau / 5), "sin72": math.sin(math.tau / 5),
    "cos144": math.cos(2 * math.tau / 5), "sin144": math.sin(2 * math.tau / 5),
}  # fmt: skip

# The roots of unity, computed when the library is loaded; those on the axes are exact.
_TABLE = """
static @T@ @NAME@_roots[2 * @LENGTH@];
__attribute__((constructor)) static void @NAME@_fill(void) {
  for (long k = 0; k < @LENGTH@; k++) {
    const double angle = @TAU@ * k / @LENGTH@;
    @NAME@_roots[2 * k] = 4 * k % @LENGTH@ || k * 4 / @LENGTH@ % 2 == 0 ? cos(angle) : 0;
    @NAME@_roots[2 * k + 1] = 2 * k % @LENGTH@ ? -sin(angle) : 0;
  }
}
"""

_BLOCKS = """
KERNEL void @NAME@(const @T@ *x, @T@ *z, char *memory, int threads) {
  enum { N = @LENGTH@, M = N / 2, W = @W@, ROWS = @ROWS@, IN = @IN@, OUT = @OUT@ };
  const @T@ *const w = @NAME@_roots;
@OPEN@
  for (long row = 0; row < ROWS; row += W) {
    VEC_@S@ *const one = (VEC_@S@ *)(memory + THREAD * @BYTES@L), *const two = one + 2 * (M + 1);
    const long count = ROWS - row < W ? ROWS - row : W;
    if (count < W) memset(one, 0, 2 * (M + 1) * sizeof(*one));
    transpose_@S@(count, IN, x + row * IN, IN, (@T@ *)one, W);
@STEPS@
    transpose_@S@(OUT, count, (const @T@ *)@LAST@, W, z + row * OUT, OUT);
  }
@CLOSE@
}
"""

# The transform of even places is that of the sum of z and its mirror image, that of odd places of the difference.
_FORWARDS = """
    for (long k = 0; k <= M; k++) {
      const VEC_@S@ *const a = @X@ + 2 * (k % M), *const b = @X@ + 2 * ((M - k) % M);
      const @T@ c = k < M ? w[2 * k] : -1, s = k < M ? w[2 * k + 1] : 0, half = (@T@)(0.5 * @SCALE@);
      const VEC_@S@ er = a[0] + b[0], ei = a[1] - b[1], dr = a[1] + b[1], di = b[0] - a[0];
      @Y@[2 * k] = (er + dr * c - di * s) * half;
      @Y@[2 * k + 1] = (ei + dr * s + di * c) * half;
    }"""

# The imaginary parts of the first frequency and of the last one are not looked at.
_BACKWARDS = """
    for (long k = 0; k < M; k++) {
      const VEC_@S@ *const a = @X@ + 2 * k, *const b = @X@ + 2 * (M - k);
      const @T@ c = w[2 * k], s = w[2 * k + 1], all = (@T@)@SCALE@;
      const VEC_@S@ none = {0}, ai = k ? a[1] : none, bi = k ? b[1] : none;
      const VEC_@S@ er = a[0] + b[0], ei = ai - bi, dr = a[0] - b[0], di = ai + bi;
      @Y@[2 * k] = (er - di * c + dr * s) * all;
      @Y@[2 * k + 1] = (ei + dr * c + di * s) * all;
    }"""

# Period: the other operand has as many numbers, again and again.
_PRODUCT = """
KERNEL void @NAME@(const @T@ *x, const @T@ *y, @T@ *restrict z) {
  for (long i = 0; i < @ROWS@; i++, x += 2 * @COUNT@, z += 2 * @COUNT@) {
    #pragma omp simd
    for (long j = 0; j < @COUNT@; j++) {
      const @T@ a = x[2 * j], b = x[2 * j + 1], c = y[2 * j], d = y[2 * j + 1];
      z[2 * j] = a * c - b * d, z[2 * j + 1] = a * d + b * c;
    }
  }
}
"""

_CONJUGATE = """
KERNEL void @NAME@(const @T@ *restrict x, @T@ *restrict z) {
  for (long j = 0; j < @COUNT@; j++) z[2 * j] = x[2 * j], z[2 * j + 1] = -x[2 * j + 1];
}
"""


def is_complex(node: Node) -> bool:
    """Whether a node that has to do with complex numbers is one of those that are written here."""
    if len(node.outputs) != 1:
        return False
    name, types = node.op.name, [value.type for value in (*node.inputs, node.output)]
    if not any(short_name(one.dtype) in _REAL for one in types) or any(map(_is_number, node.inputs)):
        return False
    if name == "conj":
        return True
    if name == "mul":
        x, y, z = types
        repeated = (x.shape == z.shape and _is_repeated(y.shape, z.shape)) or (
            y.shape == z.shape and _is_repeated(x.shape, z.shape)
        )
        return x.dtype == y.dtype and z.size > 0 and repeated
    return name in ("rfft", "irfft") and _transforms(node)


def _is_number(value: Value) -> bool:
    """Whether an array is a number that a kernel would have to write; there are none of complex numbers."""
    node = value.node
    return node is not None and not node.inputs and (node.op.name != "constant" or value.type.size == 1)


def _transforms(node: Node) -> bool:
    """Whether rows of an even length without large prime factors, enough for a vector, are transformed."""
    real = _real(node)
    whole, length = real.shape, real.shape[-1] if real.shape else 0
    if normalize_axis(node.attrs["axis"], len(whole)) != len(whole) - 1 or not 2 <= length <= LONGEST or length % 2:
        return False
    return _factors(length // 2) is not None and 2 * (real.size // length) >= vector_lanes(real.dtype)


def _real(node: Node) -> TensorType:
    """The type of the real operand or result."""
    return (node.inputs[0] if node.op.name == "rfft" else node.output).type


def _factors(length: int) -> list[int] | None:
    """Factors of a length, fours first; None where there are others than 2, 3 and 5."""
    found = []
    for factor in (4, 2, 3, 5):
        while length % factor == 0:
            found.append(factor)
            length //= factor
    return found if length == 1 else None


def _is_repeated(short: Shape, whole: Shape) -> bool:
    """Whether an array of one shape is broadcast to another by being repeated as it stands in memory."""
    long = short
    while long and long[0] == 1:
        long = long[1:]
    return whole[len(whole) - len(long) :] == long


def complex_function(node: Node, name: str) -> tuple[str, list[str], int]:
    """The statement that runs a node, what its function needs with itself at the end, and bytes of memory for it."""
    kind = _kind(node)
    if node.op.name == "conj":
        text = _CONJUGATE.replace("@COUNT@", str(node.output.type.size))
        return f"{name}({{0}}, {{1}});", [_named(text, name, kind)], 0
    if node.op.name == "mul":
        z = node.output.type
        whole, other = (0, 1) if node.inputs[0].shape == z.shape else (1, 0)
        count = node.inputs[other].type.size
        text = _PRODUCT.replace("@COUNT@", str(count)).replace("@ROWS@", str(z.size // count))
        return f"{name}({{{whole}}}, {{{other}}}, {{2}});", [_named(text, name, kind)], 0
    return _transform(node, name, kind)


def _kind(node: Node) -> str:
    kinds = [_REAL.get(short_name(value.type.dtype), "") for value in (node.output, *node.inputs)]
    return next(filter(None, kinds))


def _named(text: str, name: str, kind: str) -> str:
    return text.replace("@NAME@", name).replace("@T@", kind)


def _transform(node: Node, name: str, kind: str) -> tuple[str, list[str], int]:
    real, back = _real(node), node.op.name == "irfft"
    length = real.shape[-1]
    half, rows, lanes = length // 2, real.size // length, vector_lanes(real.dtype)
    suffix = short_name(real.dtype)
    factors = _factors(half) or []
    divisor = {"backward": length if back else 1, "ortho": math.sqrt(length), "forward": 1 if back else length}
    scale = f"(1.0 / {divisor[node.attrs['norm']]!r})"
    memories, steps, n = ["one", "two"], [], half
    ends = (_BACKWARDS if back else _FORWARDS).replace("@SCALE@", scale)

    def end() -> None:
        steps.append(ends.replace("@X@", memories[0]).replace("@Y@", memories[1]))
        memories.reverse()

    if back:
        end()
    for factor in factors:
        sign = -1 if back else 1
        steps.append(f"    radix{factor}_{suffix}({n}, {half // n}, {sign}, w, {memories[0]}, {memories[1]});")
        n //= factor
        memories.reverse()
    if not back:
        end()
    bytes_each = 4 * (half + 1) * lanes * real.dtype.itemsize
    team = threads.number if rows * length >= SHARED else 1
    filled = {
        "STEPS": "\n".join(steps), "LAST": memories[0], "LENGTH": length, "W": lanes, "ROWS": rows, "BYTES": bytes_each,
        "IN": 2 * (half + 1) if back else length, "OUT": length if back else 2 * (half + 1), "TAU": math.tau.hex(),
        "OPEN": "\n".join(OPEN if team > 1 else ()), "CLOSE": CLOSE if team > 1 else "",
        "S": suffix,
    }  # fmt: skip
    text = _TABLE + _BLOCKS
    for mark, one in filled.items():
        text = text.replace(f"@{mark}@", str(one))
    stages = [_stage(factor, kind, suffix) for factor in dict.fromkeys(factors)]
    shared = [head(kind), transposition(kind), *stages, _named(text, name, kind)]
    return f"{name}({{0}}, {{1}}, {{2}}, {'threads' if team > 1 else '1'});", shared, bytes_each * team


def _stage(factor: int, kind: str, suffix: str) -> str:
    """One stage; the first of the results needs no root."""
    others = range(1, factor)
    angles = {name: f"{number!r}" for name, number in _ANGLES.items()}
    parts = {
        "TWIDDLES": "\n".join(
            f"    const @T@ c{k} = w[4 * s * q * {k}], s{k} = w[4 * s * q * {k} + 1] * sign;" for k in others
        ),
        "LOADS": "\n".join(
            f"      const VEC_@S@ a{j}r = from[2 * s * m * {j} + i], a{j}i = from[2 * s * m * {j} + i + 1];"
            for j in range(factor)
        ),
        "BODY": _BODIES[factor].format(V=f"const VEC_{suffix}", T=kind, **angles).replace("const const", "const"),
        "STORES": "\n".join(
            ["      to[i] = b0r, to[i + 1] = b0i;"]
            + [
                f"      to[2 * s * {k} + i] = b{k}r * c{k} - b{k}i * s{k}, "
                f"to[2 * s * {k} + i + 1] = b{k}r * s{k} + b{k}i * c{k};"
                for k in others
            ]
        ),
        "P": str(factor), "S": suffix, "T": kind,
    }  # fmt: skip
    text = _STAGE
    for mark, part in parts.items():
        text = text.replace(f"@{mark}@", part)
    return text
