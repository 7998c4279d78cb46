"""Conway's Game of Life on a torus: a glider and a blinker, all cells of a generation updated at once.

python -m examples.numpy_scripts.game_of_life
"""

import dopegraph.numpy as np

GLIDER = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
SHIFTS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def step(cells):
    """Advance the world by one generation, in place."""
    neighbours = np.zeros(cells.shape, dtype=np.int8)
    for shift in SHIFTS:
        neighbours += np.roll(cells, shift, axis=(0, 1))
    cells &= neighbours == 2
    cells |= neighbours == 3


def picture(cells):
    return "\n".join("".join("#" if cell else "." for cell in row) for row in cells.tolist())


def main():
    world = np.zeros((8, 14), dtype=bool)
    world[:3, :3] = GLIDER
    world[5, 8:11] = True

    lines, populations = ["generation 0", picture(world)], []
    for _ in range(16):
        step(world)
        populations.append(int(world.sum()))
    lines += ["generation 16", picture(world)]

    # After 4 generations a glider stands one cell further down and to the right.
    moved = np.roll(world, (-4, -4), axis=(0, 1))[:3, :3]
    lines.append(f"the glider has moved by four cells: {np.array_equal(moved, GLIDER)}")
    lines.append(f"populations {populations}, never above {np.max(populations)}")
    ys, xs = np.nonzero(world)
    lines.append(
        f"living rows {np.unique(ys)}, columns {xs.min()} to {xs.max()}, centre ({ys.mean():.2f}, {xs.mean():.2f})"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
