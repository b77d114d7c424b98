"""A repository's history, read without a git program: from a folder and from a remote."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pygit2
import pytest
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain
from pygit2.enums import FileMode, ObjectType

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.source.history import History

WHO = pygit2.Signature("Somebody", "somebody@example.org", 1_760_000_000, 0)


@pytest.fixture
def source(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "source"), bare=True, initial_head="main")


def commit(source: pygit2.Repository, ref: str | None, files: dict[str, str], *parents: pygit2.Oid) -> pygit2.Oid:
    """A commit that holds these files and no others; a ref that exists moves on to it."""
    index = pygit2.Index()
    for path, text in files.items():
        index.add(pygit2.IndexEntry(path, source.create_blob(text.encode()), FileMode.BLOB))
    made = source.create_commit(None, WHO, WHO, "A change\n", index.write_tree(source), list(parents))
    if ref:
        source.references.create(ref, made, force=True)
    return made


def held(history: History) -> dict[str, bytes]:
    return {blob.path: data for blob, data in history.blobs()}


def test_a_deleted_file_is_still_history(source: pygit2.Repository) -> None:
    added = commit(source, None, {"keep.py": "1", "deploy/key.env": "secret"})
    commit(source, "refs/heads/main", {"keep.py": "1"}, added)

    blobs = {blob.path: (str(blob), data) for blob, data in History(Path(source.path)).blobs()}

    assert blobs["deploy/key.env"] == (f"deploy/key.env in commit {str(added)[:12]}", b"secret")
    assert blobs["keep.py"][1] == b"1"


def test_every_version_of_a_file_is_history(source: pygit2.Repository) -> None:
    first = commit(source, None, {"a.txt": "old"})
    commit(source, "refs/heads/main", {"a.txt": "new"}, first)

    assert {data for _, data in History(Path(source.path)).blobs()} == {b"old", b"new"}


def test_other_branches_and_tags_are_history(source: pygit2.Repository) -> None:
    first = commit(source, "refs/heads/main", {"a": "a"})
    commit(source, "refs/heads/forgotten", {"b": "b"}, first)
    tagged = commit(source, None, {"c": "c"}, first)
    source.create_tag("v1", tagged, ObjectType.COMMIT, WHO, "annotated")

    assert held(History(Path(source.path))) == {"a": b"a", "b": b"b", "c": b"c"}


def test_what_a_merge_brought_in_is_history(source: pygit2.Repository) -> None:
    first = commit(source, None, {"a": "a"})
    side = commit(source, None, {"side": "side"}, first)
    commit(source, "refs/heads/main", {"a": "a"}, first, side)

    assert held(History(Path(source.path))) == {"a": b"a", "side": b"side"}


def test_a_rewritten_branch_is_not(source: pygit2.Repository) -> None:
    first = commit(source, None, {"a": "a"})
    commit(source, "refs/heads/main", {"key": "secret"}, first)
    source.references.create("refs/heads/main", first, force=True)

    assert held(History(Path(source.path))) == {"a": b"a"}


def test_a_checkout_is_read_by_its_own_repository(tmp_path: Path) -> None:
    checkout = pygit2.init_repository(str(tmp_path / "work"), initial_head="main")
    commit(checkout, "refs/heads/main", {"a": "a"})

    assert held(History(tmp_path / "work")) == {"a": b"a"}


def test_a_repository_without_a_commit_is_not_looked_at(source: pygit2.Repository) -> None:
    with pytest.raises(SystemFault, match="no branch and no tag"):
        held(History(Path(source.path)))


def test_a_folder_that_is_none_is_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="no git repository") as caught:
        held(History(tmp_path))

    assert "release.repository" in caught.value.mend


def test_a_damaged_repository_is_not_looked_at(source: pygit2.Repository) -> None:
    commit(source, "refs/heads/main", {"a": "a"})
    blob = next(blob for blob, _ in History(Path(source.path)).blobs()).id.decode()
    Path(source.path, "objects", blob[:2], blob[2:]).unlink()

    with pytest.raises(SystemFault, match=f"the object {blob} is missing"):
        held(History(Path(source.path)))


def test_a_shallow_clone_is_not_the_whole(source: pygit2.Repository) -> None:
    head = commit(source, "refs/heads/main", {"a": "a"})
    Path(source.path, "shallow").write_text(f"{head}\n")

    with pytest.raises(SystemFault, match="a part of the history only"):
        held(History(Path(source.path)))


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def remote(source: pygit2.Repository) -> Iterator[str]:
    """The address of the repository, served as git servers do."""
    served: dict[str, BackendRepo] = {"/app.git": Repo(source.path)}
    application = make_wsgi_chain(DictBackend(served))
    server: WSGIServer = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/app.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_remote_is_fetched_and_later_brought_up_to_date(
    source: pygit2.Repository, remote: str, tmp_path: Path
) -> None:
    place, cache = Secret("release.repository", remote), tmp_path / "cache"
    first = commit(source, "refs/heads/main", {"a": "a"})
    commit(source, "refs/heads/side", {"side": "side"}, first)

    assert held(History.at(place, tmp_path, cache)) == {"a": b"a", "side": b"side"}

    commit(source, "refs/heads/main", {"b": "b"}, first)
    source.references.delete("refs/heads/side")

    assert held(History.at(place, tmp_path, cache)) == {"a": b"a", "b": b"b"}


def test_a_remote_that_does_not_answer_is_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="can't be fetched") as caught:
        History.at(Secret("release.repository", "http://user:hidden-word@127.0.0.1:9/x.git"), tmp_path, tmp_path)

    assert caught.value.reason is Reason.UNREACHABLE
    assert "hidden-word" not in str(caught.value)


def test_a_path_begins_at_the_project(source: pygit2.Repository, tmp_path: Path) -> None:
    commit(source, "refs/heads/main", {"a": "a"})
    shutil.move(source.path, tmp_path / "moved")

    assert held(History.at(Secret("release.repository", "moved"), tmp_path, tmp_path / "cache")) == {"a": b"a"}
