"""Whether lowering kept its word: the dataflow of a finished loop nest is that of the algorithm."""
