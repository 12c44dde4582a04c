"""Image-processing apps: each file is one algorithm, as short as in a paper, and a command that runs it on a picture."""
