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

# In its vector functions glibc computes results below the smallest normal number one by one, 30 times as slowly. So x
# goes up by a whole number, and the result is multiplied by what that makes less, or by 0; other results are exp's. The
# compiler must see no branches, of which it would make two calls: bounds are variables, conditions are signs.
_EXP_DOWN = """
__attribute__((weak)) @T@ lowest_exponent@f@ = -@lowest@;
UNUSED static inline @T@ exp_down@f@(@T@ x) {
  union { @T@ number; int@bits@_t bits; } scale = {1}, down = {@scale@}, normal, zero;
  x = x < lowest_exponent@f@ ? lowest_exponent@f@ : x;
  normal.number = x + @normal@;
  zero.number = x + @zero@;
  const int@bits@_t is_down = normal.bits >> (@bits@ - 1), is_zero = zero.bits >> (@bits@ - 1);
  scale.bits = (scale.bits ^ (is_down & (scale.bits ^ down.bits))) & ~is_zero;
  return exp@f@(x + (@T@)(is_down & @up@)) * scale.number;
}
"""
# `scale` is exp(-up); below -`normal` results are subnormal, below -`zero` they are zero.
_EXP_DOWN_OF = {
    "f": {
        "T": "float", "bits": "32", "up": "40", "scale": "0x1.39792499b1a24p-58f",
        "normal": "87.0f", "zero": "103.98f", "lowest": "104.0f",
    },
    "": {
        "T": "double", "bits": "64", "up": "300", "scale": "0x1.245639c3a49f7p-433",
        "normal": "708.0", "zero": "745.14", "lowest": "746.0",
    },
}  # fmt: skip


def prelude(names: set[str]) -> str:
    """The head of a file that uses the given words, functions and macros."""
    for suffix in ("f", ""):
        if f"exp_down{suffix}" in names:
            names = names | {f"exp{suffix}"}
    parts = [_HEAD, _vector_functions(names)]
    if names & {"larger", "smaller", "LARGER", "SMALLER", "add_exactly", "rounded"}:
        parts.append(_REDUCTIONS)
    if "apart" in names:
        parts.append(HELPER)
    for suffix, numbers in _EXP_DOWN_OF.items():
        if f"exp_down{suffix}" in names:
            text = _EXP_DOWN.replace("@f@", suffix)
            for name, number in numbers.items():
                text = text.replace(f"@{name}@", number)
            parts.append(text)
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
