"""Which edition of this tool runs: what an auditor looks up, and what a run is resumed with."""

from __future__ import annotations

from pathlib import Path

from runbooks import __version__

CHECKOUT = Path(__file__).parents[1]
SHOWN = 12
"""Characters of a commit."""


def edition(checkout: Path = CHECKOUT) -> str:
    """``0.1.0``, or ``0.1.0 at 4f2a1c9d8e7b`` where it runs from a git checkout; changes not committed are not told."""
    commit = _head(checkout / ".git")
    return f"{__version__} at {commit[:SHOWN]}" if commit else __version__


def _head(git: Path) -> str:
    """The commit that is checked out; empty where there is no repository, or it can't be read."""
    try:
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
