"""Manipulate data with ndarray (the book's chapter 1): arithmetic, memory, slices, broadcasting, devices.

python -m examples.part1.ndarray
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options

BOOK = {
    "exp(y)": [0.50780815, 1.03696156, 1.1059885, 0.61247683],
    "dot(x, y.T)": [-1.03086138, -0.68363053, -4.79601431],
    "add(x, y)": [1.32234848, 2.03629494, 2.10073948, 1.50975585],
    "x[1,2] = 9": [2.57595444, 1.0498209, 9.0, 2.03751945],
    "x[1:2,1:3] = 5": [2.57595444, 5.0, 5.0, 2.03751945],
    "ones + row": [[1, 2, 3], [1, 2, 3], [1, 2, 3]],
    "ones + column": [[1, 1, 1], [2, 2, 2], [3, 3, 3]],
    "same_memory": [False, True, True, True],
}

np.random.seed(1)

# What MXNet's generator draws for seed 1; ours draws other numbers.
DRAWN = [
    [-0.67765152, 0.03629481, 0.10073948, -0.49024421],
    [0.57595438, -0.95017916, -0.3469252, 0.03751944],
    [-0.22134334, -0.72984636, -1.80471897, -2.04010558],
]


@dopegraph.compile
def operations(x, y):
    return x + y, x * y, np.exp(y), np.dot(x, y.T)


@dopegraph.compile
def slices(x):
    """Writes into its argument, as in NumPy; what it returns are copies of rows in between."""
    x[1, 2] = 9.0
    one = x[1].copy()
    x[1:2, 1:3] = 5.0
    return x[1:3], one


@dopegraph.compile
def broadcasting():
    x, y = np.ones((3, 3)), np.arange(3)
    return x + y, x + y.reshape((3, 1))


def memory(x, y):
    """Whether a name has the same array as before; what is in z and x then."""
    same = []
    before = id(y)
    y = y + x
    same.append(id(y) == before)
    z = np.zeros_like(x)
    before = id(z)
    z[:] = x + y
    same.append(id(z) == before)
    np.add(x, y, out=z)
    same.append(id(z) == before)
    before = id(x)
    x += y
    same.append(id(x) == before)
    return same, z, x


def main(arguments=None):
    options(__doc__, arguments=arguments)
    print(np.zeros((3, 5)), np.ones((3, 4)), np.random.normal(0, 1, (3, 4)), sep="\n")
    x, y = np.ones((3, 4)), np.array(DRAWN)
    print(f"shape {y.shape}, size {y.size}, on {y.device}")
    _, _, exponential, product = operations(x, y)

    same, z, x = memory(x, y)
    both, one = slices(x)
    print(both)
    rows, columns = broadcasting()

    a = x.asnumpy()
    print(type(a), type(np.array(a)))
    print(f"x.to({x.device}) is x: {x.to(x.device) is x}; x.copy() is x: {x.copy() is x}")
    found = {
        "exp(y)": exponential[0],
        "dot(x, y.T)": product[0],
        "add(x, y)": z[0],
        "x[1,2] = 9": one,
        "x[1:2,1:3] = 5": x[1],
        "ones + row": rows,
        "ones + column": columns,
        "same_memory": same,
    }
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
