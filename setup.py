"""Packages the folders `dopegraph`, `passes` and `backends` as one import package, `dopegraph`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ROOTS = {"dopegraph": "dopegraph", "dopegraph.passes": "passes", "dopegraph.backends": "backends"}


def packages():
    """Return the import name of every package in the three folders."""
    return [
        name for root, folder in ROOTS.items() for name in (root, *(f"{root}.{sub}" for sub in find_packages(folder)))
    ]


def version():
    """Return the version, read rather than imported: dopegraph's dependencies may not be installed yet."""
    text = (HERE / "dopegraph" / "version.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)


def readme():
    """Return the text for the package index."""
    path = HERE / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


# What MXNet 1.9.1 needs beside itself. MXNet is not in the list: its metadata demands numpy < 2 and graphviz < 0.9,
# which pip cannot resolve on current Pythons, although it runs there. `python -m dopegraph setup` installs the wheel.
MXNET = ["requests>=2.20", "scipy-openblas32"]
# Generated kernels call a BLAS; without this one NumPy's own.
CODEGEN = ["platformdirs", "scipy-openblas32"]
EXAMPLES = ["tqdm", "matplotlib", "pandas", "platformdirs", "scikit-learn", "scikit-image"]
ONNX = ["onnx>=1.14"]
CLI = ["shtab", "rich"]
TEST = [
    "onnx>=1.14",
    "onnxruntime",
    "shtab",
    "pytest>=7",
    "rich",
    "pytest-xdist",
    "hypothesis",
    "ruff",
    "mypy",
    "import-linter",
]
BENCH = ["autograd", "jax", "torch", "rich"]
DOCS = ["sphinx", "furo", "numpydoc"]

setup(
    name="dopegraph",
    version=version(),
    description="Write NumPy, get a graph: traced, optimized, differentiated, and run with MXNet",
    long_description=readme(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9",
    entry_points={"console_scripts": ["dopegraph = dopegraph.__main__:main"]},
    install_requires=["numpy>=1.23", "networkx", "graphviz>=0.20"],
    extras_require={
        "mxnet": MXNET,
        "codegen": CODEGEN,
        "textures": ["scikit-image"],  # photographs instead of clouds of noise in `dopegraph.data.sprites`
        "examples": EXAMPLES,
        "onnx": ONNX,
        "rich": ["rich"],
        "plot": ["matplotlib"],
        "browser": ["playwright"],  # the tests of pages, with the system's Chromium
        "cli": CLI,
        "test": TEST,
        "bench": BENCH,
        "docs": DOCS,
        "all": [*MXNET, *EXAMPLES, *ONNX, *CLI, *TEST, *BENCH, *DOCS],
    },
    package_dir=ROOTS,
    packages=packages(),
    package_data={"dopegraph.show": ["assets/*"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
