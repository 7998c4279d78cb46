"""Part 1 of the book: from linear regression to multilayer perceptrons."""
