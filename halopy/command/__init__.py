"""The `halopy` command."""
