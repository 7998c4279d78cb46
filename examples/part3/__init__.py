"""Part 3 of the book: applications and advanced chapters."""
