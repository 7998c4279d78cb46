"""What every generated file begins with: headers, vector functions of the C library, reductions that know NaN.

glibc has its mathematical functions for vectors, too (libmvec, within 4 units in the last place, with all special
values); a prototype marked ``simd`` makes the compiler call them in loops.
"""

from __future__ import annotations

from dopegraph.backends.codegen.team import HELPER

# When glibc got them, and which.
_VECTOR = {
    (2, 22): ("cos", "exp", "log", "sin"),
    (2, 35): (
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cosh", "erf", "exp2", "expm1", "log10", "log1p",
        "log2", "sinh", "tan", "tanh",
    ),
}  # fmt: skip
_VECTOR_OF_TWO = {(2, 22): ("pow",), (2, 35): ("atan2", "hypot")}

_HEAD = """#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNUSED __attribute__((unused))
/* Called from many places: a copy at each would take the compiler seconds. */
#if defined(__GNUC__) && !defined(__clang__)
#define KERNEL static __attribute__((noinline, noclone, unused))
#else
#define KERNEL static __attribute__((noinline, unused))
#endif
"""

_REDUCTIONS = """
/* NaN wins, as in NumPy; the reductions below are told of numbers only. */
#define LARGER(x, y) ((x) >= (y) || (x) != (x) ? (x) : (y))
#define SMALLER(x, y) ((x) <= (y) || (x) != (x) ? (x) : (y))
#pragma omp declare reduction(larger : float, double : omp_out = omp_in > omp_out ? omp_in : omp_out) \\
    initializer(omp_priv = -INFINITY)
#pragma omp declare reduction(smaller : float, double : omp_out = omp_in < omp_out ? omp_in : omp_out) \\
    initializer(omp_priv = INFINITY)

/* A sum in two numbers, whose rest collects what rounding loses (Neumaier 1974). */
UNUSED static inline void add_exactly(double *sum, double *rest, double x) {
  const double s = *sum + x;
  *rest += fabs(*sum) >= fabs(x) ? (*sum - s) + x : (x - s) + *sum;
  *sum = s;
}
UNUSED static inline double rounded(double sum, double rest) { return isfinite(rest) ? sum + rest : sum; }
"""

# Quotients are whole, remainders have the divisor's sign and are exact; a zero keeps the sign that it should have.
_DIVISION = """
UNUSED static inline @T@ signed_remainder@f@(@T@ x, @T@ y) {
  const @T@ r = fmod@f@(x, y);
  if (y == 0) return r;
  if (r == 0) return copysign@f@(0, y);
  return (y < 0) != (r < 0) ? r + y : r;
}
UNUSED static inline @T@ whole_quotient@f@(@T@ x, @T@ y) {
  if (y == 0) return x / y;
  @T@ r = fmod@f@(x, y), q = (x - r) / y;
  if (r != 0 && (y < 0) != (r < 0)) q -= 1;
  if (q == 0) return copysign@f@(0, x / y);
  const @T@ low = floor@f@(q);
  return q - low > (@T@)0.5 ? low + 1 : low;
}
"""

# The exponential of a float is written here, and so part of the loops that it stands in: half the time of glibc's,
# within 1 unit in the last place. x = n log 2 + r; exp(r) = 1 + r + r**2 p(r), where p has the least relative error of
# the result (found by Lawson's iteration, 0.05 units); n goes into the exponents of two factors, so that what is
# subnormal is rounded once and what is too large becomes infinite. Adding 1.5 * 2**23 rounds to an integer, which is in
# the last bits.
_EXPONENTIAL = """
#ifdef __FMA__
#define FUSED(x, y, z) __builtin_fmaf(x, y, z)
#else
#define FUSED(x, y, z) ((x) * (y) + (z))
#endif
UNUSED static inline float exponentialf(float x) {
  union { float number; int32_t bits; } whole, one, two;
  x = 89.0f < x ? 89.0f : x;
  x = -104.0f > x ? -104.0f : x;
  whole.number = FUSED(x, 0x1.715476p+0f, 12582912.0f);
  const int32_t n = whole.bits - 0x4B400000;
  const float turns = whole.number - 12582912.0f;
  /* The first part of log 2 has few bits: its products are exact without fused operations, too. */
  const float r = FUSED(turns, 0x1.bd0106p-13f, FUSED(turns, -0x1.63p-1f, x));
  float p = FUSED(r, 0x1.6a21a8p-10f, 0x1.123b6ap-7f);
  p = FUSED(r, p, 0x1.5558fcp-5f);
  p = FUSED(r, p, 0x1.55549p-3f);
  p = FUSED(r, p, 0x1.fffffcp-2f);
  p = FUSED(r * r, p, r) + 1;
  one.bits = ((n >> 1) + 127) << 23;
  two.bits = (n - (n >> 1) + 127) << 23;
  return p * one.number * two.number;
}
"""

# In its vector functions glibc computes results below the smallest normal number one by one, 30 times as slowly. So x
# goes up by a whole number, and the result is multiplied by what that makes less, or by 0; other results are exp's. The
# compiler must see no branches, of which it would make two calls: bounds are variables, conditions are signs. `scale`
# is exp(-300); below -708 results are subnormal, below -745.14 they are zero.
_EXP_DOWN = """
__attribute__((weak)) double lowest_exponent = -746.0;
UNUSED static inline double exp_down(double x) {
  union { double number; int64_t bits; } scale = {1}, down = {0x1.245639c3a49f7p-433}, normal, zero;
  x = x < lowest_exponent ? lowest_exponent : x;
  normal.number = x + 708.0;
  zero.number = x + 745.14;
  const int64_t is_down = normal.bits >> 63, is_zero = zero.bits >> 63;
  scale.bits = (scale.bits ^ (is_down & (scale.bits ^ down.bits))) & ~is_zero;
  return exp(x + (double)(is_down & 300)) * scale.number;
}
"""


def prelude(names: set[str]) -> str:
    """The head of a file that uses the given words, functions and macros."""
    if "exp_down" in names:
        names = names | {"exp"}
    parts = [_HEAD, _vector_functions(names)]
    if names & {"larger", "smaller", "LARGER", "SMALLER", "add_exactly", "rounded"}:
        parts.append(_REDUCTIONS)
    parts += [text for name, text in (("exponentialf", _EXPONENTIAL), ("exp_down", _EXP_DOWN)) if name in names]
    if "apart" in names:
        parts.append(HELPER)
    for suffix, kind in (("f", "float"), ("", "double")):
        if names & {f"signed_remainder{suffix}", f"whole_quotient{suffix}"}:
            parts.append(_DIVISION.replace("@T@", kind).replace("@f@", suffix))
    return "".join(parts)


def _vector_functions(names: set[str]) -> str:
    lines = []
    for table, operands in ((_VECTOR, 1), (_VECTOR_OF_TWO, 2)):
        for version, functions in table.items():
            declared = [
                f"SIMD {kind} {function}{suffix}({', '.join([kind] * operands)});"
                for function in functions
                for kind, suffix in (("float", "f"), ("double", ""))
                if f"{function}{suffix}" in names
            ]
            if declared:
                needs = f"__GLIBC_PREREQ({version[0]}, {version[1]})"
                lines += [f"#if {needs}", *declared, "#endif"]
    if not lines:
        return ""
    return "\n".join(
        [
            "",
            "#if defined(__GLIBC__) && defined(__x86_64__) && !defined(__clang__)",
            '#define SIMD __attribute__((simd("notinbranch"), const))',
            *lines,
            "#endif",
            "",
        ]
    )
