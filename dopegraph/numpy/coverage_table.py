"""What `docs/coverage.py` measured; do not edit."""

_TRACED = """
abs absolute acos acosh add all amax amin angle any append apply_along_axis apply_over_axes arange arccos arccosh
arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort around array array_split asanyarray asarray
asarray_chkfinite ascontiguousarray asfortranarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d
average bartlett bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
bitwise_right_shift bitwise_xor blackman block broadcast_arrays broadcast_to cbrt ceil choose clip column_stack
compress concat concatenate conj conjugate convolve copy copysign copyto corrcoef correlate cos cosh count_nonzero cov
cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag diag_indices diag_indices_from
diagflat diagonal diff digitize divide divmod dot dsplit dstack ediff1d einsum empty equal exp exp2 expand_dims expm1
extract eye fabs fft.fft fft.fft2 fft.fftfreq fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn
fft.ifftshift fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftfreq fft.rfftn fill_diagonal fix
flip fliplr flipud float_power floor floor_divide fmax fmin fmod frexp fromfunction fromiter full full_like gcd
geomspace gradient greater greater_equal hamming hanning heaviside histogram histogram2d histogram_bin_edges
histogramdd hsplit hstack hypot i0 identity imag indices inner insert interp invert isclose iscomplex isfinite isin
isinf isnan isneginf isposinf isreal ix_ kaiser kron lcm ldexp left_shift less less_equal lexsort linalg.cholesky
linalg.cond linalg.cross linalg.det linalg.diagonal linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv linalg.lstsq
linalg.matmul linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose linalg.multi_dot
linalg.norm linalg.outer linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensordot
linalg.tensorinv linalg.tensorsolve linalg.trace linalg.vecdot linalg.vector_norm linspace log log10 log1p log2
logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace matmul matrix_transpose matvec max
maximum mean median meshgrid min minimum mod modf moveaxis multiply nan_to_num nanargmax nanargmin nancumprod
nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar negative nextafter
nonzero not_equal ones ones_like outer pad partition percentile permute_dims piecewise place poly polyadd polyder
polyint polymul polysub polyval positive pow power prod ptp put put_along_axis putmask quantile rad2deg radians
random.beta random.binomial random.chisquare random.choice random.dirichlet random.exponential random.f random.gamma
random.geometric random.gumbel random.hypergeometric random.laplace random.logistic random.lognormal random.logseries
random.multinomial random.multivariate_normal random.negative_binomial random.noncentral_chisquare random.noncentral_f
random.normal random.pareto random.permutation random.poisson random.power random.rand random.randint random.randn
random.random random.random_sample random.ranf random.rayleigh random.sample random.shuffle random.standard_cauchy
random.standard_exponential random.standard_gamma random.standard_normal random.standard_t random.triangular
random.uniform random.vonmises random.wald random.weibull random.zipf ravel ravel_multi_index real real_if_close
reciprocal remainder repeat require reshape resize right_shift rint roll rollaxis rot90 round searchsorted select sign
signbit sin sinc sinh sort sort_complex spacing split sqrt square squeeze stack std subtract sum swapaxes take
take_along_axis tan tanh tensordot tile trace transpose trapezoid tri tril tril_indices tril_indices_from trim_zeros
triu triu_indices triu_indices_from true_divide trunc unravel_index unstack unwrap vander var vdot vecdot vecmat
vsplit vstack where zeros zeros_like
"""
_DIFFERENTIABLE = """
abs absolute acos acosh add amax amin angle append apply_along_axis apply_over_axes arccos arccosh arcsin arcsinh
arctan arctan2 arctanh array array_split asanyarray asarray ascontiguousarray asfortranarray asin asinh astype atan
atan2 atanh atleast_1d atleast_2d atleast_3d average block broadcast_arrays broadcast_to cbrt choose clip column_stack
compress concat concatenate conj conjugate convolve copy copysign copyto corrcoef correlate cos cosh cov cross cumprod
cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag diagflat diagonal diff divide divmod dot dsplit
dstack ediff1d einsum exp exp2 expand_dims expm1 extract fabs fft.fft fft.fft2 fft.fftn fft.fftshift fft.hfft fft.ifft
fft.ifft2 fft.ifftn fft.ifftshift fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn fill_diagonal
flip fliplr flipud float_power fmax fmin fmod frexp full full_like gradient heaviside histogram histogram2d hsplit
hstack hypot i0 imag inner insert interp kron ldexp linalg.cholesky linalg.cond linalg.cross linalg.det
linalg.diagonal linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv linalg.lstsq linalg.matmul linalg.matrix_norm
linalg.matrix_power linalg.matrix_transpose linalg.multi_dot linalg.norm linalg.outer linalg.pinv linalg.qr
linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensordot linalg.tensorinv linalg.tensorsolve
linalg.trace linalg.vecdot linalg.vector_norm linspace log log10 log1p log2 logaddexp logaddexp2 logspace matmul
matrix_transpose matvec max maximum mean median meshgrid min minimum mod modf moveaxis multiply nan_to_num nancumprod
nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar negative outer pad
partition percentile permute_dims piecewise place poly polyadd polyder polyint polysub polyval positive pow power prod
ptp put put_along_axis putmask quantile rad2deg radians random.beta random.chisquare random.choice random.dirichlet
random.exponential random.f random.gamma random.gumbel random.laplace random.logistic random.lognormal
random.multivariate_normal random.noncentral_chisquare random.noncentral_f random.normal random.pareto
random.permutation random.power random.rayleigh random.shuffle random.standard_gamma random.standard_t
random.triangular random.uniform random.vonmises random.wald random.weibull ravel real real_if_close reciprocal
remainder repeat require reshape resize roll rollaxis rot90 select sin sinc sinh sort sort_complex split sqrt square
squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose trapezoid tril
triu true_divide unstack unwrap vander var vdot vecdot vecmat vsplit vstack where
"""
_MXNET = """
abs absolute acos acosh add all amax amin angle any append apply_along_axis apply_over_axes arange arccos arccosh
arcsin arcsinh arctan arctan2 arctanh argmax argmin around array array_split asanyarray asarray asarray_chkfinite
ascontiguousarray asfortranarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d average bartlett
bitwise_and bitwise_invert bitwise_not bitwise_or bitwise_xor blackman block broadcast_arrays broadcast_to cbrt ceil
clip column_stack compress concat concatenate conj conjugate copy copyto corrcoef cos cosh count_nonzero cov cross
cumsum cumulative_sum deg2rad degrees delete diag diag_indices diag_indices_from diagflat diagonal diff divide divmod
dot dsplit dstack ediff1d einsum equal exp exp2 expand_dims expm1 extract eye fabs fft.fftfreq fft.fftn fft.fftshift
fft.ifftshift fft.rfftfreq fill_diagonal fix flip fliplr flipud float_power floor floor_divide fmax fmin fromfunction
fromiter full full_like geomspace gradient greater greater_equal hamming hanning heaviside histogram_bin_edges hsplit
hstack hypot identity imag indices inner insert interp invert isclose iscomplex isfinite isin isinf isnan isneginf
isposinf isreal ix_ kaiser kron less less_equal linalg.cross linalg.det linalg.diagonal linalg.matmul
linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose linalg.multi_dot linalg.norm
linalg.outer linalg.tensordot linalg.trace linalg.vecdot linalg.vector_norm linspace log log10 log1p log2 logaddexp
logaddexp2 logical_and logical_not logical_or logical_xor logspace matmul matrix_transpose matvec max maximum mean
meshgrid min minimum mod moveaxis multiply nan_to_num nanargmax nancumsum nanmax nanmean nanmin nanprod nanstd nansum
nanvar negative nonzero not_equal ones ones_like outer pad permute_dims piecewise place polyadd polyder polyint
polysub polyval positive pow power prod ptp put putmask rad2deg radians ravel real real_if_close reciprocal remainder
repeat require reshape resize rint roll rollaxis rot90 round select sign sin sinc sinh split sqrt square squeeze stack
std subtract sum swapaxes take tan tanh tensordot tile trace transpose trapezoid tri tril tril_indices
tril_indices_from trim_zeros triu triu_indices triu_indices_from true_divide trunc unstack unwrap vander var vdot
vecdot vecmat vsplit vstack where zeros zeros_like
"""

TRACED = frozenset(_TRACED.split())
DIFFERENTIABLE = frozenset(_DIFFERENTIABLE.split())
MXNET = frozenset(_MXNET.split())
