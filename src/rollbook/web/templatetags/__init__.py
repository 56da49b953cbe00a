"""Words that templates put things into."""
