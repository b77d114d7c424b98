"""The stand-in's repository: the same commits everywhere, and every broken build on every release."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.sandbox import repository
from runbooks.sandbox.repository import build, checkout, faults

RELEASES = ("v1", "v2", "v3")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("application") / "repository"
    build(path)
    return path


def test_the_same_commits_come_out_of_every_build(tmp_path: Path) -> None:
    first = build(tmp_path / "one")
    os.umask(os.umask(0o077))
    second = build(tmp_path / "elsewhere" / "two")
    assert first == second
    assert set(RELEASES) <= set(first)
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit in first.values())


def test_a_complete_repository_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    expected = build(path)
    (path / "somebody-was-here").touch()
    assert build(path) == expected
    assert (path / "somebody-was-here").exists()


def test_a_half_built_repository_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    expected = build(path)
    (path / "refs" / "tags" / "v2").unlink()
    assert build(path) == expected
    assert checkout(path, "v2", tmp_path / "v2") == expected["v2"]


def test_a_repository_with_a_missing_object_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "repository"
    expected = build(path)
    shutil.rmtree(next(folder for folder in (path / "objects").iterdir() if len(folder.name) == 2))
    assert build(path) == expected
    for release in RELEASES:
        checkout(path, release, tmp_path / release)


def test_nothing_is_left_beside_the_repository(tmp_path: Path) -> None:
    build(tmp_path / "repository")
    checkout(tmp_path / "repository", "v1", tmp_path / "v1")
    assert {"repository", "v1"} == {entry.name for entry in tmp_path.iterdir()}


def test_the_first_release_is_the_base_tree(built: Path, tmp_path: Path) -> None:
    checkout(built, "v1", tmp_path / "v1")
    for path in (tmp_path / "v1").rglob("*"):
        if path.is_file():
            original = repository.BASE / path.relative_to(tmp_path / "v1")
            assert original.read_bytes() == path.read_bytes()
    assert (tmp_path / "v1" / ".env.example").exists()
    assert not list((tmp_path / "v1").rglob("__pycache__"))


def test_a_checkout_by_abbreviated_commit_is_the_tagged_one(built: Path, tmp_path: Path) -> None:
    commit = build(built)["v2"]
    assert checkout(built, commit[:12], tmp_path / "v2") == commit


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("release", RELEASES)
def test_every_fault_applies_and_changes_little(built: Path, tmp_path: Path, release: str) -> None:
    whole = tmp_path / "whole"
    checkout(built, release, whole)
    commits = set()
    for fault in faults():
        broken = tmp_path / fault
        commits.add(checkout(built, release, broken, fault))
        before, after = contents(whole), contents(broken)
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert 1 <= len(changed) <= 3, fault
        for path in changed & after.keys():
            if path.endswith(".py"):
                compile(after[path], path, "exec")
    assert len(commits) == len(faults())


def test_a_broken_build_has_the_same_commit_each_time(built: Path, tmp_path: Path) -> None:
    first = checkout(built, "v1", tmp_path / "one", "health-500")
    assert first == checkout(built, "v1", tmp_path / "two", "health-500")
    assert first != build(built)["v1"]


def test_each_later_release_adds_one_migration(built: Path, tmp_path: Path) -> None:
    found = {}
    for release in RELEASES:
        checkout(built, release, tmp_path / release)
        found[release] = {path.stem for path in (tmp_path / release / "migrations/versions").glob("*.py")}
    assert found["v2"] - found["v1"] == {"20251103_profile_timezone"}
    assert found["v3"] - found["v2"] == {"20251110_drop_profile_phone"}
    assert all(len(revision) <= 32 for revision in found["v3"])


def test_an_unknown_revision_names_the_known_ones(built: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"v9(.|\n)*v1, v2, v3"):
        checkout(built, "v9", tmp_path / "v9")


def test_an_unknown_fault_names_the_known_ones(built: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no-such-fault(.|\n)*health-500"):
        checkout(built, "v1", tmp_path / "v1", "no-such-fault")
    assert not (tmp_path / "v1").exists()


def test_an_existing_folder_is_refused(built: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder exists"):
        checkout(built, "v1", tmp_path)


def test_no_repository_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No repository"):
        checkout(tmp_path / "nowhere", "v1", tmp_path / "v1")
