"""Snapshots of the database as they lie in the store."""
