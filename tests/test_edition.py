from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from runbooks import __version__
from runbooks.edition import edition


@pytest.fixture
def commit(tmp_path: Path) -> str:
    repository = pygit2.init_repository(str(tmp_path))
    who = pygit2.Signature("anna", "anna@example.org")
    return str(repository.create_commit("HEAD", who, who, "first", repository.TreeBuilder().write(), []))


def test_a_checkout_is_told_by_its_commit_however_git_keeps_it(tmp_path: Path, commit: str) -> None:
    wanted = f"{__version__} at {commit[:12]}"
    assert edition(tmp_path) == wanted

    repository = pygit2.Repository(str(tmp_path))
    branch = repository.head.name
    (tmp_path / ".git" / "packed-refs").write_text(f"# pack-refs with: peeled\n{commit} {branch}\n")
    (tmp_path / ".git" / branch).unlink()
    assert edition(tmp_path) == wanted

    repository.set_head(pygit2.Oid(hex=commit))
    assert edition(tmp_path) == wanted


def test_what_is_installed_otherwise_is_told_by_its_version(tmp_path: Path) -> None:
    assert edition(tmp_path) == __version__
