"""The primitives that run on NumPy, because MXNet 1.9.1 lacks them or is wrong: a list that may only shrink."""

from __future__ import annotations

# A stable reason, a sentence without its full stop, and the primitives.
_LISTS = [
    ("random-numbers", "random numbers are drawn by NumPy, so that they are the same everywhere",
     "random_advance random_between random_binomial random_categorical random_choice random_gamma random_geometric "
     "random_hypergeometric random_integers random_logseries random_multinomial random_multivariate_hypergeometric "
     "random_negative_binomial random_normal random_permutation random_permuted random_poisson random_uniform "
     "random_vonmises random_wald random_zipf"),
    ("no-operator", "MXNet has no such function, and its gammaln and digamma round in float32",
     "bessel_ratio erfcx gamma_tail polygamma vonmises_tail"),
    ("wrong-operator", "covariances may be singular, which MXNet's operators refuse", "correlated covariance_inverse"),
    ("complex-numbers", "MXNet has no complex numbers",
     "complex conj fft imag irfft real rfft"),
    ("no-operator", "MXNet has no such operator",
     "bessel_i bitcast bitwise_count exponent fmod gcd left_shift nextafter right_shift signbit spacing"),
    ("wrong-operator", "MXNet's copysign takes -0.0 for positive", "copysign"),
    ("wrong-operator", "MXNet's lcm ends the process for zeros", "lcm"),
    ("wrong-operator", "MXNet's ldexp multiplies by a power that overflows before the product does", "ldexp"),
    ("wrong-operator", "of several values for one place the last must remain; MXNet writes in any order", "scatter"),
    ("wrong-operator", "of nearly singular matrices MXNet's operator refuses others than NumPy's",
     "cholesky inv solve"),
    ("wrong-operator", "the sign that MXNet's slogdet gives singular matrices is 1 or -1, not 0", "slogdet"),
    ("wrong-operator", "MXNet's trsm divides by zeros on the diagonal, where an error is due", "triangular_solve"),
    ("wrong-operator", "MXNet's svd takes wide matrices only and chooses other signs than NumPy", "pinv svd svdvals"),
    ("wrong-operator", "MXNet's syevd chooses other signs of the vectors than NumPy, which it always computes",
     "eigh eigvalsh"),
    ("no-operator", "MXNet's sorting is not stable, its positions are floats, and NaN has no place in its order",
     "argpartition argsort checked cummax cummin cumprod partition put_along_axis scatter_add_along_axis searchsorted "
     "sort take_along_axis"),
    ("wrong-operator", "MXNet does not refuse positions outside", "ravel_multi_index unravel_index"),
    ("wrong-operator", "MXNet's Convolution has no integers, and is slower for two sequences than NumPy's", "convolve"),
    ("no-operator", "MXNet's box_nms sorts boxes itself, and writes over those that it does not keep", "suppress"),
    ("opaque-operator", "MXNet's own gradient runs beside the symbol", "mxnet_gradient"),
    ("no-operator", "MXNet has no such operator for matrices", "cofactor qr"),
    ("no-operator", "loops are found for generated code only; MXNet's own are slower than their steps", "recurrence"),
    ("host-function", "a function of the user's own, written with NumPy", "host_call"),
    ("complex-numbers", "MXNet has no complex numbers, which eigenvalues are", "eig eigvals"),
]  # fmt: skip

WITHOUT_LOWERING = {name: (reason, sentence) for reason, sentence, names in _LISTS for name in names.split()}
