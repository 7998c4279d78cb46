"""Runs graphs with MXNet's Symbol executor."""
