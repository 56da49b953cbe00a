"""WHAT IS REMEMBERED: Django models, and the adapters that turn rows into frames and back by set-based statements."""
