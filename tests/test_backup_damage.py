"""Snapshots that were damaged in the store, or are not this database's: found, named, and never restored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import InputError
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import place
from tests.vaults import Vault


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def swap(path: Path) -> None:
    """Two objects of the same snapshot change places."""
    other = next(each for each in sorted(path.parent.iterdir()) if each.stat().st_size != path.stat().st_size)
    kept = other.read_bytes()
    other.write_bytes(path.read_bytes())
    path.write_bytes(kept)


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (truncate, "bytes of"),
    (flip, "other bytes"),
    (Path.unlink, "is missing"),
    (swap, "bytes of"),
]


@pytest.mark.case(60)
@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_damage_in_the_store_is_found_and_never_restored(
    vault: Vault, manifest: Manifest, damage: Callable[[Path], None], words: str
) -> None:
    biggest = max((file for file in manifest.files if "dat" in file.name), key=lambda file: file.size)
    damage(vault.project / "store" / place(manifest.id, biggest.name))
    before = vault.siblings()

    verified = vault.on("backup.verify", code=3)
    vault.on("backup.restore", code=6)

    assert f"DAMAGED {manifest.id}" in verified
    assert words in verified
    assert vault.siblings() == before


def test_a_snapshot_without_a_manifest_does_not_exist(vault: Vault, manifest: Manifest) -> None:
    (vault.project / "store" / place(manifest.id, "manifest.json")).unlink()

    assert vault.snapshots().shelf.ids() == []
    assert vault.snapshots().shelf.unfinished() == [manifest.id]
    with pytest.raises(InputError, match="no snapshot answer"):
        vault.on("backup.verify")


def rewritten(vault: Vault, manifest: Manifest, **changes: Any) -> None:
    file = vault.project / "store" / place(manifest.id, "manifest.json")
    file.write_bytes(encode(replace(manifest, **changes)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": "another"}, "another environment's or database's"),
        ({"environment": "staging"}, "another environment's or database's"),
        ({"database": "postgres"}, "the server itself relies on it"),
        ({"server": 170002}, "another major version"),
        ({"algorithm": "typed-0"}, "fingerprinted in another way"),
    ],
)
def test_what_can_not_be_restored_here_is_refused_before_anything_is_done(
    vault: Vault, manifest: Manifest, changes: dict[str, Any], words: str
) -> None:
    rewritten(vault, manifest, **changes)

    assert words in vault.on("backup.restore", code=6)


def test_a_manifest_that_does_not_fit_its_archive_is_damage(vault: Vault, manifest: Manifest) -> None:
    rewritten(vault, manifest, tables=manifest.tables + 1)

    assert "tables with rows in the archive" in vault.on("backup.verify", code=3)


def test_a_damaged_or_foreign_manifest_is_named(vault: Vault, manifest: Manifest) -> None:
    file = vault.project / "store" / place(manifest.id, "manifest.json")
    rewritten(vault, manifest, id="20200101T000000Z-none")
    with pytest.raises(InputError, match="another snapshot's place"):
        vault.on("backup.verify")

    file.write_text(file.read_text()[:-40])
    with pytest.raises(InputError, match="no manifest"):
        vault.on("backup.verify")
