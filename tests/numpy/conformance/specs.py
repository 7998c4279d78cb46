"""How the arguments of every function are drawn: one line for each kind of call, in a small language.

A line is ``names : arguments``. A name is a path in the namespace (``linalg.det``, ``add.reduce``), a method (``.sum``),
an operator (``operator.iadd``), or a key of `PROGRAMS`, for calls whose arguments cannot be drawn in order.
An argument is ``keyword=strategy?``: with ``=`` it is passed by keyword, with ``?`` only at times (by keyword then, under
the strategy's name if no other is given). A strategy is a name of `strategies.STRATEGIES` with options after dots
(``x.f.2``: an array of floats with two axes), or, in braces, what to choose from (``{None,2,'max'}``).
``out`` is made when NumPy's result is known.
"""

# ruff: noqa: E501, SIM905 - a line of the table is a line of the file

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LINES = r"""
abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh : x out? where=mask? dtype?
cbrt ceil conj conjugate cos cosh deg2rad degrees exp exp2 expm1 fabs floor : x out? where=mask? dtype?
isfinite isinf isnan log log10 log1p log2 logical_not negative positive : x out? where=mask? dtype?
rad2deg radians reciprocal rint sign signbit sin sinh spacing sqrt square tan tanh trunc : x out? where=mask? dtype?
bitwise_count bitwise_invert bitwise_not invert : x.bui out? where=mask?
add subtract multiply divide true_divide arctan2 atan2 copysign floor_divide fmax fmin fmod heaviside : x y out? where=mask? dtype?
hypot logaddexp logaddexp2 maximum minimum mod nextafter remainder : x y out? where=mask? dtype?
equal greater greater_equal less less_equal not_equal logical_and logical_or logical_xor : x y out? where=mask?
power pow float_power : x.tame y.tame.iufc out? where=mask? dtype?
bitwise_and bitwise_or bitwise_xor gcd lcm : x.bui y.bui out? where=mask?
left_shift right_shift bitwise_left_shift bitwise_right_shift : x.ui.tame y.ui.tame out?
ldexp : x.fib y.i.tame out?
divmod : x y where=mask?
frexp modf : x out? where=mask?
add.reduce multiply.reduce maximum.reduce minimum.reduce : x.nonempty axis=axes? keepdims=bool? dtype?
logical_and.reduce logical_or.reduce fmax.reduce fmin.reduce subtract.reduce hypot.reduce : x.nonempty.biuf axis=axis.none? keepdims=bool?
add.accumulate multiply.accumulate maximum.accumulate subtract.accumulate logical_or.accumulate : x.finite axis=axis? dtype?
add.outer multiply.outer less.outer power.outer : x.tame.fc y.tame.array
add.reduceat maximum.reduceat : x.1+.nonempty.tame positions.0.natural.1
add.at subtract.at maximum.at : x.1+.tame.fi positions.0 number.i

all any : x axis=axes? keepdims=bool? out? where=mask?
sum prod : x axis=axes? keepdims=bool? dtype? out? where=mask? initial=number?
max min amax amin : x axis=axes? keepdims=bool? out? initial=number?
max_where : x axis=axes? where=mask initial=number
ptp : x axis=axes? keepdims=bool? out?
mean : x.moderate axis=axes? keepdims=bool? dtype.fc? out? where=mask?
std var : x.moderate axis=axes? keepdims=bool? dtype.fc? ddof={0,1,1.5,3}? where=mask?
std_correction var_mean : x axis=axes? number.f
argmax argmin : x axis=axis.none? keepdims=bool? out?
count_nonzero : x axis=axes? keepdims=bool?
cumsum cumprod : x axis=axis.none? dtype? out?
cumulative_sum cumulative_prod : x axis=axis.none? dtype? include_initial=bool?
nansum nanprod nanmean : x axis=axes? keepdims=bool?
nanmax nanmin : x axis=axes? keepdims=bool? initial=number?
nanstd nanvar : x axis=axes? keepdims=bool? ddof={0,1}?
nanargmax nanargmin : x axis=axis.none? keepdims=bool?
nancumsum nancumprod : x axis=axis.none? dtype?
median nanmedian : x.biuf.moderate axis=axes? keepdims=bool? overwrite_input={False}?
percentile nanpercentile : x.biuf {0,50,100,33.3,[25,75],[[0,100],[50,10]],101,-1} axis=axes? keepdims=bool? method={'linear','lower','higher','nearest','midpoint','hazen','weibull','median_unbiased'}?
quantile nanquantile : x.f {0,.5,1,.3,[.25,.75],1.5} axis=axes? keepdims=bool? method={'linear','inverted_cdf','averaged_inverted_cdf','closest_observation','interpolated_inverted_cdf','normal_unbiased'}?
average : x.tame axis=axes? keepdims=bool? returned=bool?
average_weighted : x.tame same.f.tame axis=axes? keepdims=bool? returned=bool?
cov corrcoef : x.tame rowvar=bool?
cov_more : x.2.tame same.tame? ddof={0,1,2}? bias=bool?
histogram histogram_bin_edges : x.biuf.tame bins={3,10,[0,1,2,5],[-2.,-.5,0,3]}? range={(0,3),(-2,2.5)}?
histogram : x.biuf.tame bins={3,[0,1,4]}? density=bool? weights=same.f.tame?
histogram2d : x.f.1.tame same.f.tame bins={3,(2,3)}? density=bool?
histogramdd : x.f.2.tame bins={3}? density=bool?
bincount : x.ui.1.tame weights=same.f.tame? minlength={0,3,12}?
digitize : x.biuf {[0,1,2],[3.,1.,-1.],[0],[0,2,1]} right=bool?
interp : x.biuf.tame {[-1,0,2],[0.,.5,1.]} {[1,2,3],[0.5,-1,7],[1j,2,3]} left={0,-5.}? right={9}? period={2.5}?
searchsorted : x.1.sorted.biuf y.biuf side={'left','right'}?
trapezoid : x.tame axis=axis? dx={2,.5}?
diff : x n={0,1,2,3}? axis=axis? prepend=number? append=number?
ediff1d : x to_end=number? to_begin=number?
gradient : x.tame.fi axis=axes? edge_order={1,2}?
gradient_spaced : x.tame.f.1+ {2.,.5}
cross : x.tame.fic same.tame axis={-1,0}?
convolve correlate : x.1.tame x.1.tame mode={'full','same','valid'}?
i0 sinc : x.biuf
nan_to_num : x copy=bool? nan=number.f? posinf=number.f? neginf=number.f?
unwrap : x.fi.tame axis=axis? discont={None,4.}? period={4,5.}?
angle : x deg=bool?
real imag iscomplex isreal iscomplexobj isrealobj : x
real_if_close : x tol={100,1e9}?
fix isneginf isposinf : x.biuf out?
clip : x.biuf fill fill out?
clip : x.c.tame y.tame y.tame
clip_named : x min=number? max=number? dtype?
around round : x decimals={0,1,-1,2}? out?
allclose isclose : x y rtol={.1,0}? atol={0,1}? equal_nan=bool?
array_equal : x same equal_nan=bool?
array_equiv : x y
isin : x y.array assume_unique={False}? invert=bool? kind={None,'sort'}?
intersect1d : x x assume_unique={False}? return_indices=bool?
setdiff1d setxor1d union1d : x x
unique : x axis=axis.none? return_index=bool? return_inverse=bool? return_counts=bool? equal_nan=bool?
unique_all unique_counts unique_inverse unique_values : x

sort : x axis=axis.none? kind={'stable','quicksort',None}? stable=bool?
argsort : x axis=axis.none? kind={'stable'}
partition_sorted argpartition_taken : x.1+.nonempty.biuf axis=axis?
sort_complex : x
lexsort : alike axis=axis?
nonzero argwhere flatnonzero : x

reshape : x new_shape order={'C','F','A'}? copy={None,True}?
ravel : x order={'C','F','A','K'}?
transpose permute_dims : x axes=permutation?
matrix_transpose : x
swapaxes : x axis axis
moveaxis : x axis axis
moveaxis_many : x two_axes two_axes
rollaxis : x axis start=axis?
expand_dims : x axis.1
expand_dims_many : x {(0,1),(0,-1),(1,1),(0,2),()}
squeeze : x axis=axes?
atleast_1d atleast_2d atleast_3d : x
broadcast_to : x wider_shape
broadcast_arrays : x y.array
broadcast_shapes : shape shape
flip : x axis=axes?
fliplr flipud : x
rot90 : x k={0,1,2,3,-1}? axes=two_axes?
roll : x shifted axis=axis.none?
roll_many : x {(1,2),(1,-1),(0,1)} axis=two_axes
tile : x {0,1,2,(2,1),(1,2,1),()}
repeat : x {0,1,2,[1],-1} axis=axis.none?
repeat_each : x.1+ {2,3} axis
resize : x shape
trim_zeros : x.1 trim={'f','b','fb'}?
concatenate concat : alike.axis axis=axis.none? dtype? casting={'same_kind','unsafe'}?
stack : alike axis=axis.1? dtype?
unstack : x axis=axis?
vstack hstack dstack column_stack : alike.axis
block : alike.axis
split array_split : x {1,2,3,[1],[1,2],[-1],[]} axis=axis?
hsplit vsplit dsplit : x {1,2,[1]}
append : x x axis=axis.none?
insert : x positions.0.1 number axis=axis.none?
insert_one : x {0,1,-1,5} fill axis=axis.none?
delete : x {0,-1,[0],[0,-1],[],5,slice(0,1)} axis=axis.none?
pad : x pad_width mode={'constant','edge','reflect','symmetric','wrap','empty','maximum','mean','minimum','linear_ramp'}?
diag : x k={0,1,-1,5}?
diagflat : x k={0,1,-1}?
diagonal : x offset={0,1,-1,4}?
diagonal_axes trace_axes : x.2+ two_axes offset={0,1}?
trace : x offset={0,1,-1}? dtype?
tril triu : x k={0,1,-2}?
fill_diagonal : x.2+ fill wrap=bool?
vander : x.1.tame N={None,0,2,4}? increasing=bool?
meshgrid : x.1 x.1 indexing={'xy','ij'}? sparse=bool? copy={True}?
ix_ : x.1.i x.1.i
copy : x order={'C','F','K'}?
astype : x dtype copy=bool?

take : x positions.flat axis={None}? mode={'raise','wrap','clip'}? out?
take_axis : x positions.any axis=axis mode={'raise','wrap','clip'}?
take_along_axis : x along axis={-1}
put_along_axis : x along {0,7} axis={-1}
put : x positions.flat {5,[1,2],[1.5]} mode={'raise','wrap','clip'}?
putmask place : x mask {[5],[1,2,3],[7]}
copyto : x y casting={'same_kind','unsafe'}? where=mask?
compress : {[True,False,True],[True],[False,False]} x axis=axis.none?
extract : x mask
choose : x.i.natural choices mode={'raise','wrap','clip'}?
select : x
where : x y fill
where_nonzero : x
piecewise : x.fi
unravel_index : x.i.small {(3,4),12,(2,3,2)} order={'C','F'}?
ravel_multi_index : x.i.small.1 mode={'raise','wrap','clip'}?
apply_along_axis : x.1+.tame axis
apply_over_axes : x.tame axes
tri : {0,2,3} {None,4} k={0,1,-1}?
eye : {0,2,3} {None,4} k={0,1,-1}? dtype? order={'C','F'}?
identity : {0,1,3,-1} dtype?
diag_indices : {0,2,3} ndim={1,2,3}?
diag_indices_from : x.square
tril_indices triu_indices : {0,2,3} k={0,1,-1}? m={None,2,4}?
tril_indices_from triu_indices_from : x.2 k={0,1,-1}?
mask_indices : {2,3}
indices : {(2,3),(0,),(),(2,)} dtype=dtype.if? sparse=bool?
zeros ones : shape dtype? order={'C','F'}?
empty_shape : shape dtype?
full : shape number dtype?
full_array : x wider_shape
zeros_like ones_like : x dtype? shape=shape? order={'C','K'}?
empty_like_shape : x dtype? shape=shape?
full_like : x fill dtype? shape=shape?
arange : {0,3,-2,1.5,-1} {4,2.5,0,-3} {1,.5,-1,2} dtype=dtype.if?
arange : {0,3,7.5,-2,True}
linspace : number.f number.i {0,1,5,-1} endpoint=bool? retstep=bool? dtype=dtype.fic?
linspace : x.tame y.tame {0,1,4} axis={0,-1}? endpoint=bool?
logspace : {0,1,-1.} {2,3.} num={0,1,4}? base={2,3.}? endpoint=bool?
geomspace : {1,2.,-1,1j} {8,100.,-3} num={0,1,4}? endpoint=bool?
array asarray asanyarray : x dtype? order={'C','F','K'}? copy={None,True}? ndmin={0,3}?
array_of_numbers : {[1,2.5],[],[[1],[2]],3,2.5,1j,True,[[True,2]],[1,[2]],(1,2)} dtype? ndmin={0,3}?
asarray_chkfinite : x dtype?
ascontiguousarray asfortranarray : x dtype?
require : x dtype? requirements={None,'C',['C','W']}?
fromfunction : {(2,3),(3,)} dtype=dtype.fi?
bartlett blackman hamming hanning : {0,1,2,5,-1,4.5}
kaiser : {0,1,5} {0,8.6,2}
packbits : x.b axis=axis.none? bitorder={'big','little'}?
unpackbits : x.u axis=axis.none? bitorder={'big','little'}? count={None,3}?

poly roots : x.1.tame.fi
polyadd polysub polymul polydiv : x.1.tame.fi x.1.tame.fi
polyder : x.1.tame m={0,1,2}?
polyint : x.1.tame m={0,1,2}? k={None,1}?
polyval : x.1.tame.fi x.tame
polyfit : x.1.normal.f.full same.f.tame {1,2,0} full={False}?

dot inner : x.tame factor
matmul vecdot matvec vecmat linalg.matmul : x.tame factor
linalg.vecdot : x.tame factor.vec axis={-1}?
linalg.matmul : x.tame factor
outer linalg.outer : x.tame x.tame
vdot : x.tame same.tame
kron : x.tame.small x.tame.small
tensordot linalg.tensordot : x.tame factor axes={0,1,2,([0],[0]),(-1,0)}?
einsum_one : {'ii','ij->ji','ij->i','...i->...','i','ij','ii->i','ijk->ik'} x.tame
einsum_two : {'ij,jk','ij,jk->ik','i,i','...ij,...jk->...ik','i,j->ij','ij,j'} x.tame factor
linalg.cross : x.tame.fic same.tame axis={-1,0}?
linalg.det linalg.inv linalg.slogdet linalg.eigvals : x.square.full
linalg.det linalg.inv linalg.cond linalg.pinv linalg.cholesky : x.tame.fi
eig_rebuilt : x.square.full.fic
eigh_rebuilt : x.square.full.fic UPLO={'L','U'}?
svd_rebuilt : x.2+.full.fic full_matrices={False}
svd_shapes : x.2+.full.fic full_matrices=bool? compute_uv=bool?
qr_rebuilt : x.2+.full.fic mode={'reduced','complete'}?
linalg.qr : x.2+.full.fc mode={'r','bad'}
linalg.eigvalsh : x.square.full UPLO={'L','U'}?
linalg.svdvals : x.2+.full
cholesky_definite : x.square.full.fic upper=bool?
linalg.cond : x.square.full p={None,1,2,-2,'fro','nuc'}?
linalg.solve : x.square.full tall
linalg.lstsq : x.2.full.fi {[1.,2.],[1,2,3]}
linalg.matrix_norm : x.tame ord={'fro','nuc',1,-1,2,-2}? keepdims=bool?
linalg.vector_norm : x.tame axis=axes? ord={2,1,0,3,-1,float('inf')}? keepdims=bool?
linalg.norm : x.tame ord={None,1,2,'fro','nuc',0,float('inf'),-2}? axis={None,0,-1,(0,1),(-2,-1)}? keepdims=bool?
linalg.matrix_power : x.square.full {0,1,2,3,-1,5}
linalg.matrix_rank : x.tame.fi tol={None,.1}? hermitian={False}?
linalg.matrix_transpose linalg.diagonal : x offset={0,1}?
linalg.trace : x offset={0,1}? dtype?
linalg.multi_dot : alike.2.tame.fi
linalg.pinv : x.square.full
linalg.tensorinv tensorsolve : x.square.full

fft.fft fft.ifft : x.finite n={None,0,2,5,3}? axis=axis? norm={None,'ortho','forward','backward','bad'}?
fft.hfft : x.finite.nonempty n={None,0,2,5,3}? axis=axis? norm={None,'ortho','forward','backward','bad'}?
fft.rfft fft.ihfft : x.finite.biuf n={None,2,5}? axis=axis? norm={None,'ortho','forward'}?
fft.irfft : x.finite.nonempty n={None,2,5}? axis=axis? norm={None,'ortho'}?
fft.fft2 fft.ifft2 fft.irfft2 : x.tame.nonempty s={None,(2,3),(3,2)}? axes=two_axes? norm={None,'ortho'}?
fft.rfft2 : x.tame.biuf s={None,(2,3),(3,2)}? axes=two_axes? norm={None,'ortho'}?
fft.fftn fft.ifftn fft.irfftn : x.tame.nonempty axes=two_axes? norm={None,'ortho'}?
fft.rfftn : x.tame.biuf axes=two_axes? norm={None,'ortho'}?
fft.fftshift fft.ifftshift : x axes=axes?
fft.fftfreq fft.rfftfreq : {1,4,5,0} d={1.,.5}?

ndim shape size : x
size_axis : x axis
isscalar iterable : x
isfortran : x
result_type : x y dtype
can_cast : dtype dtype casting={'safe','same_kind','no'}?
promote_types : dtype dtype
isdtype : dtype {'real floating','integral','bool','numeric',('bool','complex floating')}
issubdtype : dtype {'floating','integer'}
min_scalar_type : number
common_type : x x
may_share_memory shares_memory : x x
mintypecode : {['f','d'],['i','F']}
typename : {'f','d','?'}
base_repr : {5,-12,0} {2,8,16}
binary_repr : {5,-12,0} width={None,9}?

.all .any : x axis=axes? keepdims=bool? out? where=mask?
.sum .prod : x axis=axes? keepdims=bool? dtype? out? where=mask? initial=number?
.max .min : x axis=axes? keepdims=bool? initial=number?
.mean : x axis=axes? keepdims=bool? dtype.fc? where=mask?
.std .var : x axis=axes? keepdims=bool? ddof={0,1}?
.argmax .argmin : x axis=axis.none? keepdims=bool?
.cumsum .cumprod : x axis=axis.none? dtype? out?
.round : x decimals={0,1,-1}?
.clip : x fill fill
.conj .conjugate .copy .tolist .nonzero .tobytes .real .imag .T .mT .flatten_F .flags_contiguous : x
.item .contains .bool .int .float .complex .index .len .iter_list : x
.item_at : x positions.flat
.astype : x dtype copy=bool? casting={'unsafe','same_kind','safe'}?
.reshape : x new_shape order={'C','F','A'}?
.reshape_spread : x new_shape
.ravel : x order={'C','F','K'}?
.flatten : x order={'C','F','K'}?
.transpose : x
.transpose_axes : x permutation
.swapaxes : x axis axis
.squeeze : x axis=axes?
.diagonal : x offset={0,1,-1}?
.trace : x offset={0,1,-1}? dtype?
.repeat : x {0,1,2,[1]} axis=axis.none?
.take : x positions.flat mode={'raise','wrap','clip'}?
.compress : x {[True,False,True],[True]} axis=axis.none?
.choose : x.i.natural choices
.searchsorted : x.1.sorted.biuf y.biuf side={'left','right'}?
.dot : x.tame factor
.sort_in_place : x axis=axis? kind={'stable'}
.argsort : x axis=axis.none? kind={'stable'}
.partition_in_place : x.1.biuf.nonempty {0,-1}
.fill : x number
.put : x positions.flat {5,[1,2]} mode={'raise','wrap','clip'}?
.byteswap : x
.view_dtype : x.contiguous dtype
.view : x
.resize_in_place : x shape
.to_device : x {'cpu'}
.itemsize .nbytes .ndim .size .shape .strides .dtype : x
.set_real .set_imag .set_flat : x y
.flat_list .flat_copy : x
.flat_item : x positions.flat
.flat_assign : x positions.flat number

operator.neg operator.pos operator.abs operator.invert : x
operator.add operator.sub operator.mul operator.truediv operator.floordiv operator.mod divmod_operator : x y
operator.and_ operator.or_ operator.xor : x.bui y.bui
operator.lshift operator.rshift : x.ui.tame y.ui.tame
operator.pow : x.tame y.tame
operator.matmul : x.tame factor
operator.eq operator.ne operator.lt operator.le operator.gt operator.ge : x y
operator.iadd operator.isub operator.imul operator.itruediv operator.ifloordiv operator.imod : x.1+ y
operator.ipow : x.1+.tame y.tame
operator.iand operator.ior operator.ixor operator.ilshift operator.irshift : x.1+.bui.tame y.bui.tame
operator.imatmul : x.square.tame factor
radd rsub rmul rtruediv rfloordiv rmod rdivmod rlt req : x number
rpow : x.tame number
rand ror rxor rlshift rrshift : x.bui.tame number.bi
rmatmul : x.tame {[1,2,3],[[1.,2.],[3.,4.]],2}
add_list mul_list eq_list : x {[1,2,3],[1.5],[True],[[1,2,3],[4,5,6]]}
getitem : x index
getitem_twice : x.1+ index.basic
setitem : x index fill
setitem_array : x index y.array
setitem_view : x.2+ index.basic number
iadd_item : x index number
delitem : x.1+
setitem_overlapping : x.1+
"""


