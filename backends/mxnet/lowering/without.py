"""The primitives that run on NumPy, because MXNet 1.9.1 lacks them or is wrong: a list that may only shrink."""

from __future__ import annotations

# A stable reason, a sentence without its full stop, and the primitives.
_LISTS = [
    ("random-numbers", "random numbers are drawn by NumPy, so that they are the same everywhere",
     "random_advance random_integers random_normal random_permutation random_uniform"),
    ("complex-numbers", "MXNet has no complex numbers",
     "complex conj fft imag irfft real rfft"),
    ("no-operator", "MXNet has no such operator",
     "bessel_i bitcast bitwise_count exponent fmod gcd left_shift nextafter right_shift signbit spacing"),
    ("wrong-operator", "MXNet's copysign takes -0.0 for positive", "copysign"),
    ("wrong-operator", "MXNet's lcm ends the process for zeros", "lcm"),
    ("wrong-operator", "MXNet's ldexp multiplies by a power that overflows before the product does", "ldexp"),
    ("wrong-operator", "of several values for one place the last must remain; MXNet writes in any order", "scatter"),
]  # fmt: skip

WITHOUT_LOWERING = {name: (reason, sentence) for reason, sentence, names in _LISTS for name in names.split()}
