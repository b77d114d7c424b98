"""Rotating a secret: `protocol` holds the steps, the same for all; a module for each kind what is particular to it."""
