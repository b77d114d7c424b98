"""Users of a Redis server with two passwords, and where the server keeps them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.redis import users
from runbooks.systems.redis.client import DEFAULT
from runbooks.systems.redis.users import Place
from tests.systems.redis.valkey import NEW, OLD, USER, Valkey, configured


def with_acl_file(folder: Path) -> Valkey:
    file = folder / "users.acl"
    file.write_text(f"user default off\nuser {USER} on >{OLD.reveal()} ~* &* +@all\n")
    return configured(folder, f"aclfile {file}")


def with_user_lines(folder: Path) -> Valkey:
    return configured(folder, f"user default off\nuser {USER} on >{OLD.reveal()} ~* &* +@all")


def with_requirepass(folder: Path) -> Valkey:
    return configured(folder, f"requirepass {OLD.reveal()}")


PLACES = [
    pytest.param(with_acl_file, USER, Place.ACL_FILE, id="ACL file"),
    pytest.param(with_user_lines, USER, Place.CONFIGURATION, id="user lines"),
    pytest.param(with_requirepass, DEFAULT, Place.CONFIGURATION, id="requirepass"),
]


@pytest.mark.parametrize(("make", "name", "place"), PLACES)
def test_both_passwords_are_accepted_in_the_overlap_and_a_restart_forgets_none_of_it(
    make: Callable[[Path], Valkey], name: str, place: Place, tmp_path: Path
) -> None:
    valkey = make(tmp_path)
    old, new = valkey.by(OLD, name), valkey.by(NEW, name)
    with valkey.running():
        assert (old.accepted(), new.accepted()) == (True, False)
        users.accept(old, name, NEW)
        assert users.keep(old) is place
    with valkey.running():
        assert (old.accepted(), new.accepted()) == (True, True)
        users.refuse(new, name, OLD)
        users.refuse(new, name, OLD)
        users.keep(new)
    with valkey.running():
        assert (old.accepted(), new.accepted()) == (False, True)
        assert not users.user(new, name).accepts(OLD)
    assert NEW.reveal() not in "".join(path.read_text() for path in tmp_path.iterdir())


def test_a_server_without_a_file_says_that_it_forgets(tmp_path: Path) -> None:
    valkey = configured(tmp_path, f"requirepass {OLD.reveal()}", in_file=False)
    with valkey.running():
        assert users.keep(valkey.by(OLD, DEFAULT)) is Place.MEMORY


def test_a_file_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    valkey = with_acl_file(tmp_path)
    with valkey.running():
        users.accept(valkey.by(OLD), USER, NEW)
        (tmp_path / "users.acl").unlink()
        (tmp_path / "users.acl").mkdir()
        with pytest.raises(SystemFault, match="refused a command"):
            users.keep(valkey.by(OLD))


def test_other_connections_of_a_user_are_told_by_their_age(tmp_path: Path) -> None:
    valkey = with_acl_file(tmp_path)
    with valkey.running(), valkey.by(OLD).connected() as used:
        used.echo("here")
        ages = users.ages(valkey.by(OLD), USER)
        assert len(ages) == 1
        assert timedelta() <= ages[0] < timedelta(hours=1)
        assert users.ages(valkey.by(OLD), DEFAULT) == []


def test_a_user_who_may_not_administer_others_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "users.acl"
    file.write_text(f"user default off\nuser {USER} on >{OLD.reveal()} ~* &* +@all -@admin\n")
    valkey = configured(tmp_path, f"aclfile {file}")
    with valkey.running(), pytest.raises(SystemFault) as caught:
        users.accept(valkey.by(OLD), USER, NEW)
    assert caught.value.reason is Reason.UNAUTHORISED


def test_a_user_who_needs_no_password_and_one_who_is_not_there_are_told(tmp_path: Path) -> None:
    valkey = configured(tmp_path, "user default on nopass ~* &* +@all")
    with valkey.running():
        assert users.user(valkey.by(OLD, DEFAULT), DEFAULT).any_password
        with pytest.raises(SystemFault, match="there is no user application"):
            users.user(valkey.by(OLD, DEFAULT), USER)
