"""Inventory files: loaded, refused with file, line and key, and found by name."""
