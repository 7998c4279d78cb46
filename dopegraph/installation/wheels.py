"""Which wheels MXNet comes in, for which platforms, and what they need beside them.

The facts behind `install_mxnet`; taken from the package index, where MXNet 1.9.1 is the last release.
"""

from __future__ import annotations

VERSION = "1.9.1"

# Pure requirements of MXNet's Python code that dopegraph itself does not have.
COMPANIONS = ("requests",)

DEFAULT_CUDA = "cu117"
CUDA_WHEELS = ("cu110", "cu112", "cu113", "cu116", "cu117")

# The CUDA wheels carry no CUDA. Any 11.x serves all of them; these are the last on the package index.
CUDA_LIBRARIES = (
    "nvidia-cublas-cu11==11.11.3.6",
    "nvidia-cuda-nvrtc-cu11==11.8.89",
    "nvidia-cuda-runtime-cu11==11.8.89",
    "nvidia-cudnn-cu11==8.9.6.50",
    "nvidia-cufft-cu11==10.9.0.58",
    "nvidia-curand-cu11==10.3.0.86",
    "nvidia-cusolver-cu11==11.4.1.48",
    "nvidia-cusparse-cu11==11.7.5.86",
    "nvidia-nccl-cu11==2.21.5",
    "nvidia-nvtx-cu11==11.8.86",
)


def distribution(cuda: str | None) -> str:
    """Return the name on the package index of MXNet for the CPU (None) or for a CUDA version such as "cu117"."""
    return f"mxnet-{cuda}" if cuda else "mxnet"


def why_no_wheel(system: str, machine: str, libc: str, cuda: str | None) -> str | None:
    """Say why there is no wheel for a platform, or return None if there is one.

    Parameters
    ----------
    system, machine
        As `platform.system` and `platform.machine` name them.
    libc
        As `platform.libc_ver` names it, or "".
    cuda
        A CUDA version such as "cu117", or None for the CPU.

    Examples
    --------
    >>> why_no_wheel("Linux", "x86_64", "glibc", None)
    >>> why_no_wheel("Windows", "AMD64", "", None)
    'MXNet 1.9.1 has no wheel for Windows'
    """
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    found = f"MXNet {VERSION} has no wheel for"
    if system == "Linux" and libc not in ("glibc", ""):
        return f"{found} Linux with {libc}; it needs glibc"
    if system == "Linux" and cuda and machine != "x86_64":
        return f"{found} CUDA on {machine}"
    if system == "Linux" and machine in ("x86_64", "aarch64"):
        return None
    if system == "Darwin" and machine == "x86_64" and not cuda:
        return None
    if system == "Linux":
        return f"{found} Linux on {machine}"
    if system == "Darwin":
        return f"{found} macOS with CUDA" if cuda else f"{found} macOS on Apple silicon"
    return f"{found} {system}"
