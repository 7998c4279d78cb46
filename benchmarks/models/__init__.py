"""One module a model: its data, its loss as the book writes it, its peers' fast forms, and PROBLEMS."""
