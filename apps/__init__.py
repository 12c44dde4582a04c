"""Image-processing apps: a file is one algorithm, short as in a paper, and a command that runs it."""
