"""Part 1 of the book: basics, linear models, multilayer perceptrons, and what gluon does for them."""
