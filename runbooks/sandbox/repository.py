"""The stand-in application as a git repository, so that releases, commits and checkouts are real.

    application/base/        the tree of release v1
    application/patches/     v2, v3 …: each over the one before
    application/faults/      other builds of any release, broken on purpose

Author, dates, messages and file modes are fixed, so a commit has the same id on every machine. Built with
libgit2 from PyPI: a fresh machine may have no git.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from runbooks.engine.errors import InputError
from runbooks.sandbox.patching import PatchError, patched_tree

APPLICATION = Path(__file__).parent / "application"
BASE = APPLICATION / "base"
FIRST_RELEASE = "v1"
AUTHOR = ("PRAVIEL", "releases@praviel.test")
EPOCH = 1761998400  # 2025-11-01 12:00 UTC; a day between releases
DAY = 86400
DOTFILES = frozenset({".env.example"})


@dataclass(frozen=True)
class Release:
    """A tag and how its tree differs from the release before: by a patch, or not at all."""

    tag: str
    patch: Path | None
    time: int


def faults() -> tuple[str, ...]:
    """The names of the broken builds."""
    return tuple(sorted(path.stem for path in (APPLICATION / "faults").glob("*.patch")))


def build(repository: Path) -> dict[str, str]:
    """Make the repository, or keep a complete one, and return each release's full commit id.

    It is built aside and renamed into place, so a killed build leaves nothing that looks finished.

    Raises:
        InputError: a packaged patch does not apply.
    """
    repository.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{repository.name}-", dir=repository.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        expected = _build_into(fresh)
        if not _is_complete(repository, expected):
            if repository.exists():
                repository.replace(Path(scratch) / "replaced")
            fresh.replace(repository)
    return expected


def checkout(repository: Path, revision: str, folder: Path, fault: str | None = None) -> str:
    """Write a release's files to a new folder, whole or not at all, and return the full commit id.

    With a fault, its patch is committed on top of the release first, and that commit is checked out.

    Args:
        repository: What `build` made.
        revision: A tag, or a commit id, abbreviated or not.
        folder: Where to; must not exist.
        fault: One of `faults`.

    Raises:
        InputError: unknown revision or fault, or the folder exists.
    """
    if folder.exists():
        raise InputError("The checkout's folder exists", where=str(folder), mend="choose another folder")
    source = _open(repository)
    commit = _find(source, revision)
    if fault is not None:
        commit = _commit_fault(source, commit, fault)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        tree = Path(scratch) / "tree"
        _write_tree(commit.tree, tree)
        tree.rename(folder)
    return str(commit.id)


def name_of(repository: Path, commit: str) -> str:
    """The tag of a release's commit, or the commit itself."""
    source = _open(repository)
    tags = {str(source.references[f"refs/tags/{each.tag}"].peel(pygit2.Commit).id): each.tag for each in _releases()}
    return tags.get(commit, commit)


@cache
def _releases() -> tuple[Release, ...]:
    patches = sorted((APPLICATION / "patches").glob("v*.patch"), key=_number)
    later = [
        Release(patch.stem.partition("-")[0], patch, EPOCH + DAY * position)
        for position, patch in enumerate(patches, start=1)
    ]
    return (Release(FIRST_RELEASE, None, EPOCH), *later)


def _number(patch: Path) -> int:
    return int(patch.stem.partition("-")[0].removeprefix("v"))


def _build_into(folder: Path) -> dict[str, str]:
    repository = pygit2.init_repository(str(folder), bare=True, initial_head="main")
    commits: dict[str, str] = {}
    parent: pygit2.Oid | None = None
    tree = _store_base(repository)
    for release in _releases():
        message = f"Release {release.tag}\n"
        if release.patch:
            tree = _apply(repository, tree, release.patch)
            message = f"Release {release.tag}: {_title(release.patch)}\n"
        parent = _commit(repository, tree, parent, message, release.time)
        repository.references.create(f"refs/tags/{release.tag}", parent)
        commits[release.tag] = str(parent)
    repository.references.create("refs/heads/main", commits[_releases()[-1].tag])
    return commits


def _title(patch: Path) -> str:
    return patch.stem.partition("-")[2].replace("-", " ")


def _store_base(repository: pygit2.Repository) -> pygit2.Oid:
    index = pygit2.Index()
    for path in sorted(BASE.rglob("*")):
        relative = path.relative_to(BASE)
        if path.is_file() and _is_source(relative):
            blob = repository.create_blob(path.read_bytes())
            index.add(pygit2.IndexEntry(relative.as_posix(), blob, FileMode.BLOB))
    return index.write_tree(repository)


def _is_source(relative: Path) -> bool:
    hidden = any(part.startswith(".") for part in relative.parts) and relative.name not in DOTFILES
    return not hidden and "__pycache__" not in relative.parts


def _apply(repository: pygit2.Repository, tree: pygit2.Oid, patch: Path) -> pygit2.Oid:
    try:
        return patched_tree(repository, repository[tree].peel(pygit2.Tree), patch.read_text(encoding="utf-8"))
    except PatchError as error:
        raise InputError(
            "A patch of the stand-in application does not apply", where=patch.name, found=str(error)
        ) from error


def _commit(
    repository: pygit2.Repository, tree: pygit2.Oid, parent: pygit2.Oid | None, message: str, time: int
) -> pygit2.Oid:
    signature = pygit2.Signature(*AUTHOR, time, 0)
    parents = [] if parent is None else [parent]
    return repository.create_commit(None, signature, signature, message, tree, parents)


def _commit_fault(repository: pygit2.Repository, release: pygit2.Commit, fault: str) -> pygit2.Commit:
    if fault not in faults():
        raise InputError("Unknown fault", found=fault, mend=f"one of {', '.join(faults())}")
    tree = _apply(repository, release.tree.id, APPLICATION / "faults" / f"{fault}.patch")
    made = _commit(repository, tree, release.id, f"Break it: {fault}\n", release.commit_time + 3600)
    # A reference, so that housekeeping keeps the commit and a history scan sees it.
    repository.references.create(f"refs/heads/fault/{fault}-{str(release.id)[:12]}", made, force=True)
    return repository[made].peel(pygit2.Commit)


def _open(repository: Path) -> pygit2.Repository:
    try:
        return pygit2.Repository(str(repository))
    except pygit2.GitError as error:
        raise InputError(
            "No repository of the stand-in application", where=str(repository), found=str(error)
        ) from error


def _find(repository: pygit2.Repository, revision: str) -> pygit2.Commit:
    try:
        return repository.revparse_single(revision).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        tags = ", ".join(release.tag for release in _releases())
        raise InputError("Unknown revision", found=revision, mend=f"one of {tags}, or a commit id") from error


def _is_complete(path: Path, expected: dict[str, str]) -> bool:
    """Whether the tags are as expected and every object that they need is there and intact."""
    try:
        repository = pygit2.Repository(str(path))
        for tag, commit in expected.items():
            found = repository.references[f"refs/tags/{tag}"].peel(pygit2.Commit)
            if str(found.id) != commit:
                return False
            _read_all(found.tree)
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return False
    return True


def _read_all(tree: pygit2.Tree) -> None:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            _read_all(entry)
        elif isinstance(entry, pygit2.Blob):
            entry.read_raw()


def _write_tree(tree: pygit2.Tree, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for entry in tree:
        target = folder / str(entry.name)
        if entry.type == ObjectType.TREE:
            _write_tree(entry.peel(pygit2.Tree), target)
        else:
            target.write_bytes(entry.peel(pygit2.Blob).data)
            target.chmod(0o644)
