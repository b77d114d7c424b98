"""Reads a git repository with all its branches and tags, without a git program.

By dulwich: pure Python apart from urllib3, so an on-call machine needs neither git nor a C library, and it reads a
bare repository, a checkout's ``.git`` and a remote alike. The sandbox *writes* its repository with libgit2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret

if TYPE_CHECKING:
    from dulwich.objects import Tree
    from dulwich.repo import Repo

FETCH_SECONDS = 20
"""Time limit of each request to a remote, in seconds."""

_FOLDER, _SUBMODULE, _KIND = 0o040000, 0o160000, 0o170000
"""Values and mask of the file type in a tree's entry."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's content as it was committed: where it was met first, going back from the branches and tags."""

    id: bytes
    commit: str
    path: str

    def __str__(self) -> str:
        return f"{self.path} in commit {self.commit[:12]}"


class History:
    """Every file that a branch or tag of one repository ever held, deleted ones included.

    Args:
        folder: A bare repository, a checkout, or its ``.git``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def at(cls, place: Secret, project: Path, cache: Path) -> History:
        """The repository at a path (relative ones begin at the project) or at a URL, which is fetched into a cache.

        Raises:
            SystemFault: it can't be fetched.
        """
        text = place.reveal()
        if "://" not in text:
            return cls(project / text)
        folder = cache / hashlib.sha256(text.encode()).hexdigest()[:16]
        _fetch(text, folder)
        return cls(folder)

    def blobs(self) -> Iterator[tuple[Blob, bytes]]:
        """Every content once, with its bytes; one of them in memory at a time.

        Raises:
            SystemFault: there is no repository, it has no commit, or it can't be read.
        """
        from dulwich.objects import ObjectID

        with self._open() as repository:
            heads = _heads(repository)
            if not heads:
                raise self._fault("the repository has no branch and no tag")
            if repository.get_shallow():
                raise self._fault("the repository holds a part of the history only (a shallow clone)")
            try:
                for blob in _walk(repository, heads):
                    yield blob, repository.object_store[ObjectID(blob.id)].as_raw_string()
            except KeyError as error:
                raise self._fault(f"the object {_hex(error.args[0])} is missing") from error

    def commit(self, ref: str) -> tuple[str, str]:
        """The full id of the commit that a branch, tag or abbreviated id means; and its name for people.

        That is a tag of it, else the first characters of its id.

        Raises:
            InputError: it means none, or several.
            SystemFault: there is no repository.
        """
        from dulwich.objects import Tag
        from dulwich.objectspec import AmbiguousShortId, parse_commit

        with self._open() as repository:
            try:
                found = parse_commit(repository, ref.encode()).id
            except (KeyError, ValueError, AmbiguousShortId) as error:
                raise InputError(
                    f"no commit, or more than one, answers to {ref!r}",
                    where=str(self.folder),
                    mend="name a tag, a branch, or a whole commit id",
                ) from error
            for name in sorted(repository.refs.subkeys(b"refs/tags"), reverse=True):  # type: ignore[arg-type]
                target = repository.object_store[repository.refs[b"refs/tags/" + name]]  # type: ignore[index]
                if (target.object[1] if isinstance(target, Tag) else target.id) == found:
                    return found.decode(), name.decode(errors="replace")
            return found.decode(), found.decode()[:12]

    def _open(self) -> Repo:
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo

        try:
            return Repo(str(self.folder))
        except (NotGitRepository, OSError) as error:
            raise self._fault("there is no git repository") from error

    def _fault(self, found: str) -> SystemFault:
        return SystemFault(
            "the source's history can't be read",
            reason=Reason.UNREACHABLE,
            where=str(self.folder),
            found=found,
            mend="declare release.repository: a path or URL of a complete clone",
        )


def _heads(repository: Repo) -> list[bytes]:
    """The commits that branches and tags point to."""
    from dulwich.objects import Commit, Tag

    found = set()
    for id in set(repository.refs.as_dict().values()):
        target = repository.object_store[id]
        while isinstance(target, Tag):
            target = repository.object_store[target.object[1]]
        if isinstance(target, Commit):
            found.add(target.id)
    return sorted(found)


def _walk(repository: Repo, heads: list[bytes]) -> Iterator[Blob]:
    from dulwich.objects import ObjectID

    trees: set[bytes] = set()
    blobs: set[bytes] = set()
    for entry in repository.get_walker(include=[ObjectID(head) for head in heads]):
        pending = [(entry.commit.tree, "")]
        while pending:
            id, prefix = pending.pop()
            if id in trees:
                continue
            trees.add(id)
            tree: Tree = repository.object_store[id]  # type: ignore[assignment]  # a commit's tree is one
            for name, mode, child in tree.iteritems():
                path = prefix + name.decode(errors="replace")
                if mode & _KIND == _FOLDER:
                    pending.append((child, f"{path}/"))
                elif mode & _KIND != _SUBMODULE and child not in blobs:
                    blobs.add(child)
                    yield Blob(child, entry.commit.id.decode(), path)


def _fetch(url: str, folder: Path) -> None:
    """Have all branches and tags of a remote in a bare repository here; a killed fetch can be repeated."""
    from dulwich.client import HTTPUnauthorized, get_transport_and_path
    from dulwich.config import ConfigDict
    from dulwich.errors import GitProtocolError, NotGitRepository
    from dulwich.repo import Repo

    folder.mkdir(parents=True, exist_ok=True)
    try:
        repository = Repo(str(folder)) if (folder / "HEAD").exists() else Repo.init_bare(str(folder))
        with repository:
            own = ConfigDict()  # and nothing of ~/.gitconfig
            own.set(b"http", b"timeout", str(FETCH_SECONDS))
            client, path = get_transport_and_path(url, config=own)
            fetched = client.fetch(path.encode(), repository)
            _point(repository, fetched.refs)
    except HTTPUnauthorized as error:
        raise _unfetched(Reason.UNAUTHORISED, "it refuses the credentials") from error
    except (GitProtocolError, NotGitRepository, OSError, ValueError) as error:
        raise _unfetched(Reason.UNREACHABLE, type(error).__name__) from error


def _point(repository: Repo, refs: Any) -> None:
    """Have the remote's branches and tags and no others."""
    wanted = {name: id for name, id in refs.items() if id and name.startswith(b"refs/") and not name.endswith(b"^{}")}
    for name in repository.refs.allkeys():
        if name.startswith(b"refs/") and name not in wanted:
            repository.refs.remove_if_equals(name, None)
    for name, id in wanted.items():
        repository.refs.set_if_equals(name, None, id)


def _unfetched(reason: Reason, found: str) -> SystemFault:
    return SystemFault(
        "the source's repository can't be fetched",
        reason=reason,
        where="release.repository",
        found=found,
        mend="see its URL and the token in it, or declare the path of a clone",
    )


def _hex(id: object) -> str:
    return id.decode(errors="replace") if isinstance(id, bytes) else str(id)
