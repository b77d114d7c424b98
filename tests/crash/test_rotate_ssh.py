"""A rotation of the hosts' key is killed anywhere, then resumed or taken back: one key is let in, and it is CURRENT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests import ssh_hosts
from tests.crash.sandboxes import killed_at, succeeds
from tests.ssh_hosts import SshHosts

FILE = "call:runbooks.systems.hosts.authorized_keys:AuthorizedKeys"
STEPS = ("create", "set", "promote", "withdraw")
POINTS = [
    *(f"{when}/{step}" for step in STEPS for when in ("after:intent", "before:outcome")),
    f"after-{FILE}.add",
    f"after-{FILE}.remove",
    "after:intent/forget",
]
TOO_LATE = ("before:outcome/forget",)
BACK = (
    "before:undo-outcome/set",
    "before:undo-outcome/promote",
    "before:undo-outcome/withdraw",
    f"after-{FILE}.remove",
)
ENV = ("--env", "fleet")


@pytest.fixture(scope="module")
def running_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHosts]:
    with ssh_hosts.running(tmp_path_factory.mktemp("fleet")) as hosts:
        yield hosts


@pytest.fixture
def hosts(running_hosts: SshHosts) -> SshHosts:
    running_hosts.reset()
    return running_hosts


def each(points: Iterable[str]) -> list[Any]:
    return [pytest.param(point, id=point.replace("/", " ").replace(FILE, "call")) for point in points]


def only_lets_in(hosts: SshHosts, now: str, other: str | None) -> None:
    """The file's key, and no other line than it and somebody else's."""
    assert hosts.key_file.read_text() == now
    assert hosts.lets_in(now) == [True, True]
    assert other is None or hosts.lets_in(other) == [False, False]
    assert [len(text.splitlines()) for text in hosts.authorized()] == [2, 2]
    status = succeeds(hosts.shell, "secrets.status", *ENV)
    assert "PENDING" not in status
    assert "PREVIOUS" not in status


@pytest.mark.crash
@pytest.mark.parametrize("point", each([*POINTS, *TOO_LATE]))
def test_a_killed_rotation_is_resumed(point: str, hosts: SshHosts) -> None:
    before = hosts.key_file.read_text()
    killed_at(hosts.shell, point, "secrets.rotate", "SSH_KEY", *ENV)

    succeeds(hosts.shell, "secrets.resume", "SSH_KEY", *ENV)

    after = hosts.key_file.read_text()
    assert after != before
    only_lets_in(hosts, after, before)


@pytest.mark.crash
@pytest.mark.parametrize("point", each(POINTS))
def test_a_killed_rotation_is_taken_back(point: str, hosts: SshHosts) -> None:
    before = hosts.key_file.read_text()
    killed_at(hosts.shell, point, "secrets.rotate", "SSH_KEY", *ENV)

    succeeds(hosts.shell, "secrets.abort", "SSH_KEY", *ENV, code=6)

    only_lets_in(hosts, before, None)


@pytest.mark.crash
@pytest.mark.parametrize("point", each(BACK))
def test_a_way_back_that_is_killed_is_gone_again(point: str, hosts: SshHosts) -> None:
    before = hosts.key_file.read_text()
    killed_at(hosts.shell, "after:intent/forget", "secrets.rotate", "SSH_KEY", *ENV)
    killed_at(hosts.shell, point, "secrets.abort", "SSH_KEY", *ENV)

    succeeds(hosts.shell, "secrets.abort", "SSH_KEY", *ENV, code=6)

    only_lets_in(hosts, before, None)
