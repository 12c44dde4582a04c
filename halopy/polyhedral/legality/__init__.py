"""Whether the loops of a stage keep the answer, decided from dependences."""
