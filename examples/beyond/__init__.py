"""Beyond the book: what users of MinPy and students of CS231n write."""