@dataclass(frozen=True)
class Argument:
    """One argument of a line."""

    strategy: str
    options: tuple[str, ...]
    keyword: str | None
    optional: bool


@dataclass(frozen=True)
class Spec:
    """A function and how its arguments are drawn; `function` takes the namespace first."""

    name: str
    arguments: tuple[Argument, ...]
    function: Callable[..., Any]


def argument_of(token: str) -> Argument:
    """Read one argument."""
    optional = token.endswith("?")
    token = token.rstrip("?")
    keyword, equals, rest = token.partition("=")
    if not equals or not keyword.isidentifier():
        keyword, rest = "", token
    strategy, options = (rest, ()) if rest.startswith("{") else (rest.split(".")[0], tuple(rest.split(".")[1:]))
    return Argument(strategy, options, keyword or (strategy if optional else None), optional)


def path_of(name: str) -> Callable[..., Any]:
    """What a name means, as a function that takes the namespace first."""
    if name in PROGRAMS:
        return PROGRAMS[name]
    if name.startswith("operator."):
        function = getattr(operator, name.partition(".")[2])
        return lambda np, *args: function(*args)
    if name.startswith("."):
        method = name[1:]
        return lambda np, x, *args, **kwargs: getattr(x, method)(*args, **kwargs)
    parts = name.split(".")

    def call(np: Any, *args: Any, **kwargs: Any) -> Any:
        found = np
        for part in parts:
            found = getattr(found, part)
        return found(*args, **kwargs)

    return call


