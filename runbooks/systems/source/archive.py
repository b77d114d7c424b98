"""A commit of a git repository as one compressed tar stream, without a git program."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError, Reason, SystemFault

if TYPE_CHECKING:
    from dulwich.objects import Commit
    from dulwich.repo import Repo

_LINK, _SUBMODULE = 0o120000, 0o160000
LEVEL = 3
"""Of zlib's nine: source shrinks to a third with it, at the speed of a good uplink."""


def stream(folder: Path, commit: str) -> Iterator[bytes]:
    """The commit's tree, gzip-compressed tar, in pieces. Links stay links; submodules are left out.

    dulwich's own ``tar_stream`` writes links as files that nobody may read.

    Args:
        folder: A bare repository, a checkout, or its ``.git``.
        commit: A full commit id.

    Raises:
        InputError: there is no such commit.
        SystemFault: the repository can't be read.
    """
    found = _opened(folder, commit)
    return _compressed(*found)


def _opened(folder: Path, commit: str) -> tuple[Repo, Commit]:
    from dulwich.errors import NotGitRepository
    from dulwich.objects import Commit
    from dulwich.repo import Repo

    try:
        repository = Repo(str(folder))
    except (NotGitRepository, OSError) as error:
        what = "the release's repository can't be read"
        raise SystemFault(what, reason=Reason.UNREACHABLE, where=str(folder), found=str(error)) from error
    try:
        object_ = repository[commit.encode()]
    except (KeyError, ValueError, AssertionError) as error:
        repository.close()
        mend = "push it to the repository, or fetch it there"
        raise InputError("there is no such commit", where=str(folder), found=commit, mend=mend) from error
    if not isinstance(object_, Commit):
        repository.close()
        raise InputError("that is no commit", where=str(folder), found=f"{commit} is a {object_.type_name.decode()}")
    return repository, object_


def _compressed(repository: Repo, commit: Commit) -> Iterator[bytes]:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    try:
        for piece in _tar(repository, commit):
            yield compressor.compress(piece)
        yield compressor.flush()
    except (KeyError, OSError, zlib.error) as error:
        what = "an object of the repository can't be read"
        raise SystemFault(what, reason=Reason.FAILED, where=repository.path, found=repr(error)) from error
    finally:
        repository.close()


def _tar(repository: Repo, commit: Commit) -> Iterator[bytes]:
    from dulwich.object_store import iter_tree_contents

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w|") as tar:
        for entry in iter_tree_contents(repository.object_store, commit.tree):
            kind = entry.mode & 0o170000
            if kind == _SUBMODULE:
                continue
            data = repository[entry.sha].as_raw_string()
            member = tarfile.TarInfo(entry.path.decode("utf-8", "surrogateescape"))
            member.mtime = commit.commit_time
            member.mode = 0o755 if entry.mode & 0o100 else 0o644
            if kind == _LINK:
                member.type, member.linkname = tarfile.SYMTYPE, data.decode("utf-8", "surrogateescape")
                tar.addfile(member)
            else:
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
