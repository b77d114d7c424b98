from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.store.folder import FolderStore
from tests.engine.toys import child, ended


def test_of_eight_processes_that_put_at_once_one_wins(tmp_path: Path) -> None:
    racers = [child("tests.systems.store.racer", tmp_path, number) for number in range(8)]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    words = [output for _, output, _ in map(ended, racers)]

    assert sorted(words) == ["slower\n"] * 7 + ["won\n"]
    stored = FolderStore(tmp_path).get("prize")
    assert stored is not None
    assert stored.body == str(words.index("won\n")).encode() * 1000


def test_names_are_without_what_is_temporary(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("runs/a", b"x", replaces=None)
    (tmp_path / "runs" / ".c.123.new").write_bytes(b"half")

    assert list(store.names("")) == ["runs/a"]
    assert list(FolderStore(tmp_path / "none").names("")) == []


def test_a_place_that_can_not_be_used_is_a_fault_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = FolderStore(tmp_path / "file")

    for attempt in (lambda: store.get("x"), lambda: store.put("x", b"1", replaces=None)):
        with pytest.raises(SystemFault, match="the store can't be used") as caught:
            attempt()
        assert caught.value.reason is Reason.UNREACHABLE
        assert str(tmp_path) in caught.value.where


def test_a_folder_that_may_not_be_written_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    status, output, errors = ended(child("tests.systems.store.forbidden", tmp_path))

    assert (status, output) == (0, "fault: Permission denied\n"), errors


def test_without_space_the_old_object_stays_and_no_half_one(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("prize", b"old", replaces=None)
    status, output, errors = ended(child("tests.systems.store.without_space", tmp_path))

    assert (status, output) == (0, "fault: File too large\n"), errors
    stored = FolderStore(tmp_path).get("prize")
    assert stored is not None
    assert stored.body == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "prize"]
