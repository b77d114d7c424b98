"""Puts load on an application."""
