"""Linear algebra (the book's chapter 2): scalars, vectors, matrices, sums, products, norms.

python -m examples.part1.linear_algebra
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options

BOOK = {
    "scalars": [5.0, 6.0, 1.5, 9.0],
    "A[2,3]": 11,
    "row": [8, 9, 10, 11],
    "column": [3, 7, 11, 15, 19],
    "u + v": [3, 4, 6, 10],
    "u - v": [-1, 0, 2, 6],
    "u * v": [2, 4, 8, 16],
    "u / v": [0.5, 1, 2, 4],
    "sum": [15, 190],
    "mean": [9.5, 9.5],
    "u . v": [30, 30],
    "A u": [34, 94, 154, 214, 274],
    "A B": 4.0,
    "norms": [9.219544, 15],
}


@dopegraph.compile
def scalars(x, y):
    return x + y, x * y, x / y, np.power(x, y)


@dopegraph.compile
def elementwise(u, v):
    return u + v, u - v, u * v, u / v


@dopegraph.compile
def reductions(u, A):
    return np.sum(u), np.sum(A), np.mean(A), np.sum(A) / A.size


@dopegraph.compile
def products(u, v, A, B):
    return np.dot(u, v), np.sum(u * v), np.dot(A, u), np.dot(np.ones((3, 4)), B)


@dopegraph.compile
def norms(u):
    return np.linalg.norm(u), np.sum(np.abs(u))


@dopegraph.compile
def symmetric_parts(M):
    """Every square matrix is the sum of a symmetric and an antisymmetric one."""
    return (M + M.T) / 2, (M - M.T) / 2


def main(arguments=None):
    options(__doc__, arguments=arguments)
    x, y = np.array([3.0]), np.array([2.0])
    print(f"x as a number: {x.item()}")
    A = np.arange(20).reshape((5, 4))
    print(A, A.T, np.arange(24).reshape((2, 3, 4)), sep="\n")
    u, v = np.array([1.0, 2, 4, 8]), np.ones(4) * 2
    print(f"len(u) = {len(u)}, u.shape = {u.shape}, u[3] = {u[3]}, a x + y = {2 * np.array([1, 2, 3]) + 10}")
    total, total_A, mean, quotient = reductions(u, A)
    dot, sum_of_products, matrix_vector, matrix_matrix = products(u, v, A, np.ones((4, 5)))
    M = A[:4]
    symmetric, antisymmetric = symmetric_parts(M)
    assert np.array_equal(symmetric, symmetric.T) and np.array_equal(antisymmetric, -antisymmetric.T)
    assert np.array_equal(symmetric + antisymmetric, M)
    assert np.all(matrix_matrix == matrix_matrix[0, 0])
    found = {
        "scalars": [result.item() for result in scalars(x, y)],
        "A[2,3]": A[2, 3].item(),
        "row": A[2, :],
        "column": A[:, 3],
        **dict(zip(["u + v", "u - v", "u * v", "u / v"], elementwise(u, v))),
        "sum": [total.item(), total_A.item()],
        "mean": [mean.item(), quotient.item()],
        "u . v": [dot.item(), sum_of_products.item()],
        "A u": matrix_vector,
        "A B": matrix_matrix[0, 0].item(),
        "norms": [norm.item() for norm in norms(u)],
    }
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
