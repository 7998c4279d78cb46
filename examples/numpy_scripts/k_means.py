"""K-means clustering: three spiral clouds of points are found again by Lloyd's iteration.

python -m examples.numpy_scripts.k_means
"""

import dopegraph.numpy as np

CENTRES = np.array([[0.0, 0.0], [2.5, 1.0], [1.0, 3.0]])


def clouds(count):
    """Points on a sunflower's spiral around each centre, and the number of the centre."""
    steps = np.arange(count)
    radius = 1.5 * np.sqrt((steps + 0.5) / count)
    angle = steps * (np.pi * (3 - np.sqrt(5)))
    spiral = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    points = (CENTRES[:, None, :] + spiral).reshape(-1, 2)
    return points, np.repeat(np.arange(len(CENTRES)), count)


def assign(points, means):
    """The nearest mean of every point, and the sum of the squared distances to them."""
    distances = ((points[:, None, :] - means) ** 2).sum(axis=-1)
    return distances.argmin(axis=1), distances.min(axis=1).sum()


def update(points, labels, means):
    """Move every mean to the middle of its points; one without points stays."""
    members = labels == np.arange(len(means))[:, None]
    sizes = members.sum(axis=1, keepdims=True)
    np.divide(members @ points, sizes, out=means, where=sizes > 0)


def main():
    points, truth = clouds(60)
    means = points[[57, 58, 59]]
    lines, previous = [], np.full(len(points), -1)
    for iteration in range(20):
        labels, inertia = assign(points, means)
        changed = np.count_nonzero(labels != previous)
        lines.append(f"{iteration}: inertia {inertia:8.2f}, {changed} points change")
        if changed == 0:
            break
        update(points, labels, means)
        previous = labels

    order = np.lexsort((means[:, 1], means[:, 0]))
    for mean, size in zip(means[order], np.bincount(labels, minlength=3)[order]):
        lines.append(f"{size} points around ({mean[0]:.2f}, {mean[1]:.2f})")
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (truth, labels), 1)
    lines.append(f"purity {confusion.max(axis=0).sum() / len(points):.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