def _tuple_max(np: Any, x: Any, **kwargs: Any) -> Any:
    return np.max(x, **kwargs), np.min(x, **kwargs)


def _in_place(method: str) -> Callable[..., Any]:
    def run(np: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, method)(*args, **kwargs)

    return run


def _partitioned(np: Any, x: Any, axis: int = -1) -> Any:
    """Only what partitioning promises: the element in its place, and which are on its sides."""
    kth = x.shape[axis] // 2
    return np.sort(np.partition(x, kth, axis=axis), axis=axis), np.take(np.partition(x, kth, axis=axis), kth, axis=axis)


def _argpartitioned(np: Any, x: Any, axis: int = -1) -> Any:
    kth = x.shape[axis] // 2
    chosen = np.take_along_axis(x, np.argpartition(x, kth, axis=axis), axis)
    return np.take(chosen, kth, axis=axis)


def _partition_in_place(np: Any, x: Any, kth: int) -> Any:
    x.partition(kth)
    return x[kth], x.sort()


def _svd(np: Any, x: Any, **kwargs: Any) -> Any:
    u, s, v = np.linalg.svd(x, **kwargs)
    return s, np.matmul(u * s[..., None, :], v)


def _svd_shapes(np: Any, x: Any, **kwargs: Any) -> Any:
    result = np.linalg.svd(x, **kwargs)
    return [(one.shape, one.dtype) for one in result] if isinstance(result, tuple) else result


