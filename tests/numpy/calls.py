"""Calls as data: expressions of `np` and of the arrays of `inputs`, evaluated with NumPy's np and with ours."""

import numpy

from tests.numpy import calls_elementwise, calls_fft, calls_linalg, calls_shaping, calls_sorting


def inputs() -> dict[str, numpy.ndarray]:
    """The arrays that the expressions name; `n` has NaN and infinities, `f` and `g` are not contiguous."""
    rng = numpy.random.default_rng(0)
    normal = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    return {
        "x": normal[0, :, :, 0].copy(),
        "y": normal[0, :, :, 1].copy(),
        "p": abs(normal[0, :, :, 2]) + 0.5,
        "v": normal[0, 0, :, 3].copy(),
        "c": normal[0, :, :1, 4].copy(),
        "s": numpy.asarray(normal[1, 0, 0, 0]),
        "e": numpy.zeros((0, 3), "float32"),
        "t": normal[:, :, :, 0].copy(),
        "q": normal,
        "m": normal[0, :, :, 0].T @ normal[0, :, :, 1],
        "n": numpy.array([1.5, numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0], "float32"),
        "f": normal[1, :, :, 1].T.copy().T,
        "g": normal[1, ::-1, ::2, 2],
        "d": normal[0, :, :, 0].astype("float64"),
        "h": normal[0, :, :, 1].astype("float16"),
        "i": rng.integers(-5, 6, (3, 4)),
        "j": rng.integers(1, 6, 4).astype("int32"),
        "k": rng.integers(-5, 6, (3, 4)).astype("int8"),
        "u": rng.integers(0, 6, (3, 4)).astype("uint8"),
        "w": rng.integers(1, 6, 4).astype("uint64"),
        "o": numpy.array([2, 0, 1]),
        "b": rng.random((3, 4)) < 0.5,
        "r": numpy.array([True, False, True]),
        "z": (normal[0, :, :, 0] + 1j * normal[0, :, :, 1]).astype("complex64"),
        **calls_linalg.inputs(),
    }


UNARY_OPERANDS = [
    "x",
    "p",
    "n",
    "s",
    "e",
    "q",
    "f",
    "d",
    "h",
    "i",
    "k",
    "u",
    "w",
    "b",
    "2",
    "2.5",
    "True",
    "[[1, 2.5]]",
]
BINARY_OPERANDS = [
    "x, y", "x, v", "x, c", "c, v", "t, x", "s, x", "e, 2", "n, 2.0", "x, 2", "2, x", "p, 2.5", "2.5, p", "d, d",
    "h, h", "h, 2", "i, 3", "i, 2.5", "i, j", "k, k", "k, 3", "u, 2", "b, b", "b, 2", "b, True", "2, 3", "2.5, [1, 2]",
    "f, g[:, :1]",    "j, [1, 2, 3, 4]", "w, w",
]  # fmt: skip

# What NumPy does only since 2.1, and dopegraph on every NumPy.
SINCE_2_1 = """
np.take(v, w % 4)
np.clip(u, -1, 300)
np.clip(k, -300, 2)
np.floor(i)
np.ceil(k)
np.trunc(b)
np.floor(True)
u + 300
u + -1
k * 200
np.array([1], "uint8") - 1000
bool(e[0:0, 0:2])
np.array([[1, 2], [3]])
"""
SINCE_2_1 += calls_elementwise.SINCE_2_1

