"""What only a dotenv file promises of its versions: its text, its rights, and that a kill at no point does harm."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, NeedsPerson, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv_versions import DotenvVersions
from runbooks.systems.secrets.versions import SecretVersions

NAME, RUN = "JWT_SECRET_KEY", "run-1"
TEXT = f"""\
# first comment, it's kept

export BEFORE="two
lines"   # a comment's "quote"
  {NAME} = the-old-value   # who knows it: nobody
EMPTY=
AFTER='# no comment'
# last comment"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "variables.env"
    path.touch(mode=0o600)
    path.write_text(TEXT)
    return path


def rotated(path: Path, value: str) -> SecretVersions:
    versions = SecretVersions(DotenvVersions(path))
    versions.put_pending({NAME: Secret(NAME, value)}, RUN)
    versions.promote([NAME], RUN)
    return versions


def test_everything_but_the_value_stays_as_it_was_and_goes_back_to_it(path: Path) -> None:
    versions = rotated(path, 'new # "value" that isn\'t simple')

    assert path.read_text() == TEXT.replace("the-old-value   #", "'new # \"value\" that isn\\'t simple'   #")
    versions.demote([NAME], RUN)
    assert path.read_text() == TEXT.replace("the-old-value", "'the-old-value'")


def test_only_the_owner_can_read_any_of_it_and_git_looks_away(path: Path) -> None:
    path.chmod(0o400)
    rotated(path, "the-new-value")

    folder = path.with_name("variables.env.versions")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [path, folder, *folder.iterdir()]}
    assert modes.pop(folder.name) == 0o700
    assert modes.pop(path.name) == 0o400
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_retired_value_is_nowhere_any_more(path: Path) -> None:
    rotated(path, "the-new-value").retire([NAME], RUN)

    files = [each for each in path.parent.rglob("*") if each.is_file()]
    assert [each.name for each in files if "the-old-value" in each.read_text()] == []
    assert [each.name for each in files if "the-new-value" in each.read_text()] == ["variables.env"]


def test_a_value_that_somebody_changed_meanwhile_is_left_to_a_person(path: Path) -> None:
    versions = rotated(path, "the-new-value")
    path.write_text(TEXT.replace("the-old-value", "by-hand-instead"))

    with pytest.raises(NeedsPerson, match="changed by hand while it was being rotated") as caught:
        versions.demote([NAME], RUN)
    assert "by-hand-instead" not in str(caught.value)
    assert "by-hand-instead" in path.read_text()


def test_a_value_changed_by_hand_after_a_rotation_is_not_taken_for_its_own(path: Path) -> None:
    versions = rotated(path, "the-new-value")
    versions.retire([NAME], RUN)
    path.write_text(TEXT.replace("the-old-value", "by-hand-later"))

    current = versions.read(NAME).current
    assert current is not None
    assert (current.id, current.value.reveal()) == (None, "by-hand-later")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a\rb-and-more", "a carriage return"),
        ("zero\0byte-here", "a zero byte"),
        ("pass${HOME}word", "programs that read such a file replace"),
        ("\udcff\udcfeabcdef", "bytes that are not UTF-8"),
        ('\'starts "and" ends with \\', None),
    ],
)
def test_what_dotenv_can_not_carry_is_refused_in_words(path: Path, value: str, found: str | None) -> None:
    if found is None:
        rotated(path, value)
        return
    with pytest.raises(InputError, match=found) as caught:
        rotated(path, value)
    assert value not in str(caught.value)
    assert path.read_text() == TEXT
    assert not (path.parent / "variables.env.versions" / "versions.json").exists()


def test_a_name_that_is_set_twice_is_refused_with_its_lines(path: Path) -> None:
    path.write_text(f"{TEXT}\n{NAME}=again-and-again\n")

    with pytest.raises(InputError, match="more than once") as caught:
        rotated(path, "the-new-value")
    assert "the-old-value" not in str(caught.value)


def test_a_folder_open_to_others_and_a_damaged_record_are_refused(path: Path) -> None:
    versions = rotated(path, "the-new-value")
    folder = path.with_name("variables.env.versions")
    (folder / "versions.json").write_text('{"schema": 2}')
    with pytest.raises(InputError, match="can't be read"):
        versions.read(NAME)
    folder.chmod(0o755)
    with pytest.raises(InputError, match="open to others"):
        versions.promote([NAME], RUN)


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    path = tmp_path / "variables.env"
    path.touch(mode=0o600)
    path.write_text(TEXT)
    path.with_name("variables.env.versions").write_text("a file in its place")

    with pytest.raises(SystemFault, match="versions of secrets can't be written"):
        rotated(path, "the-new-value")


def test_a_kill_ahead_of_any_effect_leaves_one_current_and_the_rotation_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.systems.secrets.killed_rotations", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    ends = {"forward": {"CURRENT": "the-new-value"}, "back": {"CURRENT": "the-old-value"}}
    assert [kill for kill in kills if kill["killed"].get("CURRENT") not in ("the-old-value", "the-new-value")] == []
    assert [kill for kill in kills if kill["ended"] != ends[kill["way"]]] == []
    seen = {tuple(sorted(kill["killed"])) for kill in kills}
    assert seen == {("CURRENT",), ("CURRENT", "PENDING"), ("CURRENT", "PREVIOUS")}
    assert len(kills) > 20
