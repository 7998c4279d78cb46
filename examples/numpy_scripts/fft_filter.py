"""A signal with hum in it: the spectrum shows the hum, and the Fourier transform without those lines is the signal.

python -m examples.numpy_scripts.fft_filter
"""

import dopegraph.numpy as np

RATE, SECONDS = 256, 2


def signal(t):
    """Two tones, the second growing louder."""
    return np.sin(2 * np.pi * 5 * t) + t / 2 * np.cos(2 * np.pi * 12 * t)


def amplitudes(x):
    """The one-sided amplitude spectrum of a signal that a Hann window has tapered."""
    window = np.hanning(len(x) + 1)[:-1]
    return 2 * np.abs(np.fft.rfft(x * window)) / window.sum()


def peaks(spectrum, least):
    """Whether a line is a local maximum above a level."""
    found = np.zeros(spectrum.shape, dtype=bool)
    middle = spectrum[1:-1]
    found[1:-1] = (middle > spectrum[:-2]) & (middle > spectrum[2:]) & (middle > least)
    return found


def remove(x, low, high):
    """The signal without the frequencies from low to high."""
    spectrum = np.fft.rfft(x)
    frequencies = np.fft.rfftfreq(len(x), d=1 / RATE)
    spectrum[(frequencies >= low) & (frequencies <= high)] = 0
    return np.fft.irfft(spectrum, n=len(x))


def main():
    t = np.arange(RATE * SECONDS) / RATE
    clean = signal(t)
    noisy = clean + 0.8 * np.sin(2 * np.pi * 50 * t + 1) + 0.3 * np.sign(np.sin(2 * np.pi * 50 * t + 0.123))
    frequencies = np.fft.rfftfreq(len(t), d=1 / RATE)

    lines = []
    for name, x in [("noisy", noisy), ("filtered", remove(remove(noisy, 45, 55), 100, 128))]:
        spectrum = amplitudes(x)
        places = np.flatnonzero(peaks(spectrum, 0.2))
        lines.append(f"{name}: power {np.mean(x**2):.3f}, error {np.sqrt(np.mean((x - clean) ** 2)):.3f}")
        for k in places:
            bar = "*" * round(30 * float(spectrum[k]))
            lines.append(f"    {frequencies[k]:5.1f} Hz {spectrum[k]:.2f} {bar}")

    smooth = np.convolve(noisy, np.ones(5) / 5, mode="same")
    lines.append(f"a moving average leaves an error of {np.sqrt(np.mean((smooth - clean) ** 2)):.3f}")
    energy = np.sum(np.abs(np.fft.fft(noisy)) ** 2) / len(noisy)
    lines.append(f"Parseval: {energy:.1f} = {np.dot(noisy, noisy):.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
