"""Checks of our own that `make check` runs: sizes and words, traces of a machine, links of the documentation."""
