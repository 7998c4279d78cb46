"""The book's second part: convolutional networks, recurrent networks, optimization, performance."""
