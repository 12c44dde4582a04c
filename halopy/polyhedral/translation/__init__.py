"""Whether the passes kept their word: what is printed does what the loops do that were built."""
