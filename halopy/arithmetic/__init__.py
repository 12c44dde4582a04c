"""What expression nodes compute, on whole arrays: for the oracle, and for trying what is printed."""
