"""Automatic differentiation (the book's chapter 4): gradients, head gradients, gradients through loops and branches.

python -m examples.part1.autograd
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options

BOOK = {
    "x.grad": [[4, 8], [12, 16]],
    "with_head_gradient": [[40, 8], [1.20000005, 0.16]],
    "through_control_flow": [2048.0, 204800.0, 20480.0],
}


@dopegraph.compile
def gradient(x, head):
    x.attach_grad()
    with dopegraph.record():
        y = x * 2
        z = y * x
    z.backward(head)
    return x.grad


@dopegraph.compile
def through_control_flow(a, head):
    """How often the loop runs, and which branch is taken, depends on values: each way is recorded when it is taken."""
    a.attach_grad()
    with dopegraph.record():
        b = a * 2
        while np.linalg.norm(b) < 1000:
            b = b * 2
        c = b if np.sum(b) > 0 else 100 * b
    c.backward(head)
    return a.grad


def main(arguments=None):
    options(__doc__, arguments=arguments)
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    a = np.array([-0.67765152, 0.03629481, 0.10073948])  # MXNet's first three normal numbers for seed 1
    head = np.array([0.01, 1.0, 0.1])
    found = {
        "x.grad": gradient(x, None),
        "with_head_gradient": gradient(x, np.array([[10, 1.0], [0.1, 0.01]])),
        "through_control_flow": through_control_flow(a, head),
    }
    # The same as a function: derivatives of any order.
    second = dopegraph.grad(dopegraph.grad(lambda x: np.sum(2 * x * x * x)))
    print("the second derivative of 2 x^3 at 3:", second(np.array(3.0)))
    print(dopegraph.explain(through_control_flow)(a, head))
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
