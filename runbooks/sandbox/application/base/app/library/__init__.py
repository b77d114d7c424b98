"""Texts and dictionaries, read from the database."""
