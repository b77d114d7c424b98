"""Apply a unified diff to a git tree. Hunks may have moved, as one patch follows another; libgit2's own may not."""

from __future__ import annotations

import pygit2
from pygit2.enums import DeltaStatus, FileMode


class PatchError(Exception):
    """The text that a patch expects is not there."""


def patched_tree(repository: pygit2.Repository, tree: pygit2.Tree, diff: str) -> pygit2.Oid:
    """The id of the tree with the diff applied. Whole files may be added and deleted, not renamed.

    Raises:
        PatchError: a hunk's lines are nowhere in its file.
    """
    index = pygit2.Index()
    index.read_tree(tree)
    for patch in pygit2.Diff.parse_diff(diff):
        if patch is None:
            continue
        path = patch.delta.new_file.path
        if patch.delta.status == DeltaStatus.DELETED:
            index.remove(path)
            continue
        added = patch.delta.status == DeltaStatus.ADDED
        text = patched_text("" if added else _read(tree, path), path, patch.hunks)
        index.add(pygit2.IndexEntry(path, repository.create_blob(text.encode()), FileMode.BLOB))
    return index.write_tree(repository)


def _read(tree: pygit2.Tree, path: str) -> str:
    try:
        return (tree / path).peel(pygit2.Blob).data.decode()
    except KeyError as error:
        msg = f"{path} is not there"
        raise PatchError(msg) from error


def patched_text(text: str, path: str, hunks: list[pygit2.DiffHunk]) -> str:
    lines = text.splitlines(keepends=True)
    moved = 0
    for hunk in hunks:
        before = [line.content for line in hunk.lines if line.origin in " -"]
        after = [line.content for line in hunk.lines if line.origin in " +"]
        expected = max(hunk.old_start - 1, 0) + moved
        start = _locate(lines, before, expected)
        if start is None:
            msg = f"{path}: the lines expected at {hunk.old_start} are nowhere"
            raise PatchError(msg)
        lines[start : start + len(before)] = after
        moved += start - expected + len(after) - len(before)
    return "".join(lines)


def _locate(lines: list[str], wanted: list[str], expected: int) -> int | None:
    """Where the wanted lines begin, nearest to where they are expected."""
    starts = range(len(lines) - len(wanted) + 1)
    matching = [start for start in starts if lines[start : start + len(wanted)] == wanted]
    return min(matching, key=lambda start: abs(start - expected), default=None)
