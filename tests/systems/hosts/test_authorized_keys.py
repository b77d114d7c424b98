"""The file that says who may log in: what is put into it and taken out, and that all else stays."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.hosts import key_pair
from runbooks.systems.hosts.access import Here
from runbooks.systems.hosts.authorized_keys import AuthorizedKeys, added, removed

OLD, NEW, OTHER = "ssh-ed25519 AAAAold", "ssh-ed25519 AAAAnew runbooks run-1", "ssh-rsa AAAAother ada@example.org"
OPTIONS = 'from="10.0.0.1",command="echo \\"hi there\\"" '


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{OLD} me\n", f"{OLD} me\n{NEW}\n"),
        (f"# who\n{OTHER}\n{OPTIONS}{OLD} me", f"# who\n{OTHER}\n{OPTIONS}{OLD} me\n{OPTIONS}{NEW}\n"),
        (f"{OLD}\n{NEW}\n", f"{OLD}\n{NEW}\n"),
        (f"{OTHER}\n", None),
        (f"# {OLD}\n", None),
        ("", None),
    ],
)
def test_a_key_is_let_in_under_the_options_of_the_one_beside_it(before: str, after: str | None) -> None:
    assert added(before, NEW, OLD) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{OTHER}\n{OLD} me\n{NEW}\n", f"{OTHER}\n{NEW}\n"),
        (f"{OPTIONS}{OLD} me\r\n# {OLD}\n\n{OTHER}", f"# {OLD}\n\n{OTHER}"),
        (f"{OLD}er\n", f"{OLD}er\n"),
    ],
)
def test_only_the_lines_of_a_key_are_removed(before: str, after: str) -> None:
    assert removed(before, OLD) == after


def test_the_file_is_replaced_whole_with_its_rights_also_behind_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text(f"{OLD} me\n")
    real.chmod(0o640)
    (tmp_path / "link with space").symlink_to(real)
    file = AuthorizedKeys(Here(), str(tmp_path / "link with space"))

    file.add(NEW, beside=OLD)
    assert (file.holds(OLD), file.holds(NEW)) == (True, True)
    file.remove(OLD)

    assert (file.holds(OLD), file.holds(NEW)) == (False, True)
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == (f"{NEW}\n", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link with space", "real"]


def test_what_somebody_else_put_there_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{OLD}\n")

    class Raced(Here):
        def run(self, argv, *, seconds=10):  # type: ignore[no-untyped-def]
            done = super().run(argv, seconds=seconds)
            path.write_text(f"{OLD}\n{OTHER}\n")
            return done

    with pytest.raises(SystemFault, match="somebody changed"):
        AuthorizedKeys(Raced(), str(path)).add(NEW, beside=OLD)
    assert path.read_text() == f"{OLD}\n{OTHER}\n"


def test_a_file_of_which_not_all_arrived_is_not_put_there(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{OLD}\n")

    class Cut(Here):
        def send(self, argv, data, *, seconds, hold=False):  # type: ignore[no-untyped-def]
            return super().send(argv, [next(iter(data))[:10]], seconds=seconds, hold=hold)

    with pytest.raises(SystemFault, match="can't be written"):
        AuthorizedKeys(Cut(), str(path)).add(NEW, beside=OLD)
    assert path.read_text() == f"{OLD}\n"
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="can't be read") as caught:
        AuthorizedKeys(Here(), str(tmp_path / "none")).holds(OLD)
    assert "none" in caught.value.where


def test_a_key_pair_is_new_each_time_and_what_is_none_is_said() -> None:
    one, two = key_pair.make("KEY"), key_pair.make("KEY")

    assert key_pair.public(one, "me").startswith("ssh-ed25519 AAAA")
    assert key_pair.public(one).split()[1] != key_pair.public(two).split()[1]
    with pytest.raises(InputError, match="can't be used"):
        key_pair.public(Secret("KEY", "no key at all"))
