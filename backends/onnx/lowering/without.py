"""The primitives that ONNX has no operators for, or other ones: a list that may only shrink."""

from __future__ import annotations

_LISTS = [
    ("random numbers are drawn by NumPy, so that they are the same everywhere; pass them as an argument",
     "random_advance random_between random_binomial random_categorical random_choice random_gamma random_geometric "
     "random_hypergeometric random_integers random_logseries random_multinomial random_multivariate_hypergeometric "
     "random_negative_binomial random_normal random_permutation random_permuted random_poisson random_uniform "
     "random_vonmises random_wald random_zipf"),
    ("ONNX has complex numbers in no operator", "complex conj fft imag irfft real rfft eig eigvals"),
    ("ONNX has no such function", "bessel_i bessel_ratio bitwise_count erfcx exponent gamma_tail gcd lcm ldexp "
     "nextafter polygamma spacing vonmises_tail bitcast"),
    ("ONNX shifts unsigned integers only", "left_shift right_shift"),
    ("ONNX has no decompositions of matrices", "cholesky cofactor correlated covariance_inverse eigh eigvalsh inv pinv "
     "qr slogdet solve svd svdvals triangular_solve"),
    ("of several values for one place the last must remain; ONNX leaves open which does", "put_along_axis scatter"),
    ("ONNX accumulates nothing but sums", "cummax cummin cumprod"),
    ("which order the rest has is left to the one who runs it", "argpartition partition"),
    ("ONNX refuses no values", "checked ravel_multi_index unravel_index"),
    ("ONNX has no such operator", "searchsorted convolve"),
    ("ONNX's NonMaxSuppression gives as many boxes as it keeps, and one image has one list of them for each class",
     "suppress"),
    ("it is an operator of MXNet's own", "mxnet_gradient mxnet_operator"),
    ("loops are found when a graph is compiled, and an exported one is not", "recurrence"),
    ("it is a Python function", "host_call"),
]  # fmt: skip

WITHOUT_LOWERING = {name: sentence for sentence, names in _LISTS for name in names.split()}
