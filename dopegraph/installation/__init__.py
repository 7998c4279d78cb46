"""Installs MXNet and reports what is installed; behind `python -m dopegraph`, and used by nothing else."""