# One expression a line.
CALLS = {
    "creation": """
np.array([1, 2, 3])
np.array([1.5, 2])
np.array([[True, False]])
np.array(3)
np.array(2.5)
np.array([])
np.array([1j, 2])
np.array([x, y])
np.array([[s, s], [s, s]])
np.array((1, 2), dtype="float16")
np.array(x, dtype="float64")
np.array(x, dtype=int)
np.array(x, ndmin=4)
np.array(v, copy=True)
np.array(i, dtype=bool)
np.asarray(x)
np.asarray([x[0], y[0]])
np.asarray(i, dtype="float32")
np.copy(x)
np.copy(f)
np.zeros(3)
np.zeros((2, 0, 3))
np.zeros((), dtype="int8")
np.zeros([2, 3])
np.zeros(np.array([2, 3]))
np.ones((2, 3))
np.ones(2, dtype=bool)
np.full((2, 3), 7)
np.full(2, 2.5)
np.full((), True)
np.full((2, 4), v)
np.full(3, 1, dtype="float64")
np.full(2, [1, 2])
np.zeros_like(x)
np.zeros_like(i)
np.zeros_like(x, dtype="int32")
np.ones_like(k)
np.ones_like(x, shape=(2,))
np.full_like(x, 2.5)
np.full_like(i, 2.5)
np.full_like(x, 3, dtype="float16")
np.empty((2, 3)).shape
np.empty_like(x).dtype
np.arange(5)
np.arange(2, 8, 3)
np.arange(5.0)
np.arange(0, 1, 0.25)
np.arange(5, 0, -2)
np.arange(3, dtype="float64")
np.arange(3, dtype="uint8")
np.arange(0)
np.arange(5, 2)
np.linspace(0, 1, 5)
np.linspace(0, 1, 4, endpoint=False)
np.linspace(2.0, -3.0, 7)
np.linspace(0, 10, 5, dtype="int64")
np.linspace(-3, 3, 4, dtype=int)
np.linspace(1, 1, 1)
np.linspace(0, 1, 3, retstep=True)
np.linspace([0, 1], [2, 3], 3)
np.linspace([0, 1], [2, 3], 3, axis=1)
np.eye(3)
np.eye(2, 4, k=1)
np.eye(3, k=-1, dtype=int)
np.identity(2)
np.tri(3)
np.tri(2, 4, 1, dtype=bool)
np.tril(x)
np.tril(i, 1)
np.tril(t, -1)
np.triu(x)
np.triu(b, 1)
np.triu(v)
np.triu(q, -1)
""",
    "reduction": """
np.maximum.accumulate(x)
np.maximum.accumulate(x, 1)
np.maximum.accumulate(n)
np.minimum.accumulate(i, axis=-1)
np.minimum.accumulate(b)
np.add.reduce(t, (0, 2))
np.add.accumulate(x, 1)
np.multiply.reduce(x)
np.logical_or.reduce(b, None)
np.multiply.outer(v, c)
np.less.outer(v, j)
np.sum(x)
np.sum(x, axis=0)
np.sum(x, 1)
np.sum(t, axis=(0, 2))
np.sum(t, axis=-2, keepdims=True)
np.sum(t, axis=(-1, 0), keepdims=True)
np.sum(q, axis=(1, -1))
np.sum(x, axis=())
np.sum(s)
np.sum(e)
np.sum(e, axis=0)
np.sum(e, axis=1)
np.sum(n)
np.sum(b)
np.sum(k, axis=0)
np.sum(u)
np.sum(w)
np.sum(h, axis=1)
np.sum(d)
np.sum(z)
np.sum(x, dtype="float64")
np.sum(b, dtype="float32")
np.sum(i, dtype="int16")
np.sum(x, initial=5)
np.sum(i, axis=0, initial=2)
np.sum(x, where=b)
np.sum(x, axis=1, where=r[:, None])
np.sum(x, axis=0, out=np.zeros(4, "float32"))
np.sum([1, 2, 3])
np.sum([1.5, 2])
np.sum(3)
np.sum(f, axis=0)
np.prod(x)
np.prod(k, axis=1)
np.prod(e)
np.prod(x, axis=0, keepdims=True)
np.prod(x, initial=2.0, where=b)
np.prod(b)
np.max(x)
np.max(x, axis=0)
np.max(t, axis=(0, 1))
np.max(t, axis=-1, keepdims=True)
np.max(n)
np.max(i)
np.max(u, axis=1)
np.max(b, axis=0)
np.max(x, initial=10)
np.max(x, axis=0, initial=-1, where=b)
np.max(e, axis=0, initial=3)
np.max(e, axis=1)
np.max(e)
np.max(x, axis=0, out=np.zeros(4, "float32"))
np.amax(x, 1)
np.min(x)
np.min(x, axis=1, keepdims=True)
np.min(n)
np.min(k)
np.min(e, initial=2)
np.amin(x, 0)
np.ptp(x)
np.ptp(i, axis=0)
np.ptp(x, axis=1, keepdims=True)
np.all(b)
np.all(b, axis=0)
np.all(x, axis=1)
np.all(e)
np.all(n)
np.all(b, axis=0, where=r[:, None])
np.all([])
np.any(b)
np.any(i, axis=1, keepdims=True)
np.any(e)
np.any(b, where=b)
np.argmax(x)
np.argmax(x, axis=0)
np.argmax(t, axis=-1)
np.argmax(t, axis=1, keepdims=True)
np.argmax(x, keepdims=True)
np.argmax(n)
np.argmax(k)
np.argmax(b, axis=1)
np.argmax(e)
np.argmax(e, axis=1)
np.argmin(x)
np.argmin(x, axis=-2)
np.argmin(n)
np.argmin(x, axis=1, out=np.zeros(3, "int64"))
np.count_nonzero(i)
np.count_nonzero(b, axis=0)
np.count_nonzero(x, axis=1, keepdims=True)
np.cumsum(x)
np.cumsum(x, axis=0)
np.cumsum(t, axis=-1)
np.cumsum(k)
np.cumsum(b, axis=1)
np.cumsum(e)
np.cumsum(x, dtype="float64")
np.cumsum(i, axis=1, out=np.zeros((3, 4), "int64"))
np.mean(x)
np.mean(x, axis=0)
np.mean(t, axis=(0, -1))
np.mean(t, axis=1, keepdims=True)
np.mean(i)
np.mean(b, axis=0)
np.mean(h)
np.mean(h, axis=0)
np.mean(d, axis=1)
np.mean(z)
np.mean(n)
np.mean(e, axis=1)
np.mean(e)
np.mean(x, dtype="float64")
np.mean(i, dtype="float64")
np.mean(x, axis=0, where=r[:, None])
np.mean(x, axis=1, where=b)
np.mean(x, axis=0, out=np.zeros(4, "float32"))
np.mean([1, 2, 4])
np.var(x)
np.var(x, axis=0)
np.var(x, axis=1, ddof=1)
np.var(t, axis=(0, 1), keepdims=True)
np.var(i)
np.var(h)
np.var(z)
np.var(x, dtype="float64")
np.var(x, axis=0, where=r[:, None])
np.var(v, ddof=4)
np.std(x)
np.std(t, axis=-1)
np.std(i, axis=0)
np.std(x, axis=0, ddof=1, keepdims=True)
np.average(x)
np.average(x, axis=0)
np.average(x, weights=p)
np.average(x, axis=1, weights=p)
np.average(x, axis=1, weights=[1, 2, 3, 4])
np.average(i, axis=0, weights=[1, 2, 3])
np.nansum(n[:2])
np.nansum(x, axis=0)
np.nansum(i)
np.nanmean(n[:2])
np.nanmean(np.stack([n, n]), axis=0)
np.nanmean(i, axis=1)
np.nanmax(n)
np.nanmin(n)
np.nanmax(np.stack([n, n]), axis=0)
np.nanmin(x, axis=1, keepdims=True)
np.nanmax(i, axis=0)
x.sum()
x.sum(0)
x.sum(axis=1, keepdims=True)
t.mean((0, 1))
x.max(1)
x.min()
x.argmax(0)
x.std(ddof=1)
x.var(0)
i.prod()
b.all()
b.any(1)
x.cumsum(1)
x.clip(-1, 1)
x.clip(min=0)
x.trace()
""",
    "shape": """
np.reshape(x, 12)
np.reshape(x, (2, 6))
np.reshape(x, (-1, 2))
np.reshape(x, [4, 3])
np.reshape(f, (2, -1))
np.reshape(x, (4, 3), order="F")
np.reshape(e, (3, 0))
np.reshape(e, (0, 2))
np.reshape(s, (1, 1))
np.reshape([1, 2, 3, 4], (2, 2))
x.reshape(2, 6)
x.reshape((2, 6))
x.reshape(-1)
x.reshape(3, 4, 1)
np.ravel(x)
np.ravel(f)
np.ravel(f, "F")
np.ravel(s)
np.ravel(e)
x.ravel()
x.flatten()
f.flatten()
x.flatten("F")
np.transpose(x)
np.transpose(t, (1, 2, 0))
np.transpose(t, (-1, 0, 1))
np.transpose(q)
np.transpose(v)
x.T
t.transpose(2, 0, 1)
t.transpose((2, 0, 1))
t.transpose()
np.swapaxes(t, 0, -1)
t.swapaxes(1, 2)
np.moveaxis(q, 0, -1)
np.moveaxis(q, [0, 1], [-1, 0])
np.expand_dims(x, 0)
np.expand_dims(x, -1)
np.expand_dims(x, (0, 3))
np.squeeze(c)
np.squeeze(c, 1)
np.squeeze(c, axis=-1)
np.squeeze(np.reshape(v, (1, 4, 1)), axis=(0, 2))
c.squeeze()
np.broadcast_to(v, (3, 4))
np.broadcast_to(c, (2, 3, 4))
np.broadcast_to(s, (2,))
np.broadcast_to(2, 3)
np.broadcast_arrays(c, v)
np.flip(x)
np.flip(x, 0)
np.flip(t, (0, -1))
np.fliplr(x)
np.flipud(x)
np.atleast_1d(s)
np.atleast_1d(3)
np.atleast_1d(v)
np.atleast_2d(v)
np.atleast_2d(s)
np.atleast_2d(t)
np.atleast_1d(s, v)
np.shape(x)
np.shape([[1, 2]])
np.ndim(t)
np.ndim(3)
np.size(t)
np.size(t, 1)
len(x)
x.ndim, x.size, x.itemsize, x.nbytes, x.shape, x.dtype
""",
    "joining": """
np.concatenate([x, y])
np.concatenate([x, y], axis=1)
np.concatenate((x, y), -1)
np.concatenate([x, v], axis=None)
np.concatenate([x, d])
np.concatenate([i, x[:1] > 0])
np.concatenate([k, u], axis=0)
np.concatenate([x, y], dtype="float64")
np.concatenate([[1, 2], [3]])
np.concatenate([e, e])
np.concatenate([x, y], out=np.zeros((6, 4), "float32"))
np.concatenate([x])
np.stack([x, y])
np.stack([x, y], axis=1)
np.stack([x, y], axis=-1)
np.stack((v, v, v))
np.stack([s, s])
np.stack([[1, 2], [3, 4]], axis=1)
np.vstack([x, v])
np.vstack([v, v])
np.vstack([[1, 2], [3, 4]])
np.hstack([x, c])
np.hstack([v, v])
np.hstack([s, s])
np.split(x, 3)
np.split(x, 2, axis=1)
np.split(v, [1, 3])
np.split(x, [2], axis=-1)
np.split(v, [3, 1])
np.split(v, [-1, 9])
np.array_split(v, 3)
np.array_split(x, 5, axis=1)
np.array_split(v, 6)
np.tile(v, 2)
np.tile(v, (2, 2))
np.tile(x, (2, 1, 2))
np.tile(s, 3)
np.tile(x, ())
np.repeat(x, 2)
np.repeat(x, 2, axis=0)
np.repeat(x, 3, axis=-1)
np.repeat(v, 0)
np.repeat(s, 2)
np.repeat(x, [1, 0, 2], axis=0)
np.repeat([1, 2], [1, 3])
x.repeat(2, 1)
np.roll(v, 1)
np.roll(x, 1)
np.roll(x, -2, axis=1)
np.roll(x, (1, 2), axis=(0, 1))
np.roll(x, 1, axis=(0, 1))
np.roll(e, 2, axis=0)
np.roll(v, 9)
""",
    "indexing": """
x[0]
x[-1]
x[1, 2]
x[1:]
x[:, 1]
x[::2, ::-1]
x[::-2]
x[5:]
x[-2:, 1:3]
x[..., 0]
x[None]
x[:, None, 1]
x[...]
x[()]
s[()]
s[None]
t[0, ..., -1]
t[..., None, 2]
q[1, :, 2:0:-1, ...]
x[[0, 2]]
x[[-1, 0]]
x[[]]
x[o]
x[:, o]
x[o, 1]
x[o, o]
x[o[:, None], o]
x[[[0, 1], [1, 2]]]
x[r]
x[b]
x[:, [True, False, True, True]]
x[r, 1]
x[r, :2]
x[~r]
x[True]
x[x > 0]
t[0, o]
t[:, o, 1]
t[:, o[:2], [0, 1]]
t[..., [0, 0]]
v[j - 2]
v[np.array(1)]
e[0:0]
i[u[0] % 3]
y[range(3), [0, 1, 2]]
y[np.arange(3), j[:3] - 1]
t[0, :, o]
t[:, None, o]
t[None, 0, o]
t[o[1:], :, [0, 1]]
t[:, [0], [[1], [2]]]
q[:, o[:, None], [1, 2], 1:3]
x[np.int64(1)]
x[[0, 2], 1:]
x[:, [[0], [1]]]
np.take(x, [0, 2])
np.take(x, o, axis=0)
np.take(x, [[0, -1], [1, 1]], axis=1)
np.take(x, 1, axis=0)
np.take(x, [9, -9], axis=0, mode="clip")
np.take(x, [9, -9], axis=1, mode="wrap")
x.take([1, 2], axis=1)
np.take(0.25, i % 1, mode="clip")
np.compress(w > 0, [0.5, 1.5])
np.where(b, x, y)
np.where(b, x, 0)
np.where(b, 1, 0)
np.where(b, 1.5, i)
np.where(r[:, None], x, v)
np.where(x > 0, x, d)
np.where(i, x, -x)
np.where(True, x, y)
np.where(b)
np.nonzero(i)
np.compress(r, x, axis=0)
""",
    "linear": """
np.matmul(x, f.T)
np.matmul(x, v)
np.matmul(v, x.T)
np.matmul(v, v)
np.matmul(t, t.transpose(0, 2, 1))
np.matmul(t, v)
np.matmul(x, t.transpose(0, 2, 1))
np.matmul(i, i.T)
np.matmul(b, b.T)
np.matmul(k, k.T)
np.matmul(e, e.T)
np.matmul(e.T, e)
np.matmul(x, f.T, out=np.zeros((3, 3), "float32"))
np.matmul(z, z.T)
np.matmul(i, x.T)
np.matmul([[1, 2]], [[3], [4]])
x @ f.T
x @ [1, 2, 3, 4]
[1, 2, 3] @ x
np.dot(x, f.T)
np.dot(v, v)
np.dot(x, v)
np.dot(v, x.T)
np.dot(t, v)
np.dot(t, f.T)
np.dot(t, t.transpose(0, 2, 1))
np.dot(v, t.transpose(0, 2, 1))
np.dot(s, x)
np.dot(x, 2)
np.dot(3, 4)
np.dot(i, j)
np.dot(b, b.T)
np.dot(x, f.T, out=np.zeros((3, 3), "float32"))
v.dot(v)
np.inner(v, v)
np.inner(x, f)
np.inner(t, x)
np.inner(x, 2)
np.inner(i, j)
np.outer(v, v)
np.outer(x, v)
np.outer([1, 2], [3, 4, 5])
np.outer(s, v)
np.outer(i, x)
np.vdot(v, v)
np.vdot(x, f)
np.vdot(z, z)
np.vdot(i, i)
np.tensordot(x, f, axes=([1], [1]))
np.tensordot(x, f, 2)
np.tensordot(x, v, 1)
np.tensordot(x, v, 0)
np.tensordot(t, q, axes=([0, 2], [0, 2]))
np.tensordot(t, x, axes=([-2, -1], [0, 1]))
np.tensordot(t, v, axes=(2, 0))
np.tensordot(i, i, axes=((0,), (0,)))
np.trace(m)
np.trace(x, 1)
np.trace(i)
np.trace(b)
np.trace(t)
np.trace(t, axis1=1, axis2=2)
np.trace(t, -1, 0, 2)
np.trace(i, dtype="float64")
np.einsum("ij,kj->ik", x, f)
np.einsum("ij,kj", x, f)
np.einsum("ij->ji", x)
np.einsum("ij->", x)
np.einsum("ij->i", x)
np.einsum("ji", x)
np.einsum("ii", m)
np.einsum("ii->i", m)
np.einsum("ij,ij->ij", x, y)
np.einsum("i,j->ij", v, v)
np.einsum("i,j", v, v)
np.einsum("ij,j,j->i", x, v, v)
np.einsum("ij,jk,kl->il", x, m, x.T)
np.einsum("bij,bjk->bik", t, t.transpose(0, 2, 1))
np.einsum("...ij,...kj->...ik", t, x)
np.einsum("...j,j", t, v)
np.einsum("...", x)
np.einsum("i...->...", t)
np.einsum("...i->i...", t)
np.einsum("ij,kj->ik", c, c)
np.einsum("ij,ij->ij", c, x)
np.einsum("ij,ij->i", c, x)
np.einsum("ijk,ikj->i", t, t.transpose(0, 2, 1))
np.einsum("iij->j", q[:, :2, 0])
np.einsum("ij,ik->", x, y)
np.einsum("ij,kl->", x, y)
np.einsum("i,i", v, v)
np.einsum("ij,j->i", i, j)
np.einsum("ij,ij", b, b)
np.einsum("ij,j->i", x, v, out=np.zeros(3, "float32"))
np.einsum(" i j , j k -> i k ", x, f.T)
np.einsum("ij,jk->ik", x, d.T)
np.einsum("ij,jk->ik", x, f.T, optimize=False)
np.einsum(",ij->ij", s, x)
np.einsum("ij,j,jk,k->i", x, v, m, v)
np.einsum("abcd,abcd->", q, q)
np.einsum("abcd,bc->ad", q, x)
np.einsum("aab,b->a", t[:, :2], v)
np.einsum("Ij,Kj->KI", x, f)
""",
    "logic": """
np.clip(x, -0.5, 0.5)
np.clip(x, None, 0.5)
np.clip(x, -0.5, None)
np.clip(x, v, None)
np.clip(i, -2, 2)
np.clip(i, 0.5, 2.5)
np.clip(u, 1, 3)
np.clip(x, 0, 1, out=np.zeros((3, 4), "float32"))
np.clip(n, 0, 1)
np.clip(3, 0, 1)
np.isclose(x, x + 1e-9)
np.isclose(n, n)
np.isclose(n, n, equal_nan=True)
np.isclose(i, i + 1)
np.isclose(x, 0.1, rtol=0, atol=0.5)
np.allclose(x, x)
np.allclose(x, y)
np.allclose(n, n, equal_nan=True)
np.array_equal(x, x)
np.array_equal(x, y)
np.array_equal(x, v)
np.divmod(i, 3)
np.divmod(x, 0.7)
divmod(i, 3)
divmod(7, j)
np.add(x, y, out=np.zeros((3, 4), "float32"))
np.add(x, y, np.zeros((3, 4), "float64"))
np.add(i, 1, out=np.zeros((3, 4), "float32"))
np.add(x, 1, out=np.zeros((3, 4), "int64"))
np.multiply(x, y, where=b, out=np.ones((3, 4), "float32"))
np.sqrt(p, where=r[:, None], out=np.zeros((3, 4), "float64"))
np.exp(x, dtype="float64")
np.add(i, k, dtype="float32")
np.add(x, x, dtype="int32")
np.negative(u)
abs(x)
abs(z)
-x
+x
-i
~b
~i
b & ~b
b | (x > 0)
b ^ b
i & 3
i | k
u << 2
i >> 1
i ^ 7
x < y
x <= 0
x == x
x != v
i > 0.5
i >= 300
u == 300
u < -1
k != 2
x ** 2
x ** 3
p ** 0.5
p ** -1
p ** -2.0
i ** 2
2 ** i.clip(0, 3)
x ** v
x / 2
1 / p
i / 2
i // 2
7 % j
-7 // j
x % 0.7
x // 0.3
3 - x
1.5 * i
True + x
x + 1j
z * z
z / 2
z == z
z ** 2
np.exp(z)
np.maximum(x, 0)
x.astype("int32")
x.astype("bool")
x.astype(int)
i.astype("float16")
b.astype("float64")
h.astype("float32")
u.astype("int8")
x.astype("complex64")
x.copy()
x.real
z.real
z.imag
x.round(1)
z.conj()
""",
    "host": """
np.sort(x)
np.sort(x, axis=0)
np.argsort(v)
x.argsort(axis=0)
np.unique(i)
np.median(x)
np.percentile(x, 30, axis=0)
np.cumprod(x, axis=1)
x.cumprod()
np.diff(v)
np.diag(v)
np.diagonal(m)
m.diagonal()
np.meshgrid(v, o)
np.searchsorted([1, 2, 3], 2)
np.histogram(x, bins=3)
np.hypot(x, y)
np.logaddexp(x, y)
np.fmax(n, 0)
np.nan_to_num(n)
np.linalg.norm(x)
np.linalg.norm(x, axis=1)
np.linalg.inv(m + 9 * np.eye(4, dtype="float32"))
np.linalg.det(np.eye(3, dtype="float32"))
np.linalg.slogdet(np.eye(3, dtype="float64"))[1]
np.fft.fft(d)
np.kron(v, o)
np.cross(x[:, :3], y[:, :3])
np.round(x, 1)
np.dstack([x, y])
np.column_stack([v, v])
np.select([x > 0, x < -1], [x, y], 0)
np.pad(x, 1)
np.triu_indices(3)
np.isin(i, [1, 2])
np.ravel_multi_index((o, o), (3, 4))
np.bincount(o)
np.interp(v, [0.0, 1.0], [2.0, 3.0])
""",
    "errors": """
np.add(x, e)
np.add(x, [1, 2])
x + np.zeros(3)
np.matmul(x, x)
np.matmul(x, 2)
np.matmul(v, x)
np.dot(x, x)
np.dot(t, x)
np.inner(x, e)
np.tensordot(x, x, 1)
np.tensordot(x, x, ([0, 1], [0]))
np.einsum("ij,jk->ik", x, x)
np.einsum("ij->ik", x)
np.einsum("ijk->i", x)
np.einsum("ii", x)
np.einsum("ij", x, x)
np.einsum("ij->ii", x)
np.einsum("i$->i", x)
np.sum(x, axis=2)
np.sum(x, axis=-3)
np.sum(x, axis=(0, 0))
np.sum(x, axis=0, out=np.zeros(3, "float32"))
np.sum(x, axis=1.5)
np.max(e)
np.max(x, where=b)
np.argmax(x, axis=5)
np.argmax(e)
np.cumsum(x, axis=2)
np.mean(x, axis=3)
np.var(x, 2)
np.ptp(b)
np.average(x, axis=0, weights=[1, 2])
np.reshape(x, (5, 2))
np.reshape(x, (-1, -1))
np.reshape(x, (-1, 5))
np.reshape(x, 2.5)
np.reshape(x, (3, 4), order="Q")
np.transpose(x, (0, 0))
np.transpose(x, (0,))
np.transpose(x, (0, 5))
np.swapaxes(x, 0, 2)
np.moveaxis(x, 0, 5)
np.moveaxis(x, [0, 0], [0, 1])
np.expand_dims(x, 5)
np.expand_dims(x, (0, 0))
np.squeeze(x, 0)
np.squeeze(c, 7)
np.broadcast_to(x, (3, 5))
np.broadcast_to(x, (4,))
np.broadcast_arrays(x, e)
np.flip(x, 2)
np.concatenate([])
np.concatenate([x, v])
np.concatenate([x, c], axis=0)
np.concatenate([x, y], axis=2)
np.concatenate([s, s])
np.stack([])
np.stack([x, v])
np.stack([x, y], axis=4)
np.split(v, 3)
np.array_split(v, 0)
np.repeat(x, [1, 2], axis=0)
np.repeat(v, -1)
np.roll(x, 1, axis=2)
np.take(x, 3, axis=0)
np.take(x, [0, -4], axis=0)
np.take(x, 0, axis=2)
np.take(x, 0, mode="other")
x[3]
x[-4]
x[0, 4]
x[0, 0, 0]
x[0.5]
x["a"]
x[..., ...]
x[[5]]
x[[0.5]]
x[[True, False]]
x[o, [1, 2]]
x[[0, 1], [0, 4]]
x[[0, 3], [0, 0]]
x[[-4], [0]]
x[o, o, o]
x[r[:2]]
s[0]
np.where(b, x)
np.where(b, x, e)
np.zeros(-1)
np.zeros((2, -3))
np.zeros(2.5)
np.zeros((2, "a"))
np.zeros(2, dtype="nonsense")
np.full((2, 2), [1, 2, 3])
np.linspace(0, 1, -1)
np.add(b, x, out=b)
np.subtract(b, b)
np.negative(b)
-b
i ** -1
np.sqrt(x, out=np.zeros((3, 4), "int32"))
np.trace(v)
np.linalg.inv(x)
np.sort(x, axis=4)
x & y
x << 1
x.reshape(7)
x.transpose(0)
len(s)
bool(x)
int(x)
float(v)
complex(x)
iter(s)
list(s)
x.item()
x.item(99)
range(x)
range(s)
""",
}

for _family in (calls_elementwise, calls_fft, calls_shaping, calls_sorting):
    for _group, _lines in _family.CALLS.items():
        CALLS[_group] = CALLS.get(_group, "").rstrip() + "\n" + _lines.lstrip()
VERSION = tuple(map(int, numpy.__version__.split(".")[:2]))
_SINCE = {"linalg of the array API": (2, 1), "linalg of NumPy 2.2": (2, 2), "linalg of NumPy 2.4": (2, 4)}
CALLS.update({group: calls for group, calls in calls_linalg.CALLS.items() if _SINCE.get(group, (0,)) <= VERSION})
CALLS["errors"] += calls_linalg.ERRORS.lstrip()
if VERSION >= (2, 1):
    CALLS["errors"] += calls_linalg.ERRORS_OF_THE_ARRAY_API.lstrip()
