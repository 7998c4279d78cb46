"""Measurements against the peers, in alternation in one process: ``python -m benchmarks.mlp_step``."""
