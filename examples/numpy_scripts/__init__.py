"""Ten short programs of scientific Python: NumPy but for the import line, and the same output with either."""
