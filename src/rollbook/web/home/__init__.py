"""The first page: schools and their last runs."""
