"""Inventories for the tests of this package."""

from __future__ import annotations

from pathlib import Path

SMALL = """\
schema = 1
description = "The public service"

[application]
url = "https://api.example.org"
test_email_domain = "checks.example.org"

[variables]
source = "dotenv"
path = "variables.env"

[database]
url = { variable = "DATABASE_URL" }
reach = "direct"

[redis]
url = { variable = "REDIS_URL" }

[platform]
kind = "railway"

[checks]
attempts = 2
"""
"""A complete inventory file, as an operator would write it; each line of it can be damaged."""


def inventory_with(root: Path, **files: str) -> Path:
    """An inventory below `root` with these environments; in the names ``_`` stands for a hyphen."""
    inventory = root / "inventory"
    for name, text in files.items():
        folder = inventory / name.replace("_", "-")
        folder.mkdir(parents=True)
        (folder / "environment.toml").write_text(text, encoding="utf-8")
    return inventory


def damaged(line: str, replacement: str) -> str:
    """`SMALL` with one line replaced."""
    assert f"{line}\n" in SMALL
    return SMALL.replace(f"{line}\n", f"{replacement}\n", 1)