def _qr(np: Any, x: Any, **kwargs: Any) -> Any:
    q, r = np.linalg.qr(x, **kwargs)
    return np.matmul(q, r), q.shape, r.shape, q.dtype


def _eig(np: Any, x: Any) -> Any:
    """The eigenvalues' order is LAPACK's; what they promise does not depend on it."""
    values, vectors = np.linalg.eig(x)
    return values.dtype, vectors.shape, abs(np.matmul(x, vectors) - vectors * values[..., None, :]) < 1e-3


def _eigh(np: Any, x: Any, **kwargs: Any) -> Any:
    values, vectors = np.linalg.eigh(x, **kwargs)
    rebuilt = np.matmul(vectors * values[..., None, :], np.conj(np.swapaxes(vectors, -1, -2)))
    return values, rebuilt


def _definite(np: Any, x: Any, **kwargs: Any) -> Any:
    square = np.matmul(x, np.conj(np.swapaxes(x, -1, -2))) + np.eye(x.shape[-1], dtype="float32")
    return np.linalg.cholesky(square, **kwargs)


def _delete(np: Any, x: Any) -> None:
    del x[0]


def _set(name: str) -> Callable[..., Any]:
    def run(np: Any, x: Any, value: Any) -> Any:
        setattr(x, name, value)
        return x

    return run


