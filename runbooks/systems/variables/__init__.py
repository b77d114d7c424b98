"""Encrypted copies of an application's variables, kept in the environment's store."""
