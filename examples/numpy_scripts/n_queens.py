"""The n queens puzzle by backtracking: boolean arrays of the columns and diagonals that are taken.

python -m examples.numpy_scripts.n_queens
"""

import dopegraph.numpy as np


class Board:
    """Rows are filled from the top; a diagonal is known by the sum or the difference of row and column."""

    def __init__(self, n):
        self.n = n
        self.columns = np.zeros(n, dtype=bool)
        self.falling = np.zeros(2 * n - 1, dtype=bool)
        self.rising = np.zeros(2 * n - 1, dtype=bool)
        self.queens = np.zeros((n, n), dtype=bool)


def free(board, row):
    """The columns of a row where no queen attacks."""
    n = board.n
    return ~(board.columns | board.rising[row : row + n] | board.falling[row : row + n][::-1])


def toggle(board, row, column):
    """Put a queen there, or take it away."""
    board.columns[column] ^= True
    board.rising[row + column] ^= True
    board.falling[row + board.n - 1 - column] ^= True
    board.queens[row, column] ^= True


def solutions(board, row=0):
    """All ways to fill the rows from this one on."""
    if row == board.n:
        yield board.queens.copy()
        return
    for column in np.flatnonzero(free(board, row)):
        toggle(board, row, column)
        yield from solutions(board, row + 1)
        toggle(board, row, column)


def main():
    found = np.array(list(solutions(Board(6))))
    lines = [f"{len(found)} solutions for 6 queens"]
    lines += [" ".join("Q" if queen else "." for queen in row) for row in found[0].tolist()]
    lines += [f"columns {queens.argmax(axis=1)}" for queens in found]
    lines.append("how often a queen stands on a square:")
    lines.append(str(found.sum(axis=0)))
    turned = np.rot90(found, axes=(1, 2))
    lines.append(f"the same when turned: {(found[:, None] == turned).all(axis=(2, 3)).any(axis=0).all()}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