def _setitem(np: Any, x: Any, index: Any, value: Any) -> Any:
    x[index] = value
    return x


def _setitem_view(np: Any, x: Any, index: Any, value: Any) -> Any:
    y = x[1:].T
    y[index] = value
    return x, y


def _iadd_item(np: Any, x: Any, index: Any, value: Any) -> Any:
    x[index] += value
    return x


def _overlapping(np: Any, x: Any) -> Any:
    x[1:] = x[:-1]
    return x


def _flat_assign(np: Any, x: Any, index: Any, value: Any) -> Any:
    x.flat[index] = value
    return x


def _kind(x: Any) -> Any:
    return x.shape, x.dtype


def _square(y: Any) -> Any:
    return y * 2


def _resize(np: Any, x: Any, shape: Any) -> Any:
    y = np.array(x, order="C")
    y.resize(shape, refcheck=False)
    return y


PROGRAMS: dict[str, Callable[..., Any]] = {
    "max_where": _tuple_max,
    "std_correction": lambda np, x, number, **kwargs: np.std(x, correction=1, **kwargs),
    "var_mean": lambda np, x, number, **kwargs: np.var(x, mean=number, **kwargs),
    "average_weighted": lambda np, x, weights, **kwargs: np.average(x, weights=weights, **kwargs),
    "cov_more": lambda np, x, same=None, **kwargs: np.cov(x, same, **kwargs),
    "gradient_spaced": lambda np, x, step: np.gradient(x, step),
    "clip_named": lambda np, x, **kwargs: np.clip(x, **kwargs),
    "partition_sorted": _partitioned,
    "argpartition_taken": _argpartitioned,
    "moveaxis_many": lambda np, x, a, b: np.moveaxis(x, a, b),
    "expand_dims_many": lambda np, x, axes: np.expand_dims(x, axes),
    "roll_many": lambda np, x, shift, **kwargs: np.roll(x, shift, **kwargs),
    "repeat_each": lambda np, x, n, axis: np.repeat(x, [i % n for i in range(x.shape[axis])], axis=axis),
    "insert_one": lambda np, x, where, value, **kwargs: np.insert(x, where, value, **kwargs),
    "diagonal_axes": lambda np, x, axes, **kwargs: np.diagonal(x, axis1=axes[0], axis2=axes[1], **kwargs),
    "trace_axes": lambda np, x, axes, **kwargs: np.trace(x, axis1=axes[0], axis2=axes[1], **kwargs),
    "take_axis": lambda np, x, indices, **kwargs: np.take(x, indices, **kwargs),
    "select": lambda np, x: np.select([x == 0, x != 1], [x, x + x], 7),
    "unique_values": lambda np, x: np.sort(np.unique_values(x)),  # in no order
    "where_nonzero": lambda np, x: np.where(x),
    "piecewise": lambda np, x: np.piecewise(x, [x < 0, x >= 1], [_square, 5, 0]),
    "where": lambda np, x, y, z: np.where(x, y, z),
    "ravel_multi_index": lambda np, x, **kwargs: np.ravel_multi_index((x, x), (4, 5), **kwargs),
    "apply_along_axis": lambda np, x, axis: np.apply_along_axis(np.cumsum, axis, x),
    "apply_over_axes": lambda np, x, axes: np.apply_over_axes(np.sum, x, axes),
    "extract": lambda np, x, mask: np.extract(mask, x),
    "mask_indices": lambda np, n: np.mask_indices(n, np.triu),
    "empty_shape": lambda np, shape, **kwargs: _kind(np.empty(shape, **kwargs)),
    "empty_like_shape": lambda np, x, **kwargs: _kind(np.empty_like(x, **kwargs)),
    "full_array": lambda np, x, shape: np.full(shape, x),
    "array_of_numbers": lambda np, x, **kwargs: np.array(x, **kwargs),
    "fromfunction": lambda np, shape, **kwargs: np.fromfunction(lambda *i: sum(i) * 2, shape, **kwargs),
    "einsum_one": lambda np, subscripts, x: np.einsum(subscripts, x),
    "einsum_two": lambda np, subscripts, x, y: np.einsum(subscripts, x, y),
    "eig_rebuilt": _eig,
    "eigh_rebuilt": _eigh,
    "svd_rebuilt": _svd,
    "svd_shapes": _svd_shapes,
    "qr_rebuilt": _qr,
    "cholesky_definite": _definite,
    "tensorsolve": lambda np, x: np.linalg.tensorsolve(x, x[..., 0]),
    "linalg.multi_dot": lambda np, arrays: np.linalg.multi_dot(
        [one if i % 2 else one.T for i, one in enumerate(arrays)]
    ),
    "size_axis": lambda np, x, axis: np.size(x, axis),
    "isdtype": lambda np, dtype, kind: np.isdtype(np.dtype(dtype), kind),
    "issubdtype": lambda np, dtype, kind: np.issubdtype(dtype, getattr(np, kind)),
    ".real": lambda np, x: x.real,
    ".imag": lambda np, x: x.imag,
    ".T": lambda np, x: x.T,
    ".mT": lambda np, x: x.mT,
    ".flatten_F": lambda np, x: x.flatten("F"),
    ".flags_contiguous": lambda np, x: bool(x.flags.writeable),
    ".contains": lambda np, x: 1 in x,
    ".bool": lambda np, x: bool(x),
    ".int": lambda np, x: int(x),
    ".float": lambda np, x: float(x),
    ".complex": lambda np, x: complex(x),
    ".index": lambda np, x: operator.index(x),
    ".len": lambda np, x: len(x),
    ".iter_list": lambda np, x: [one + 1 for one in x],
    ".item_at": lambda np, x, positions: x.item(int(np.asarray(positions).flat[0])),
    ".reshape_spread": lambda np, x, shape: x.reshape(*(shape if isinstance(shape, (tuple, list)) else (shape,))),
    ".transpose_axes": lambda np, x, axes: x.transpose(*axes),
    ".sort_in_place": _in_place("sort"),
    ".partition_in_place": _partition_in_place,
    ".view_dtype": lambda np, x, dtype: x.view(dtype),
    ".resize_in_place": _resize,
    ".set_real": _set("real"),
    ".set_imag": _set("imag"),
    ".set_flat": _set("flat"),
    ".flat_list": lambda np, x: [one * 1 for one in x.flat],
    ".flat_copy": lambda np, x: x.flat.copy(),
    ".flat_item": lambda np, x, index: x.flat[index],
    ".flat_assign": _flat_assign,
    **{
        f".{name}": lambda np, x, name=name: getattr(x, name)
        for name in ("itemsize", "nbytes", "ndim", "size", "shape", "strides", "dtype")
    },
    "divmod_operator": lambda np, x, y: divmod(x, y),
    "radd": lambda np, x, y: y + x,
    "rsub": lambda np, x, y: y - x,
    "rmul": lambda np, x, y: y * x,
    "rtruediv": lambda np, x, y: y / x,
    "rfloordiv": lambda np, x, y: y // x,
    "rmod": lambda np, x, y: y % x,
    "rdivmod": lambda np, x, y: divmod(y, x),
    "rpow": lambda np, x, y: y**x,
    "rlt": lambda np, x, y: y < x,
    "req": lambda np, x, y: y == x,
    "rand": lambda np, x, y: y & x,
    "ror": lambda np, x, y: y | x,
    "rxor": lambda np, x, y: y ^ x,
    "rlshift": lambda np, x, y: y << x,
    "rrshift": lambda np, x, y: y >> x,
    "rmatmul": lambda np, x, y: y @ x,
    "add_list": lambda np, x, y: x + y,
    "mul_list": lambda np, x, y: y * x,
    "eq_list": lambda np, x, y: x == y,
    "getitem": lambda np, x, index: x[index],
    "getitem_twice": lambda np, x, index: x[::-1][index],
    "setitem": _setitem,
    "setitem_array": _setitem,
    "setitem_view": _setitem_view,
    "iadd_item": _iadd_item,
    "delitem": _delete,
    "setitem_overlapping": _overlapping,
}


