"""What snapshots rely on, asked of every implementation of the `Objects` port."""

from __future__ import annotations

import hashlib
import io
import secrets
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox import object_store_server, ports
from runbooks.sandbox.world import Sandbox
from runbooks.systems.snapshots.shelf import Shelf
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.store.folder_objects import FolderObjects
from runbooks.systems.store.objects import Digest
from runbooks.systems.store.s3 import S3Store
from runbooks.systems.store.s3_objects import SMALLEST_PART, S3Objects


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return Shelf(FolderStore(tmp_path / "store"), FolderObjects(tmp_path / "store"))
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    port = sandbox.numbers()[ports.OBJECT_STORE]
    store = object_store_server.store(sandbox.layout, port, "local", f"objects-{secrets.token_hex(4)}")
    return Shelf(store, S3Objects(store))


class Breaking(io.RawIOBase):
    """Gives some bytes, then fails as a cut pipe does."""

    def __init__(self, good: int) -> None:
        self.good = good

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self.good:
            raise SystemFault("pg_dump failed", reason=Reason.FAILED)
        count = min(self.good, len(buffer))
        self.good -= count
        buffer[:count] = b"x" * count
        return count


def test_a_large_object_comes_back_byte_for_byte(shelf: Shelf) -> None:
    body = secrets.token_bytes(SMALLEST_PART * 2 + 12345)

    digest = shelf.objects.upload("snapshots/a/data ä", io.BytesIO(body), expected=len(body))

    assert digest == Digest(len(body), hashlib.sha256(body).hexdigest())
    assert b"".join(shelf.objects.download("snapshots/a/data ä")) == body
    assert shelf.objects.size("snapshots/a/data ä") == len(body)


def test_an_empty_object_is_one(shelf: Shelf) -> None:
    assert shelf.objects.upload("snapshots/a/empty", io.BytesIO(b""), expected=0).size == 0
    assert shelf.objects.size("snapshots/a/empty") == 0
    assert b"".join(shelf.objects.download("snapshots/a/empty")) == b""


def test_writing_replaces(shelf: Shelf) -> None:
    shelf.objects.upload("x", io.BytesIO(b"old"), expected=3)
    shelf.objects.upload("x", io.BytesIO(b"new"), expected=3)

    assert b"".join(shelf.objects.download("x")) == b"new"


def test_what_is_not_there_has_no_size_and_can_not_be_read(shelf: Shelf) -> None:
    assert shelf.objects.size("snapshots/none") is None
    with pytest.raises(SystemFault):
        list(shelf.objects.download("snapshots/none"))


@pytest.mark.parametrize("good", [100, SMALLEST_PART + 100])
def test_a_source_that_breaks_leaves_no_object(shelf: Shelf, good: int) -> None:
    with pytest.raises(SystemFault):
        shelf.objects.upload("snapshots/a/half", cast("BinaryIO", io.BufferedReader(Breaking(good))), expected=good)

    assert shelf.objects.size("snapshots/a/half") is None
    assert list(shelf.store.names("snapshots/")) == []


def test_removing_takes_what_begins_so_and_nothing_else(shelf: Shelf) -> None:
    for name in ("snapshots/a/1", "snapshots/a/data/2", "snapshots/ab/3", "lease"):
        shelf.objects.upload(name, io.BytesIO(b"x"), expected=1)

    assert shelf.objects.remove("snapshots/a/") == 2
    assert shelf.objects.remove("snapshots/none/") == 0
    assert list(shelf.store.names("")) == ["lease", "snapshots/ab/3"]


@pytest.mark.case(53)
def test_an_upload_that_was_killed_is_removed_with_the_rest(shelf: Shelf) -> None:
    begin(shelf, "snapshots/a/1")

    assert list(shelf.store.names("snapshots/")) == []
    shelf.objects.remove("snapshots/a/")

    assert unfinished(shelf) == []


def test_what_uploads_that_were_killed_left_is_found_and_removed_without_the_objects(shelf: Shelf) -> None:
    for name in ("snapshots/a/1", "snapshots/b/1", "other"):
        shelf.objects.upload(name, io.BytesIO(b"x"), expected=1)
    for name in ("snapshots/a/1", "snapshots/a/2", "snapshots/new/1", "other"):
        begin(shelf, name)

    assert shelf.objects.unfinished("snapshots/") == ["snapshots/a/1", "snapshots/a/2", "snapshots/new/1"]
    assert shelf.objects.unfinished("snapshots/b/") == []
    assert shelf.unfinished() == ["a", "b", "new"], "none has a manifest"
    assert shelf.objects.abandon("snapshots/a/") == 2
    assert shelf.objects.abandon("snapshots/") == 1

    assert shelf.objects.unfinished("") == ["other"]
    assert list(shelf.store.names("")) == ["other", "snapshots/a/1", "snapshots/b/1"]


def begin(shelf: Shelf, name: str) -> None:
    """Begin to write an object, as a killed process does."""
    if isinstance(shelf.objects, FolderObjects):
        path = shelf.objects.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f".{path.name}.unfinished").write_bytes(b"half")
    else:
        store = object_store(shelf)
        store.client.create_multipart_upload(Bucket=store.bucket.name, Key=store.key(name))


def object_store(shelf: Shelf) -> S3Store:
    assert isinstance(shelf.store, S3Store)
    return shelf.store


def unfinished(shelf: Shelf) -> list[object]:
    if isinstance(shelf.objects, FolderObjects):
        return [path for path in shelf.objects.folder.rglob("*") if path.is_file()]
    store = object_store(shelf)
    found = store.client.list_multipart_uploads(Bucket=store.bucket.name, Prefix=store.key(""))
    return list(found.get("Uploads", ()))


def test_the_bytes_in_memory_do_not_grow_with_the_object(shelf: Shelf) -> None:
    reads: list[int] = []

    class Source(io.RawIOBase):
        left = 5 * SMALLEST_PART

        def read(self, size: int = -1) -> bytes:
            reads.append(size)
            count = min(size, self.left)
            Source.left -= count
            return bytes(count)

    shelf.objects.upload("big", cast("BinaryIO", Source()), expected=5 * SMALLEST_PART)

    assert max(reads) <= SMALLEST_PART
    assert min(reads) > 0, "nobody asks for all of it at once"
