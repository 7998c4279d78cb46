"""Calls of `np.linalg`, of products and of `einsum`; see `tests.numpy.calls`."""

import numpy


def inputs() -> dict[str, numpy.ndarray]:
    """Matrices: well-conditioned (`sq`, float64 `sd`), definite `pd`, complex `cz` and Hermitian `hz`, stacks `st`."""
    rng = numpy.random.default_rng(1)
    square = rng.normal(size=(4, 4)) + 4 * numpy.eye(4)
    stack = rng.normal(size=(2, 3, 3)) + 3 * numpy.eye(3)
    complex_ = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)) + 3 * numpy.eye(3)
    return {
        "sq": square.astype("float32"),
        "sd": square,
        "pd": (square @ square.T).astype("float32"),
        "st": stack.astype("float32"),
        "sp": (stack @ stack.transpose(0, 2, 1) + numpy.eye(3)).astype("float32"),
        "cz": complex_.astype("complex64"),
        "hz": complex_ @ complex_.conj().T,
        "si": numpy.array([[2, 1, 0], [1, 3, 1], [0, 1, 4]]),
        "e0": numpy.zeros((0, 0), "float32"),
        "e3": numpy.zeros((0, 3, 3), "float32"),
        "tall": rng.normal(size=(2, 5, 3)).astype("float32"),
        "low": numpy.outer(numpy.arange(1, 4), numpy.arange(2, 5)).astype("float32"),
    }


_SQUARE = ("sq", "sd", "st", "cz", "si", "e0", "e3", "sq.T", "[[2., 1.], [1., 3.]]", "st[:, 0:1, 0:1]")
_HERMITIAN = ("pd", "sp", "hz", "si", "e0", "e3", "sp.astype('float64')", "[[2., 1.], [1., 3.]]")
_ANY = ("x", "tall", "tall[0].T", "sd", "cz", "si", "e", "e.T", "e3", "low", "d")
_ORDERS = ("None", "1", "2", "np.inf", "-np.inf", "-1", "-2")


def _each(text: str, *operands: str) -> list[str]:
    return [text.replace("A", one) for one in operands]