def _specs() -> dict[str, list[Spec]]:
    found: dict[str, list[Spec]] = {}
    for line in filter(None, LINES.split("\n")):
        names, _, arguments = line.partition(" : ")
        tokens = re.findall(r"[^\s{]*\{[^}]*\}\??|\S+", arguments)
        for name in names.split():
            spec = Spec(name, tuple(map(argument_of, tokens)), path_of(name))
            found.setdefault(name, []).append(spec)
    return found


SPECS = _specs()

# Public functions that a program of another name calls.
COVERED_BY = {
    "empty": "empty_shape", "empty_like": "empty_like_shape", "partition": "partition_sorted",
    "argpartition": "argpartition_taken", "einsum": "einsum_one", "linalg.eig": "eig_rebuilt",
    "linalg.eigh": "eigh_rebuilt", "linalg.svd": "svd_rebuilt", "linalg.tensorsolve": "tensorsolve",
}  # fmt: skip

# Public functions that no line draws, and why.
NOT_DRAWN = {
    "files and buffers": "fromfile fromregex fromstring frombuffer genfromtxt load loadtxt save savetxt savez savez_compressed fromiter",
    "printing and settings": "array2string array_repr array_str format_float_positional format_float_scientific get_printoptions "
    "set_printoptions printoptions getbufsize setbufsize geterr seterr geterrcall seterrcall show_config show_runtime "
    "get_include info test",
    "dates, which dopegraph.numpy has not": "busday_count busday_offset datetime_as_string datetime_data is_busday isnat",
    "classes of NumPy's own": "asmatrix bmat",
    "takes or makes iterators and Python functions": "nested_iters frompyfunc",
    "tests of their own (test_exchange.py)": "from_dlpack",
    "gives text and a plan for NumPy": "einsum_path",
    "an alias of vstack that warns": "row_stack",
}

