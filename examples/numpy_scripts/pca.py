"""Principal component analysis: the directions of largest variance of measurements, and how much two of them keep.

python -m examples.numpy_scripts.pca
"""

import dopegraph.numpy as np

NAMES = ["length", "width", "height", "weight"]


def measurements(count):
    """Four quantities that follow two hidden ones, with a little of something else."""
    t = np.linspace(0, 1, count)
    size, shape = np.sin(7 * t) + 2 * t, np.cos(11 * t)
    other = 0.4 * np.sin(101 * t**2)[:, None] * [1.0, -1.0, 2.0, 0.5] + 0.3 * np.cos(57 * t[:, None] * [1, 2, 3, 5])
    mixing = np.array([[2.0, 0.5, 1.0, 3.0], [0.5, -1.5, 1.0, 0.0]])
    return np.column_stack([size, shape]) @ mixing + other + [10, 5, 3, 40]


def standardize(data):
    """Every column with mean 0 and variance 1."""
    data = data - data.mean(axis=0)
    data /= data.std(axis=0, ddof=1)
    return data


def components(data):
    """Variances and unit directions, the largest variance first, each direction's largest entry positive."""
    covariance = data.T @ data / (len(data) - 1)
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = variances[::-1], directions[:, ::-1]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(np.take_along_axis(directions, largest[None, :], axis=0))
    return variances, directions * signs


def reconstruct(data, directions, keep):
    """The data as their projections on the first directions tell it."""
    kept = directions[:, :keep]
    return data @ kept @ kept.T


def main():
    data = standardize(measurements(150))
    variances, directions = components(data)
    share = np.cumsum(variances) / variances.sum()
    lines = ["component  variance  share   " + "  ".join(f"{name:>6}" for name in NAMES)]
    for k in range(len(variances)):
        loadings = "  ".join(f"{loading:6.2f}" for loading in directions[:, k])
        lines.append(f"{k + 1:9d}  {variances[k]:8.3f}  {share[k]:5.3f}   {loadings}")
    for keep in (1, 2, 3):
        error = data - reconstruct(data, directions, keep)
        lines.append(f"with {keep}: root mean square error {np.sqrt(np.mean(error**2)):.3f}")
    orthonormal = np.allclose(directions.T @ directions, np.eye(4), atol=1e-5)
    lines.append(
        f"orthonormal: {orthonormal}, correlation of scores 1 and 2: "
        f"{abs(np.corrcoef((data @ directions[:, :2]).T)[0, 1]):.2f}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
