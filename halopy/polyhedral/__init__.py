"""Sets and relations of integer points: the only package that talks to isl."""
