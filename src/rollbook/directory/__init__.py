"""WHAT A TENANT HOLDS: users, teams and memberships as frames. "desired" and "actual" are both such a `State`. Pure."""
