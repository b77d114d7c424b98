"""``secrets.rotate SSH_KEY``: the new key is let in everywhere, on new connections, before the old one is removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks.engine.secret import Secret
from tests import ssh_hosts
from tests.crash.sandboxes import succeeds
from tests.sampling import watching
from tests.ssh_hosts import OPTIONS, SOMEBODY_ELSE, SshHosts

ROTATE = ("secrets.rotate", "SSH_KEY", "--env", "fleet")


@pytest.fixture(scope="module")
def running_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHosts]:
    with ssh_hosts.running(tmp_path_factory.mktemp("fleet")) as hosts:
        yield hosts


@pytest.fixture
def hosts(running_hosts: SshHosts) -> SshHosts:
    running_hosts.reset()
    return running_hosts


def test_the_new_key_alone_is_let_in_at_the_end(hosts: SshHosts) -> None:
    before = hosts.key_file.read_text()
    with watching([Secret("old", before)]) as seen:
        said = succeeds(hosts.shell, *ROTATE)

    after = hosts.key_file.read_text()
    assert "ROTATED SSH_KEY" in said
    assert after != before
    assert "PRIVATE KEY" not in said
    assert (hosts.lets_in(before), hosts.lets_in(after)) == ([False, False], [True, True])
    for text in hosts.authorized():
        assert text.startswith(SOMEBODY_ELSE), "whoever else logs in still can"
        assert text.count(OPTIONS) == 1, "with the options of the old key"
    assert seen.programs
    assert not seen.in_arguments
    assert not seen.showed(Secret("new", after))
    journals = "".join(path.read_text() for path in (hosts.project / "var" / "runs").rglob("*.jsonl"))
    assert "BEGIN OPENSSH" not in journals
    assert "SSH_KEY                CURRENT" in succeeds(hosts.shell, "secrets.status", "--env", "fleet")


def test_a_plan_says_that_there_is_no_gap_and_changes_nothing(hosts: SshHosts) -> None:
    before = hosts.key_file.read_text(), hosts.authorized()

    said = succeeds(hosts.shell, *ROTATE, "--plan")

    assert "there is no gap" in said
    assert (hosts.key_file.read_text(), hosts.authorized()) == before


def test_a_key_that_another_file_lets_in_is_not_rotated(hosts: SshHosts) -> None:
    before = hosts.key_file.read_text()
    (hosts.hosts[1].folder / "authorized_keys").write_text(SOMEBODY_ELSE)

    said = succeeds(hosts.shell, *ROTATE, code=6)

    assert "the host does not let us in" in said
    assert hosts.lets_in(before) == [True, False]
    assert hosts.key_file.read_text() == before


def test_where_one_host_does_not_let_the_new_key_in_nothing_is_removed_anywhere(tmp_path: Path) -> None:
    with ssh_hosts.running(tmp_path, "PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256") as hosts:
        before, authorized = hosts.key_file.read_text(), hosts.authorized()

        said = succeeds(hosts.shell, *ROTATE, code=6)

        assert "Have the system accept it" in said
        assert hosts.key_file.read_text() == before
        assert hosts.authorized() == authorized
        assert hosts.lets_in(before) == [True, True]


def test_without_hosts_there_is_no_such_key(hosts: SshHosts) -> None:
    file = hosts.key_file.with_name("environment.toml")
    text = file.read_text()
    file.write_text(text.replace('key_file = "deploy_key"\n', ""))
    try:
        refused = hosts.shell.invoke(*ROTATE)
        status = succeeds(hosts.shell, "secrets.status", "--env", "fleet")
    finally:
        file.write_text(text)

    assert refused.returncode == 2
    assert "platform.hosts.key_file" in refused.stderr
    assert "not known here" in status