METHODS_NOT_DRAWN = {
    "files": "dump dumps tofile",
    "memory, which tests of their own look at": "base ctypes data device flags getfield setfield setflags",
    "in programs of another name": "sort partition resize argpartition flat view argsort",
}

# NumPy gives Python numbers where dopegraph gives arrays, which can be traced.
ARRAYS_FOR_NUMBERS = {"linalg.matrix_rank", "poly", "linspace"}

# What NumPy says where it stumbles rather than refuses; dopegraph may do better.
ACCIDENTS = ("newaxis)",)

# NumPy's results that warn when one writes to them; here they are read-only.
READ_ONLY = {"broadcast_arrays"}

# Names of lines that fail, and why; empty when all is well.
WAITING: dict[str, str] = {
    "linalg.diagonal": "compiled, the diagonals of an array whose rows are not in a line are a copy",
}


# Where dopegraph does on every NumPy what 2.4 does and 2.0 did not: dtypes of rounded integers, 0-d and empty arrays.
SINCE_2_4 = set(
    """ceil floor trunc fix around round .round power pow count_nonzero bincount clip_named reshape concatenate concat
    .flat_assign fft.fftshift fft.ifftshift""".split()
)


# What NumPy 2.5 does otherwise: vectors of two components are refused, parts are assigned by stricter casts.
UNTIL_2_5 = {"cross", "linalg.cross", ".set_real", ".set_imag"}


def exists(name: str, module: Any) -> bool:
    """Whether a version of NumPy has what a line calls, and does it as the present one."""
    version = tuple(map(int, module.__version__.split(".")[:2]))
    if (name in SINCE_2_4 and version < (2, 4)) or (name in UNTIL_2_5 and version >= (2, 5)):
        return False
    if name.startswith((".", "operator.")) or (name in PROGRAMS and name not in dir(module)):
        return name not in (".mT", ".to_device") or hasattr(module.ndarray, name[1:])
    found = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is not None
