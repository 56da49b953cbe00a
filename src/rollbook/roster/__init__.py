"""WHAT A SCHOOL IS: vocabulary, typed tables, findings and the checks across records. Pure: no I/O, no time."""