CALLS = {
    "linalg": "\n".join(
        [
            "",
            *_each("np.linalg.inv(A)", *_SQUARE),
            *_each("np.linalg.det(A)", *_SQUARE, "low"),
            *_each("np.linalg.slogdet(A)", *_SQUARE, "np.zeros((2, 2), 'float32')", "-sq"),
            *_each("np.linalg.cholesky(A)", *_HERMITIAN),
            *_each("np.linalg.cholesky(A, upper=False)", "pd"),
            *_each("np.linalg.eigvalsh(A)", *_HERMITIAN),
            *_each("np.linalg.eigvalsh(A, UPLO='U')", *_HERMITIAN),
            *_each("np.linalg.eigh(A)[0]", *_HERMITIAN),
            *_each("abs(np.linalg.eigh(A, 'u').eigenvectors)", "pd", "hz", "si"),
            *_each("np.linalg.svd(A, compute_uv=False)", *_ANY),
            *_each("np.linalg.svd(A)[1]", *_ANY),
            *_each("[one.shape for one in np.linalg.svd(A)]", *_ANY),
            *_each("[one.shape for one in np.linalg.svd(A, full_matrices=False)]", *_ANY),
            *_each("abs(np.linalg.svd(A, False)[2])", "x", "tall", "sd", "cz"),
            *_each("np.linalg.svd(A, hermitian=True)[1]", "pd", "sp", "hz", "si", "pd - 20"),
            *_each("np.linalg.svd(A, hermitian=True, compute_uv=False)", "pd", "sp", "hz", "pd - 20"),
            *_each("abs(np.linalg.svd(A, hermitian=True)[0])", "pd", "hz"),
            *_each("[one.shape for one in np.linalg.qr(A)]", *_ANY),
            *_each("abs(np.linalg.qr(A)[1])", "x", "tall", "sd", "cz", "si"),
            *_each("abs(np.linalg.qr(A, mode='r'))", "x", "tall", "sd"),
            *_each("[one.shape for one in np.linalg.qr(A, 'complete')]", *_ANY),
            *_each("np.linalg.pinv(A)", "x", "tall", "sd", "cz", "si", "e", "e3", "sq", "low"),
            *_each("np.linalg.pinv(A, 0.1)", "x", "tall", "low"),
            *_each("np.linalg.pinv(A, rcond=[0.1, 0.9])", "tall"),
            *_each("np.linalg.pinv(A, hermitian=True)", "pd", "sp", "hz"),
            *_each("np.linalg.cond(A)", "x", "tall", "sd", "cz", "si", "sq"),
            *[
                one
                for order in (*_ORDERS, "'fro'", "'nuc'")
                for one in _each(f"np.linalg.cond(A, {order})", "sq", "st", "sd")
            ],
            "np.linalg.cond(np.zeros((2, 2), 'float32'), 1)",
            "np.linalg.cond(np.array([[[1, 2], [2, 4]], [[1, 0], [0, 2]]], 'float32'), 1)",
            "np.linalg.cond(np.zeros((2, 2), 'float32'))",
            *_each("np.linalg.matrix_rank(A)", "x", "tall", "sd", "cz", "si", "low", "v", "s", "np.zeros(3)"),
            "np.linalg.matrix_rank(sd, 3.0)",
            "np.linalg.matrix_rank(tall, [0.1, 100])",
            "np.linalg.matrix_rank(pd, hermitian=True)",
            *_each(
                "np.linalg.norm(A)", "x", "v", "t", "q", "s", "z", "i", "e", "d", "h", "n", "[3, 4]", "[3., 4.]", "b"
            ),
            *[one for order in (*_ORDERS, "'fro'", "'nuc'") for one in _each(f"np.linalg.norm(A, {order})", "x", "sd")],
            *[
                one
                for order in ("0", "3", "2.5", "-3", *_ORDERS)
                for one in _each(f"np.linalg.norm(A, {order}, axis=1)", "x", "t", "i", "z")
            ],
            *[
                one
                for order in (*_ORDERS, "'fro'", "'nuc'")
                for one in _each(f"np.linalg.norm(A, ord={order}, axis=(0, -1), keepdims=True)", "t")
            ],
            "np.linalg.norm(t, 1, axis=(2, 0))",
            "np.linalg.norm(t, np.inf, axis=(-1, 1))",
            "np.linalg.norm(x, axis=0, keepdims=True)",
            "np.linalg.norm(t, keepdims=True)",
            "np.linalg.norm(x, 'f')",
            "np.linalg.norm(v, 0)",
            "np.linalg.norm(n, np.inf)",
            "np.linalg.norm(h, axis=0)",
            "np.linalg.norm(x, axis=(1,))",
            *_each(
                "np.linalg.solve(A)",
                "sq, v",
                "sq, x.T",
                "sd, np.ones((4, 2), 'float32')",
                "st, np.ones((3, 2), 'float32')",
                "cz, cz",
                "st, st",
                "si, [1, 2, 3]",
                "sq, sd",
                "sq, np.ones((2, 4, 1), 'float32')",
                "e0, e0",
                "sq, np.ones((4, 0), 'float32')",
                "e3, np.ones((3, 2), 'float32')",
                "st[0], st",
                "sq, i.T",
                "st, np.ones(3, 'float32')",
            ),
            *_each(
                "np.linalg.lstsq(A)",
                "tall[0], np.ones(5, 'float32')",
                "tall[0], np.ones((5, 2), 'float32')",
                "x, np.ones(3, 'float32')",
                "sd, np.ones(4, 'float32')",
                "low, np.ones(3, 'float32')",
                "si, [1, 2, 3]",
                "tall[0], np.ones(5, 'float32'), 0.5",
                "sd, v, -1",
            ),
            *[
                f"np.linalg.matrix_power({one}, {n})"
                for one in ("sq", "st", "cz", "sd")
                for n in (0, 1, 2, 3, 7, -1, -3)
            ],
            *[f"np.linalg.matrix_power(si, {n})" for n in (0, 1, 2, 5, -2)],
            "np.linalg.multi_dot([x, x.T])",
            "np.linalg.multi_dot([x, x.T, x])",
            "np.linalg.multi_dot([v, x.T, x, sq, v])",
            "np.linalg.multi_dot([x, sq, sq, x.T, y])",
            "np.linalg.multi_dot([v, sq, v])",
            "np.linalg.multi_dot([sq, sq, v])",
            "np.linalg.multi_dot([x, sq, x.T], out=np.zeros((3, 3), 'float32'))",
            "np.linalg.tensorsolve(np.reshape(sd, (2, 2, 4)), np.ones((2, 2), 'float32'))",
            "np.linalg.tensorsolve(np.reshape(sd, (2, 4, 2)), np.ones((2, 2), 'float32'), axes=(1,))",
            "np.linalg.tensorinv(np.reshape(sq, (2, 2, 4)))",
            "np.linalg.tensorinv(np.reshape(sq, (4, 2, 2)), ind=1)",
            *_each("np.linalg.eigvals(A)", "cz", "hz", "cz[None]"),
            *_each("abs(np.linalg.eig(A)[1])", "cz", "hz"),
        ]
    ),
    "linalg of the array API": """
np.linalg.cholesky(pd, upper=True)
np.linalg.cholesky(hz, upper=True)
np.linalg.cross([1, 2, 3], [4, 5, 6])
np.linalg.cross(x[:, :3], y[:, :3])
np.linalg.cross(x, y, axis=0)
np.linalg.diagonal(x)
np.linalg.diagonal(t)
np.linalg.diagonal(t, offset=1)
np.linalg.diagonal(t, offset=-2)
np.linalg.diagonal(x, offset=7)
np.linalg.matmul(x, f.T)
np.linalg.matrix_norm(t)
np.linalg.matrix_norm(t, ord=1, keepdims=True)
np.linalg.matrix_norm(t, ord='nuc')
np.linalg.matrix_transpose(t)
np.linalg.outer(v, v)
np.linalg.svdvals(x)
np.linalg.svdvals(tall)
np.linalg.tensordot(x, f, axes=([1], [1]))
np.linalg.trace(m)
np.linalg.trace(t)
np.linalg.trace(t, offset=1)
np.linalg.trace(k, dtype='float64')
np.linalg.vecdot(x, y)
np.linalg.vecdot(x, y, axis=0)
np.linalg.vecdot(z, z)
np.linalg.vector_norm(x)
np.linalg.vector_norm(t, axis=(0, 2))
np.linalg.vector_norm(t, axis=(0, 2), keepdims=True, ord=1)
np.linalg.vector_norm(t, keepdims=True)
np.linalg.vector_norm(x, axis=1, ord=3)
np.linalg.vector_norm(v, ord=0)
np.linalg.pinv(x, rtol=0.2)
np.linalg.pinv(x, rtol=None)
np.linalg.matrix_rank(x, rtol=0.5)
np.linalg.matrix_rank(tall, rtol=[0.1, 0.9])
np.matrix_transpose(x)
np.matrix_transpose(t)
np.vecdot(x, y)
np.vecdot(x, v)
np.vecdot(x, y, axis=0)
np.vecdot(t, x, axis=-2)
np.vecdot(z, z)
np.vecdot(z, x)
np.vecdot(t, x, axes=[1, 0])
np.vecdot(x, y, keepdims=True)
np.vecdot(t, t, axis=1, keepdims=True)
np.vecdot(i, i)
np.vecdot(b, b)
np.vecdot(e, e)
np.vecdot(x, y, out=np.zeros(3, 'float32'))
np.vecdot(x, y, dtype='float64')
""",
    "linalg of NumPy 2.2": """
np.matvec(x, v)
np.matvec(t, x)
np.matvec(t, v)
np.matvec(cz, cz)
np.matvec(i, j)
np.matvec(b, b[0])
np.matvec(x, v, dtype='float64')
np.matvec(x.T, v, axes=[(1, 0), 0, 0])
np.vecmat(v, x.T)
np.vecmat(x, sq)
np.vecmat(cz, cz)
np.vecmat(j, i.T)
np.vecmat(v, x.T, out=np.zeros(3, 'float32'))
""",
    # Where older versions give a complex condition number, and an error.
    "linalg of NumPy 2.4": """
np.linalg.cond(cz, 1)
np.linalg.cond(cz, -np.inf)
np.linalg.cond(cz, 'fro')
np.linalg.cond(cz, 'nuc')
np.linalg.matrix_rank(e0)
np.linalg.matrix_rank(e3)
""",
    "products": """
np.matmul(x, f.T, dtype='float64')
np.matmul(x, f.T, casting='safe')
np.matmul(x, f.T, order='C')
np.matmul(x, f.T, subok=False)
np.matmul(x, x, axes=[(0, 1), (1, 0), (0, 1)])
np.matmul(t, t, axes=[(0, 1), (1, 0), (0, 1)])
np.matmul(t, x, axes=[(-2, -1), (1, 0), (2, 0)])
np.matmul(i, i.T, dtype='float32', casting='unsafe')
np.matmul(x, f.T, signature='ff->f')
np.matmul(x, f.T, signature=('d', 'd', 'd'))
np.matmul(cz, cz)
np.dot(cz, cz)
np.dot(z, z.T)
np.vdot(z, z)
np.vdot(x, z)
np.vdot(z, x)
np.inner(z, z)
np.outer(z, v)
np.outer(v, v, out=np.zeros((4, 4), 'float32'))
np.outer(v, v, np.zeros((4, 4), 'float64'))
np.tensordot(z, z, axes=([1], [1]))
np.tensordot(x, f, axes=(np.array([0, 1]), np.array([0, 1])))
np.tensordot(x, f.T, axes=np.array(1))
np.tensordot(x, y, axes=[-1, -1])
np.trace(x, offset=-1)
np.trace(t, 1, 2, 1)
np.trace(z)
np.trace(x, dtype='float64')
np.trace(t, out=np.zeros(4, 'float32'))
np.trace(e)
np.trace(x, 9)
np.trace([[1.5, 2], [3, 4]])
np.cross(x[:, :3], y[:, :3])
np.cross(x, y, axis=0)
np.cross(x, y, axisa=0, axisb=0, axisc=0)
np.cross(t[:, :, :3], x[:, :3])
np.cross(i[:, :3], k[:, :3])
np.cross([1, 2, 3], [4, 5, 6])
np.cross(z[:, :3], z[:, 1:])
np.cross(t, x, axisa=1, axisb=0, axisc=1)
np.kron(x, y)
np.kron(v, v)
np.kron(x, v)
np.kron(t, x)
np.kron(v, t)
np.kron(s, x)
np.kron(2, x)
np.kron(i, k)
np.kron(b, b)
np.kron(e, x)
np.kron([1, 2], [[1], [2]])
np.kron(z, v)
np.einsum(x, [0, 1], f, [2, 1], [0, 2])
np.einsum(x, [0, 1], f, [2, 1])
np.einsum(x, [1, 0])
np.einsum(x, [0, 1], [1, 0])
np.einsum(m, [0, 0])
np.einsum(m, [3, 3], [3])
np.einsum(t, [Ellipsis, 1], v, [1])
np.einsum(t, [Ellipsis, 1], v, [1], [Ellipsis])
np.einsum(x, [30, 2], y, [30, 2], [2])
np.einsum(x, (0, 1), v, (1,), (0,))
np.einsum('ij,jk->ik', x, f.T, dtype='float64')
np.einsum('ij,jk->ik', i, i.T, dtype='float64')
np.einsum('ij,jk->ik', x, f.T, dtype='float64', casting='same_kind')
np.einsum('ij,jk->ik', x, f.T, out=np.zeros((3, 3), 'float64'))
np.einsum('ij,jk->ik', x, f.T, order='C')
np.einsum('ij,jk->ik', d, x.T, out=np.zeros((3, 3), 'float32'), casting='same_kind')
np.einsum('ij,jk,kl,lm->im', x, sq, sq, x.T, optimize=True)
np.einsum('ij,jk,kl,lm->im', x, sq, sq, x.T, optimize='optimal')
np.einsum('ij,jk,kl,lm->im', x, sq, sq, x.T, optimize='greedy')
np.einsum('ij,jk,kl->il', x, sq, x.T, optimize=['einsum_path', (1, 2), (0, 1)])
np.einsum('ij,jk,kl,lm->im', x, sq, sq, x.T, optimize=('greedy', 1000))
np.einsum('iij->ij', tall[:, :2])
np.einsum('iij->ji', tall[:, :2])
np.einsum('iji->j', tall[:, :, :2])
np.einsum('ii->', m)
np.einsum('iii->i', st[:, :2, :2])
np.einsum('ii...->...i', q[:, :2])
np.einsum('...ii->...i', st)
np.einsum('...ii->...', st)
np.einsum('...ij,...jk->...ik', st, st[0])
np.einsum('i...,i...->...', x, y)
np.einsum('ij...,jk...->ik...', sq, sq)
np.einsum('b...,b...', t, t)
np.einsum('ij,ij->', z, z)
np.einsum('ij,j', z, v)
np.einsum('i->', [True, True])
np.einsum('', 3)
np.einsum(',', 3, 4.5)
np.einsum('ij,jk,ki->', sq, sq, sq)
np.einsum('ea,fb,abcd,gc,hd->efgh', sq, sq, np.ones((4, 4, 4, 4), 'float32'), sq, sq)
np.einsum('i,j,k->ijk', v, v, v)
np.einsum('e...,e...->...', e, e)
np.einsum('ij,kj->ik', e, x[:, :3])
np.einsum_path('ij,jk,kl->il', x, sq, x.T)[0]
np.einsum_path('ij,jk,kl->il', x, sq, x.T, optimize='optimal')[0]
np.einsum_path('ij,jk,kl->il', x, sq, x.T, optimize=False)[0]
np.einsum_path('ij,jk,kl->il', x, sq, x.T)[1]
np.einsum_path(x, [0, 1], sq, [1, 2], v, [2])[0]
""",
}

