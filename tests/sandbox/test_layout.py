from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.sandbox.layout import Layout, can_enter
from runbooks.sandbox.layout import prepare as prepare_for
from tests.sandbox.servers import open_folder

OTHER = "daemon"
"""A user that every system has and that runs no tests."""

prepare = functools.partial(prepare_for, user=OTHER)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


def checkout(folder: Path, mode: int) -> Path:
    project = folder / "checkout"
    project.mkdir()
    project.chmod(mode)
    return project


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_sandbox_lies_in_the_checkout(folder: Path) -> None:
    project = checkout(folder, 0o755)

    layout = prepare(project, state_folder=folder / "state", superuser=True)

    assert layout == Layout(project / "var" / "sandbox")
    assert not (folder / "state").exists()
    assert layout == prepare(project, state_folder=folder / "state", superuser=True)


def test_a_user_other_than_root_always_keeps_it_there(folder: Path) -> None:
    project = checkout(folder, 0o700)

    assert prepare(project, state_folder=folder / "state", superuser=False).root == project / "var" / "sandbox"


def test_root_keeps_it_elsewhere_if_the_service_user_cannot_enter_the_checkout(folder: Path) -> None:
    project = checkout(folder, 0o700)

    layout = prepare(project, state_folder=folder / "state", superuser=True)

    assert layout.root.parent == folder / "state"
    assert (project / "var" / "sandbox").readlink() == layout.root
    assert mode(layout.root.parent) == mode(layout.root) == mode(layout.postgres) == 0o755
    assert layout == prepare(project, state_folder=folder / "other", superuser=True)


def test_two_checkouts_have_two_sandboxes(folder: Path) -> None:
    roots = set()
    for name in ("a", "b"):
        (folder / name).mkdir()
        project = checkout(folder / name, 0o700)
        roots.add(prepare(project, state_folder=folder / "state", superuser=True).root)

    assert len(roots) == 2


def test_the_symlink_decides_even_when_the_checkout_has_become_accessible(folder: Path) -> None:
    project = checkout(folder, 0o700)
    before = prepare(project, state_folder=folder / "state", superuser=True)

    project.chmod(0o755)

    assert prepare(project, state_folder=folder / "state", superuser=True) == before


def test_a_kill_between_the_folder_and_its_symlink_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = checkout(folder, 0o700)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "symlink_to", killed)
        prepare(project, state_folder=folder / "state", superuser=True)
    made = list((folder / "state").iterdir())

    assert made == [prepare(project, state_folder=folder / "state", superuser=True).root]


def test_state_that_was_removed_is_made_again(folder: Path) -> None:
    project = checkout(folder, 0o700)
    layout = prepare(project, state_folder=folder / "state", superuser=True)
    for path in sorted(layout.root.rglob("*"), reverse=True):
        path.rmdir()
    layout.root.rmdir()

    assert prepare(project, state_folder=folder / "state", superuser=True) == layout
    assert layout.postgres.is_dir()


def test_root_does_not_abandon_a_sandbox_that_is_in_use(folder: Path) -> None:
    project = checkout(folder, 0o700)
    prepare(project, superuser=False)

    with pytest.raises(InputError, match="can't enter the checkout"):
        prepare(project, state_folder=folder / "state", superuser=True)


def test_folders_with_secrets_are_for_their_owner_only_whatever_the_umask(folder: Path) -> None:
    old = os.umask(0o027)
    try:
        layout = prepare(checkout(folder, 0o755), superuser=False)
    finally:
        os.umask(old)

    assert mode(layout.supervisor) == mode(layout.programs) == mode(layout.environments) == 0o700
    assert mode(layout.postgres) == mode(layout.postgres_installs) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_sandbox_of_another_user_is_refused(folder: Path) -> None:
    project = checkout(folder, 0o755)
    os.chown(prepare(project, superuser=False).root, 65534, -1)

    with pytest.raises(InputError, match="belongs to another user"):
        prepare(project, superuser=False)


def test_who_can_enter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    inside = closed / "inside"
    inside.mkdir(mode=0o755)

    assert can_enter(folder, OTHER)
    assert not can_enter(inside, OTHER)
