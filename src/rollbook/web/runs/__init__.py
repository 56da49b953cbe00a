"""One run: what became of it, and every change."""
