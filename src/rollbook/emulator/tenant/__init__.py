"""WHAT A TENANT HOLDS: records, links, their file, what changed since the baseline."""