ERRORS = """
np.linalg.inv(v)
np.linalg.inv(tall)
np.linalg.inv(h)
np.linalg.inv(h[:3, :3])
np.linalg.inv(low)
np.linalg.inv(np.zeros((2, 2), 'float32'))
np.linalg.det(x)
np.linalg.det(s)
np.linalg.slogdet(x)
np.linalg.cholesky(x)
np.linalg.cholesky(-pd)
np.linalg.cholesky(sp - 50)
np.linalg.eigh(x)
np.linalg.eigh(pd, UPLO='X')
np.linalg.eigvalsh(pd, 'lower')
np.linalg.eig(x)
np.linalg.eigvals(v)
np.linalg.eig(np.array([[np.nan, 1], [1, 2]]))
np.linalg.svd(v)
np.linalg.svd(np.array([[np.nan, 1], [1, 2]]))
np.linalg.svd(x, hermitian=True)
np.linalg.svd(h)
np.linalg.qr(v)
np.linalg.qr(x, mode='other')
np.linalg.pinv(v)
np.linalg.pinv(tall, [0.1, 0.2, 0.3])
np.linalg.cond(x, 1)
np.linalg.cond(v)
np.linalg.cond(e0)
np.linalg.cond(sq, 'other')
np.linalg.solve(x, x)
np.linalg.solve(low, v[:3])
np.linalg.solve(sq, x)
np.linalg.solve(sq, v[:3])
np.linalg.solve(st, np.ones((5, 3, 2), 'float32'))
np.linalg.solve(v, v)
np.linalg.lstsq(x, v)
np.linalg.lstsq(t, v)
np.linalg.lstsq(x, s)
np.linalg.matrix_power(x, 2)
np.linalg.matrix_power(sq, 1.5)
np.linalg.matrix_power(low, -1)
np.linalg.matrix_power(v, 2)
np.linalg.multi_dot([x])
np.linalg.multi_dot([x, x, x])
np.linalg.multi_dot([x, t, x])
np.linalg.norm(x, 3)
np.linalg.norm(x, 'other')
np.linalg.norm(v, 'fro')
np.linalg.norm(t, 2)
np.linalg.norm(x, axis=2)
np.linalg.norm(x, axis=(0, 0))
np.linalg.norm(t, axis=(0, 1, 2))
np.linalg.norm(x, 2, axis='a')
np.linalg.tensorinv(sq, ind=0)
np.linalg.tensorinv(x, ind=1)
np.linalg.tensorsolve(np.ones((2, 3, 4), 'float32'), np.ones((2, 3), 'float32'))
np.einsum('ij,jk', x)
np.einsum('ij->i', x, optimize='other', dtype='float16')
np.einsum('ij,jk->ik', x, f.T, dtype='int32')
np.einsum('ij,jk->ik', d, x.T, out=np.zeros((3, 3), 'float32'))
np.einsum('ij,jk->ik', x, f.T, order='X')
np.einsum(x, [0, 1, 2])
np.einsum(x, [0, -1])
np.einsum(x, [0, 99])
np.einsum()
np.einsum('i.j', x)
np.einsum('ii->i', x)
np.einsum('ij->ik', x)
np.einsum_path('ij,jk', x)
np.matmul(x, f.T, axis=1)
np.matmul(x, f.T, keepdims=True)
np.matmul(x, f.T, dtype='int32')
np.matmul(x, f.T, axes=[(0, 1)])
np.matmul(x, f.T, order='X')
np.matmul(d, f.T, dtype='float32', casting='safe')
np.matmul(x, f.T, out=np.zeros((3, 3), 'int32'))
np.vdot(x, v)
np.cross(x, y)
np.cross(s, v)
np.trace(s)
np.tensordot(x, x, axes=([0], [5]))
np.tensordot(x, y, axes=3)
np.matmul(x, v[:3])
"""

ERRORS_OF_THE_ARRAY_API = """
np.linalg.cross(v, v)
np.linalg.outer(x, v)
np.linalg.diagonal(v)
np.linalg.trace(v)
np.linalg.pinv(x, 0.1, rtol=0.1)
np.linalg.matrix_rank(x, 0.1, rtol=0.1)
np.linalg.matrix_transpose(v)
np.matrix_transpose(v)
np.vecdot(x, v[:3])
np.vecdot(s, v)
"""
