"""Install MXNet 1.9.1. pip alone cannot: its metadata excludes current NumPys."""

from __future__ import annotations

import argparse

from dopegraph.installation.install_mxnet import install
from dopegraph.installation.wheels import CUDA_WHEELS, DEFAULT_CUDA

HELP = "install MXNet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph setup``."""
    parser.add_argument(
        "--cuda",
        nargs="?",
        const=DEFAULT_CUDA,
        choices=CUDA_WHEELS,
        help=f"install the build for NVIDIA GPUs, and the CUDA libraries (without a value: {DEFAULT_CUDA})",
    )
    parser.add_argument("--python", metavar="PATH", help="install for this Python (default: the one running)")
    parser.add_argument("--dry-run", action="store_true", help="only print the commands")


def run(chosen: argparse.Namespace) -> int:
    """Install it, or say which commands would."""
    return install(chosen.cuda, chosen.python, chosen.dry_run)
