"""Lessons, chat, coach and speech."""
