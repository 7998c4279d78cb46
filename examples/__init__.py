"""The book's chapters as short programs: ``python -m examples.part1.multilayer_perceptrons_scratch``."""
