"""The heat equation on a square plate: explicit steps of finite differences, until the plate is nearly at rest.

python -m examples.numpy_scripts.heat_equation
"""

import dopegraph.numpy as np

SIZE, RATE = 21, 0.2


def step(u):
    """One explicit Euler step of du/dt = laplacian(u), in place; the border keeps its temperature."""
    u[1:-1, 1:-1] += RATE * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1])


def residual(u):
    """How far the plate is from rest: the largest Laplacian."""
    laplacian = np.diff(u, n=2, axis=0)[:, 1:-1] + np.diff(u, n=2, axis=1)[1:-1]
    return np.abs(laplacian).max()


def picture(u):
    """Every second row and column in characters, the hottest darkest."""
    levels = np.digitize(u[::2, ::2], [5, 15, 30, 50, 70])
    return ["".join(" .:=+#"[level] for level in row) for row in levels.tolist()]


def main():
    plate = np.zeros((SIZE, SIZE))
    plate[0, :] = 100.0
    plate[:, 0] = np.linspace(100, 0, SIZE)
    plate[8:13, 8:13] = 80.0

    lines = []
    for number in range(601):
        if number % 150 == 0:
            lines.append(
                f"step {number:3d}: mean {plate.mean():6.2f}, centre {plate[10, 10]:6.2f}, "
                f"residual {residual(plate):.3f}"
            )
        step(plate)

    lines += picture(plate)
    middle = plate[SIZE // 2, ::5]
    lines.append("along the middle: " + " ".join(f"{value:.1f}" for value in middle))
    rows = np.argmin(abs(plate - 50), axis=0)[1:-1:3]
    lines.append(f"50 degrees in the rows {rows}")
    gradient = np.gradient(plate[:, SIZE // 2])
    lines.append(f"steepest at row {np.argmin(gradient)}, {gradient.min():.2f} degrees a cell")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
