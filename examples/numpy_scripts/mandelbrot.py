"""The Mandelbrot set in characters: points iterate under a mask until they escape.

python -m examples.numpy_scripts.mandelbrot
"""

import dopegraph.numpy as np

WIDTH, HEIGHT, LIMIT = 64, 25, 40
SHADES = np.array([ord(shade) for shade in " .:-=+*%@#"], dtype=np.uint8)


def iterate(z, c, counts):
    """One step of z -> z * z + c for the points that have not escaped; they count it."""
    alive = z.real**2 + z.imag**2 <= 4
    z[alive] = z[alive] ** 2 + c[alive]
    counts[alive] += 1


def shade(counts):
    """Characters for counts, on a logarithmic scale."""
    level = np.log(counts) / np.log(LIMIT)
    level[counts == LIMIT] = 1.0
    return SHADES[np.rint(level * (len(SHADES) - 1)).astype(int)]


def main():
    x = np.linspace(-2.1, 0.7, WIDTH)
    y = np.linspace(-1.15, 1.15, HEIGHT)
    c = x[np.newaxis, :] + 1j * y[:, np.newaxis]
    z = np.zeros_like(c)
    counts = np.zeros(c.shape, dtype=np.int32)
    for _ in range(LIMIT):
        iterate(z, c, counts)

    lines = [bytes(row).decode() for row in shade(counts).tolist()]
    inside = counts == LIMIT
    area = inside.mean() * (x[-1] - x[0]) * (y[-1] - y[0])
    lines.append(f"{np.count_nonzero(inside)} of {inside.size} points stay, an area of about {area:.2f}")
    lines.append(f"symmetric about the real axis: {bool((counts == counts[::-1]).all())}")
    escaped, number = np.unique(counts[~inside], return_counts=True)
    order = np.argsort(-number, kind="stable")[:4]
    lines += [f"{n} points leave after {k} steps" for k, n in zip(escaped[order], number[order])]
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
