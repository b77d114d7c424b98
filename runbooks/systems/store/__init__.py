"""Implementations of the engine's `Store` port."""
