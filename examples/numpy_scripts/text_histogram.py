"""A histogram in characters, with the moments and quantiles of the data beside it.

python -m examples.numpy_scripts.text_histogram
"""

import dopegraph.numpy as np

WIDTH = 40


def sample(count):
    """Two overlapping bumps: quantiles of the logistic distribution, shifted and scaled."""
    p = (np.arange(count) + 0.5) / count
    logistic = np.log(p / (1 - p))
    return np.concatenate([logistic[::2], 5.05 + 0.6 * logistic[1::2]])


def moments(x):
    """Mean, standard deviation, skewness and kurtosis."""
    mean = x.mean()
    centred = x - mean
    deviation = np.sqrt((centred**2).mean())
    scaled = centred / deviation
    return mean, deviation, (scaled**3).mean(), (scaled**4).mean()


def bars(counts):
    """One row of characters a bin, as a boolean array."""
    lengths = np.rint(counts * WIDTH / counts.max()).astype(int)
    return np.arange(WIDTH) < lengths[:, np.newaxis]


def main():
    data = sample(1000)
    counts, edges = np.histogram(data, bins=np.linspace(-6.05, 9.05, 16))
    lines = []
    for left, right, count, bar in zip(edges[:-1], edges[1:], counts, bars(counts)):
        drawn = "".join("#" if filled else " " for filled in bar.tolist())
        lines.append(f"{left:6.2f} to {right:5.2f} |{drawn}| {count}")
    outside = np.sum((data < edges[0]) | (data > edges[-1]))
    lines.append(f"{counts.sum()} inside, {outside} outside")
    names = ["mean", "deviation", "skewness", "kurtosis"]
    lines.append(", ".join(f"{name} {value:.2f}" for name, value in zip(names, moments(data))))
    lines.append("quintiles " + " ".join(f"{value:.2f}" for value in np.percentile(data, [20, 40, 60, 80])))
    peaks = np.flatnonzero((counts[1:-1] > counts[:-2]) & (counts[1:-1] >= counts[2:])) + 1
    lines.append("peaks near " + ", ".join(f"{(edges[k] + edges[k + 1]) / 2:.1f}" for k in peaks))
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
