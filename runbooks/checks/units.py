"""Amounts as people read them."""

from __future__ import annotations

from runbooks.systems.platform.port import Resource


def amount(number: int | None, resource: Resource) -> str:
    """Memory in MiB, anything else as it is counted."""
    if number is None:
        return "?"
    return f"{number / 1024**2:.0f} MiB" if resource is Resource.MEMORY else str(number)
