"""Commits that should never have been made, and a history from which they are removed again."""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from runbooks.sandbox.repository import AUTHOR, EPOCH

MAIN = "main"
HOUR = 3600


def commit_and_delete(repository: Path, branch: str, path: str, text: str) -> None:
    """Commit a file on top of the newest release, and delete it with the next commit; the branch then points there.

    Args:
        path: Of a file at the root: the sandbox's accidents need no folders.
    """
    source = pygit2.Repository(str(repository))
    newest = _newest(source)
    index = pygit2.Index()
    index.read_tree(newest.tree)
    index.add(pygit2.IndexEntry(path, source.create_blob(text.encode()), FileMode.BLOB))
    added = _commit(source, index.write_tree(source), newest.id, f"Add {path}\n", 1)
    removed = _commit(source, newest.tree.id, added, f"Remove {path}\n", 2)
    source.references.create(f"refs/heads/{branch}", removed, force=True)


def rewrite(repository: Path, branch: str) -> None:
    """Have the branch as if nothing had been committed; safe to repeat."""
    source = pygit2.Repository(str(repository))
    if branch == MAIN:
        source.references.create(f"refs/heads/{branch}", _newest(source).id, force=True)
    elif f"refs/heads/{branch}" in source.references:
        source.references.delete(f"refs/heads/{branch}")


def _newest(source: pygit2.Repository) -> pygit2.Commit:
    tags = [source.references[name].peel(pygit2.Commit) for name in source.references if name.startswith("refs/tags/v")]
    return max(tags, key=lambda commit: commit.commit_time)


def _commit(source: pygit2.Repository, tree: pygit2.Oid, parent: pygit2.Oid, message: str, hours: int) -> pygit2.Oid:
    signature = pygit2.Signature(*AUTHOR, EPOCH + hours * HOUR, 0)
    return source.create_commit(None, signature, signature, message, tree, [parent])
