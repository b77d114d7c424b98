"""What the engine relies on, asked of every implementation of its `Store` port."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runbooks.engine.store import Store
from runbooks.sandbox import object_store_server, ports
from runbooks.sandbox.process_manager import ensure_manager
from runbooks.systems.store.folder import FolderStore
from tests.sandbox.servers import fresh_layout


@pytest.fixture(scope="module")
def bucket() -> Iterator[tuple[object, int]]:
    """A real object store."""
    with fresh_layout() as layout:
        numbers = ports.ensure(layout, [ports.OBJECT_STORE, *ports.OBJECT_STORE_PARTS])
        ensure_manager(layout, [object_store_server.prepare(layout, numbers)])
        port = numbers[ports.OBJECT_STORE]
        object_store_server.ready(layout, port)
        yield layout, port


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    layout, port = request.getfixturevalue("bucket")
    return object_store_server.store(layout, port, "local", secrets.token_hex(4))


def test_what_was_put_is_got_with_its_version(store: Store) -> None:
    version = store.put("runs/ä b.json", b"body", replaces=None)

    stored = store.get("runs/ä b.json")
    assert stored is not None
    assert (stored.body, stored.version) == (b"body", version)
    assert store.get("runs/other.json") is None


def test_a_put_that_expects_another_version_writes_nothing(store: Store) -> None:
    first = store.put("x", b"1", replaces=None)
    second = store.put("x", b"2", replaces=first)

    assert first
    assert second
    assert store.put("x", b"3", replaces=None) is None
    assert store.put("x", b"3", replaces=first) is None
    assert store.put("y", b"3", replaces=first) is None
    assert (store.get("x") or pytest.fail("gone")).version == second
    assert store.get("y") is None


def test_of_eight_that_put_at_once_one_wins(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: store.put("prize", str(number).encode(), replaces=None), range(8)))

    winners = [number for number, version in enumerate(won) if version]
    assert len(winners) == 1
    stored = store.get("prize")
    assert stored is not None
    assert stored.body == str(winners[0]).encode()


def test_of_eight_that_replace_the_same_version_one_wins(store: Store) -> None:
    version = store.put("prize", b"first", replaces=None)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: store.put("prize", str(number).encode(), replaces=version), range(8)))

    assert len([each for each in won if each]) == 1


def test_names_are_in_order_and_only_of_what_was_put(store: Store) -> None:
    assert list(store.names("")) == []
    for name in ("runs/b", "runs-old/a", "runs/a", "lease.json"):
        store.put(name, b"x", replaces=None)

    assert list(store.names("runs")) == ["runs-old/a", "runs/a", "runs/b"]
    assert list(store.names("")) == ["lease.json", "runs-old/a", "runs/a", "runs/b"]
