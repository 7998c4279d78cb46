"""What every generated file begins with: headers, vector functions of the C library, reductions that know NaN.

glibc has its mathematical functions for vectors, too (libmvec, within 4 units in the last place, with all special
values); a prototype marked ``simd`` makes the compiler call them in loops.
"""

from __future__ import annotations

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


def prelude(names: set[str]) -> str:
    """The head of a file that uses the given words, functions and macros."""
    parts = [_HEAD, _vector_functions(names)]
    if names & {"larger", "smaller", "LARGER", "SMALLER", "add_exactly", "rounded"}:
        parts.append(_REDUCTIONS)
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
