"""Gradient descent and stochastic gradient descent (the book's part 2, chapter 12): linear regression, five batch sizes.

python -m examples.part2.gradient_descent
"""

from examples.chapter import options
from examples.part2.descent import compare

batch_sizes, learning_rates = [1, 10, 100, 1000, 10000], [0.1, 0.1, 0.5, 0.5, 1.0]
books = {
    1: ([2.00191855, -3.40352154], 4.19731),
    10: ([1.99962676, -3.40070438], 4.20087),
    100: ([1.99993229, -3.40007687], 4.20093),
    1000: ([2.0000422, -3.40001583], 4.20009),
    10000: ([2.00000167, -3.40008521], 4.20016),
}


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments, name="gradient_descent")
    return compare(chosen, dict(zip(batch_sizes, learning_rates)), books, momentum=0.0)


if __name__ == "__main__":
    main()
