"""Addresses, and whether something answers there."""
