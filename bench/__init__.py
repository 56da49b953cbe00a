"""Measurements: ratios against a bound taken in the same run. `python -m bench [AREA] [--json]`, or `make bench`."""
