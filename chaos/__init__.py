"""Rollbook under every fault the emulated tenant can play: `make chaos`. Never part of the product."""
