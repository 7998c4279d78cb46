"""Random numbers in C: Philox 4x64-10 as NumPy runs it, so that the same key gives the same bits. Normal numbers are
made of uniform ones as `dopegraph.ops.random.box_muller` does it, with the loops of NumPy's own logarithm and cosine.

Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC11. A block of the counter is four numbers of
64 bits; the first block of a draw has the number 1. A float takes the upper 24 bits of each half, the lower half first;
a double the upper 53 bits of each.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.numpy_loops import addresses
from dopegraph.ir.graph import Node
from dopegraph.ir.types import short_name

# Numbers from which threads share a draw: about a millisecond.
SHARED = 1 << 20

_PHILOX = """
/* Block `count` of the draw that a key begins. */
UNUSED static inline void philox(const uint64_t *key, uint64_t count, uint64_t *v) {
  uint64_t a = count, b = 0, c = key[1], d = 0, k = key[0], l = 0;
  for (int i = 0; i < 10; i++) {
    const unsigned __int128 p = (unsigned __int128)a * 0xD2E7470EE14C6C93u;
    const unsigned __int128 q = (unsigned __int128)c * 0xCA5A826395121157u;
    a = (uint64_t)(q >> 64) ^ b ^ k, b = (uint64_t)q;
    c = (uint64_t)(p >> 64) ^ d ^ l, d = (uint64_t)p;
    k += 0x9E3779B97F4A7C15u, l += 0xBB67AE8584CAA73Bu;
  }
  v[0] = a, v[1] = b, v[2] = c, v[3] = d;
}
"""

# Sixteen blocks in the lanes of vectors; products of 64 bits are those of their halves.
_MANY = """
enum { MANY = 16 };
#ifdef __AVX2__
UNUSED static inline uint64_t high_product(uint64_t x, uint64_t y) {
  const uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
  const uint64_t low = x0 * y0, one = x0 * y1, two = x1 * y0;
  return x1 * y1 + (one >> 32) + (two >> 32) + (((low >> 32) + (uint32_t)one + (uint32_t)two) >> 32);
}
UNUSED static void philox_many(const uint64_t *key, uint64_t count, uint64_t *restrict v) {
  uint64_t w[4][MANY];
  const uint64_t m = 0xD2E7470EE14C6C93u, n = 0xCA5A826395121157u;
  #pragma omp simd
  for (int j = 0; j < MANY; j++) {
    uint64_t a = count + j, b = 0, c = key[1], d = 0, k = key[0], l = 0;
    #pragma GCC unroll 10
    for (int i = 0; i < 10; i++) {
      const uint64_t p = high_product(a, m), q = high_product(c, n), r = a * m, s = c * n;
      a = q ^ b ^ k, b = s, c = p ^ d ^ l, d = r;
      k += 0x9E3779B97F4A7C15u, l += 0xBB67AE8584CAA73Bu;
    }
    w[0][j] = a, w[1][j] = b, w[2][j] = c, w[3][j] = d;
  }
  for (int j = 0; j < MANY; j++) for (int i = 0; i < 4; i++) v[4 * j + i] = w[i][j];
}
#else
UNUSED static void philox_many(const uint64_t *key, uint64_t count, uint64_t *restrict v) {
  for (int j = 0; j < MANY; j++) philox(key, count + j, v + 4 * j);
}
#endif
"""

_FILL = """
/* The numbers from `start` on of the draw that a key begins. */
UNUSED static void fill_@S@(const uint64_t *key, long start, long count, @T@ *restrict y) {
  uint64_t v[4];
  long at = 0, block = start / @EACH@;
  for (int i = start % @EACH@; i && at < count; block++, i = 0)
    for (philox(key, block + 1, v); i < @EACH@ && at < count; i++) y[at++] = @VALUE@;
  for (; at + MANY * @EACH@ <= count; at += MANY * @EACH@, block += MANY) {
    uint64_t v[4 * MANY];
    philox_many(key, block + 1, v);
    #pragma omp simd
    for (int i = 0; i < MANY * @EACH@; i++) y[at + i] = @VALUE@;
  }
  for (; at + @EACH@ <= count; at += @EACH@, block++) {
    philox(key, block + 1, v);
    for (int i = 0; i < @EACH@; i++) y[at + i] = @VALUE@;
  }
  if (at < count) philox(key, block + 1, v);
  for (int i = 0; at + i < count; i++) y[at + i] = @VALUE@;
}
"""

_UNIFORM = """
UNUSED static void random_uniform_@S@(const uint64_t *key, @T@ *restrict y, long count, int threads) {
@SHARED@
  for (long i = 0; i < count; i += @PIECE@) fill_@S@(key, i, count - i < @PIECE@ ? count - i : @PIECE@, y + i);
}
"""

# NumPy's loops take pointers, a length and strides.
_LOOPS = """
typedef void (*numpy_loop)(char **, const intptr_t *, const intptr_t *, void *);
static void *const *numpy_loops;
void link_numpy(void *const *loops) { numpy_loops = loops; }
UNUSED static void numpy_call(int number, void *x, void *y, long count, long size) {
  char *pointers[2] = {x, y};
  const intptr_t length = count, strides[2] = {size, size};
  ((numpy_loop)numpy_loops[2 * number])(pointers, &length, strides, numpy_loops[2 * number + 1]);
}
"""

_NORMAL = """
UNUSED static void random_normal_@S@(const uint64_t *key, @T@ *restrict y, long count, int threads) {
  enum { PIECE = @PIECE@, SIZE = sizeof(@T@), LOG = 0, COS = 2, SIN = 4 };
  const long half = (count + 1) / 2;
@SHARED@
  for (long i = 0; i < half; i += PIECE) {
    const long n = half - i < PIECE ? half - i : PIECE, rest = count - half - i < n ? count - half - i : n;
    @T@ u[PIECE], r[PIECE], c[PIECE], s[PIECE];
    fill_@S@(key, i, n, u);
    for (long j = 0; j < n; j++) u[j] = 1 - u[j];
    numpy_call(LOG + @DOUBLE@, u, r, n, SIZE);
    for (long j = 0; j < n; j++) r[j] = sqrt@F@(-2 * r[j]);
    fill_@S@(key, half + i, n, u);
    for (long j = 0; j < n; j++) u[j] = (@T@)6.283185307179586 * u[j];
    numpy_call(COS + @DOUBLE@, u, c, n, SIZE);
    numpy_call(SIN + @DOUBLE@, u, s, n, SIZE);
    for (long j = 0; j < n; j++) y[i + j] = r[j] * c[j];
    for (long j = 0; j < rest; j++) y[half + i + j] = r[j] * s[j];
  }
}
"""

# Numbers that are made at one time: a multiple of a block, and what stays in the cache.
_PIECE = 1024

# How many numbers a block gives, and each of them.
_VALUES = {
    "f32": ("float", 8, "(float)(int32_t)((uint32_t)(v[i / 2] >> (i % 2 * 32)) >> 8) * (1.0f / 16777216)"),
    "f64": ("double", 4, "(v[i] >> 11) * (1.0 / 9007199254740992)"),
}

_ADVANCE = """
UNUSED static void random_advance(const uint64_t *key, uint64_t *next) { next[0] = key[0], next[1] = key[1] + 1; }
"""


def draws(node: Node) -> bool:
    """Whether a node draws random numbers that are written here, or makes the key of the next draw."""
    name = node.op.name
    if name not in ("random_uniform", "random_normal"):
        return name == "random_advance"
    return short_name(node.output.type.dtype) in _VALUES and (name == "random_uniform" or addresses() is not None)


def draw(node: Node) -> tuple[str, list[str]]:
    """The statement that runs a node, with the numbers of its key and result in braces, and its functions."""
    name = node.op.name
    if name == "random_advance":
        return "random_advance({0}, {1});", [_ADVANCE]
    suffix, count = short_name(node.output.type.dtype), math.prod(node.output.shape)
    kind, each, value = _VALUES[suffix]
    double = suffix == "f64"
    filled = {"S": suffix, "T": kind, "EACH": each, "VALUE": value, "PIECE": _PIECE, "DOUBLE": int(double),
              "F": "" if double else "f", "SHARED": _SHARED if threads.number > 1 else ""}  # fmt: skip
    functions = (
        [_PHILOX, _MANY, _FILL, _UNIFORM] if name == "random_uniform" else [_PHILOX, _MANY, _FILL, _LOOPS, _NORMAL]
    )
    for mark, text in filled.items():
        functions = [one.replace(f"@{mark}@", str(text)) for one in functions]
    number = "threads" if count >= SHARED else "1"
    return f"{name}_{suffix}({{0}}, {{1}}, {count}, {number});", functions


_SHARED = "#pragma omp parallel for num_threads(threads) if (threads > 1)"
