"""Import rules of operators that MXNet 1.9.1 runs on GPUs only: the count sketch and Fourier transforms."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.nn.sketches import count_sketch
from dopegraph.symbols.arithmetic import floats
from dopegraph.symbols.errors import SymbolError


def sketch(x: Any, h: Any, s: Any, *, out_dim: int, processing_batch_size: int = 32) -> Any:
    floats(x, s)
    if out_dim < 1 or h.size != x.shape[-1] or s.size != x.shape[-1]:
        raise SymbolError(f"count_sketch: out_dim={out_dim}, {h.size} places and {s.size} signs for {x.shape}")
    return count_sketch(x, h, s, out_dim)


def fft(x: Any, *, compute_size: int = 128) -> Any:
    """Real and imaginary parts take turns."""
    floats(x)
    found = np.fft.fft(x)
    return np.reshape(np.stack([found.real, found.imag], axis=-1), (*x.shape[:-1], 2 * x.shape[-1]))


def ifft(x: Any, *, compute_size: int = 128) -> Any:
    """The real part of the inverse, without a division by the length."""
    floats(x)
    if x.shape[-1] % 2:
        raise SymbolError(f"ifft: real and imaginary parts take turns, but a row has {x.shape[-1]} numbers")
    return np.fft.ifft(x[..., ::2] + 1j * x[..., 1::2], norm="forward").real


RULES = {"_contrib_count_sketch": sketch, "_contrib_fft": fft, "_contrib_ifft": ifft}
