"""What a real systemd and its journal say is read as it is meant."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts.systemd import Systemd
from runbooks.systems.platform.port import Resource
from tests.systems.hosts.booted import UNIT, Inside, booted, missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with booted(tmp_path_factory.mktemp("host")) as inside:
        yield inside


@pytest.fixture
def unit(host: Inside) -> Systemd:
    host.run(["systemctl", "start", UNIT])
    return Systemd(host, UNIT)


def test_its_settings_are_those_of_the_unit_file(unit: Systemd) -> None:
    settings = unit.settings()

    assert settings.restart.setting == "Restart=on-failure"
    assert (settings.restart.restarts, settings.restart.retries) == (True, 7)
    assert (settings.stop.signal, settings.stop.seconds) == ("SIGINT", 95.0)


def test_its_process_and_its_start(unit: Systemd, host: Inside) -> None:
    running = unit.running()

    command = host.run(["cat", f"/proc/{running.pid}/cmdline"]).text
    assert command.split("\0")[:2] == ["sleep", "600"]
    assert timedelta() <= datetime.now(UTC) - running.started < timedelta(minutes=10)


def test_its_memory_and_the_limit_on_it(unit: Systemd) -> None:
    limit = unit.memory(unit.running().pid)

    assert (limit.resource, limit.most) == (Resource.MEMORY, 2 * 1024**3)
    assert limit.used is not None
    assert 0 < limit.used < 100 * 1024**2


def test_what_it_wrote_since_its_start(unit: Systemd) -> None:
    def written() -> list[str]:
        return [line.text for line in unit.log_of_running().lines]

    until(lambda: len(written()) >= 3, seconds=20, what="the journal does not have it")
    assert written()[-3:] == ["began", "two", "lines\\xff"]


def test_what_is_written_after_a_mark(unit: Systemd, host: Inside) -> None:
    until(unit.log_end, seconds=20, what="the journal has nothing")
    mark = unit.log_end()
    assert unit.log_after(mark).lines == []

    host.run(["systemctl", "restart", UNIT])

    until(
        lambda: "began" in [line.text for line in unit.log_after(mark).lines], seconds=20, what="the start is not there"
    )


def test_a_crash_is_counted_and_followed_by_a_start(unit: Systemd, host: Inside) -> None:
    before = unit.running()
    host.run(["kill", f"-{int(signal.SIGKILL)}", str(before.pid)])

    def again() -> bool:
        return unit.running().restarts == before.restarts + 1

    until(again, seconds=20, what="it was not started again", ignoring=(SystemFault,))
    assert unit.running().pid != before.pid


def test_a_unit_that_is_stopped_or_not_there_is_told(unit: Systemd, host: Inside) -> None:
    host.run(["systemctl", "stop", UNIT])

    with pytest.raises(SystemFault, match="does not run"):
        unit.running()
    with pytest.raises(SystemFault, match="has no unit"):
        Systemd(host, "nothing.service").settings()
