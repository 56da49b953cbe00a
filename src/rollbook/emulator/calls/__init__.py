"""GRAPH CALLS: one module a kind of object, one table of all calls with the permissions each needs."""
