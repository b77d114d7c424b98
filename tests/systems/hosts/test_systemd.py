"""Answers of systemctl and journalctl, as systemd 252 (Debian 12) prints them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import systemd
from runbooks.systems.hosts.runner import Done
from runbooks.systems.hosts.systemd import Systemd
from tests.systems.hosts.recorded import Recorded

SHOWN = """\
Restart=on-failure
TimeoutStopUSec=1min 30s
MainPID=812
ExecMainStartTimestamp=@1795420955
NRestarts=0
MemoryCurrent=186646528
MemoryMax=2147483648
LimitNOFILE=524288
InvocationID=0f4f7ba3c6a44d1f9a9d5b3f2b6c8e11
LoadState=loaded
ActiveState=active
StartLimitBurst=5
KillSignal=15
"""


def entry(message: object, cursor: str = "s=1") -> str:
    return json.dumps({"__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1795420955250000", "MESSAGE": message})


def unit(changed: str = "", to: str = "", **answers: str | Done) -> tuple[Systemd, Recorded]:
    host = Recorded({"--property": SHOWN.replace(changed, to) if changed else SHOWN, **answers})
    return Systemd(host, "praviel.service"), host


def test_a_units_settings() -> None:
    settings = unit()[0].settings()

    assert (settings.restart.setting, settings.restart.restarts, settings.restart.retries) == (
        "Restart=on-failure",
        True,
        5,
    )
    assert (settings.stop.signal, settings.stop.seconds) == ("SIGTERM", 90)
    assert settings.where == "praviel.service on web-1"


@pytest.mark.parametrize(("policy", "restarts"), [("no", False), ("on-success", False), ("always", True)])
def test_which_policies_start_a_crashed_unit_again(policy: str, restarts: bool) -> None:
    assert unit("Restart=on-failure", f"Restart={policy}")[0].settings().restart.restarts is restarts


def test_the_main_process_its_start_and_its_restarts() -> None:
    running = unit("NRestarts=0", "NRestarts=3")[0].running()

    assert (running.pid, running.restarts) == (812, 3)
    assert running.started == datetime.fromtimestamp(1795420955, UTC)


def test_a_unit_that_does_not_run_or_is_not_there_is_told() -> None:
    with pytest.raises(SystemFault, match="does not run"):
        unit("MainPID=812", "MainPID=0")[0].running()
    with pytest.raises(SystemFault, match="has no unit"):
        unit("LoadState=loaded", "LoadState=not-found")[0].running()


def test_a_memory_limit_and_none() -> None:
    limit = unit()[0].memory(812)

    assert (limit.setting, limit.most, limit.used) == ("MemoryMax", 2147483648, 186646528)
    assert unit("MemoryMax=2147483648", "MemoryMax=infinity")[0].memory(812).most is None


def test_the_journal_is_read_from_a_cursor_on() -> None:
    manager, host = unit(journalctl=f"{entry('one')}\n{entry([104, 105])}\n{entry(None)}\n{{cut o")

    log = manager.log_after("s=0")

    assert [line.text for line in log.lines] == ["one", "hi"]
    assert log.lines[0].time == datetime.fromtimestamp(1795420955.25, UTC)
    assert log.complete
    assert "--after-cursor=s=0" in host.asked[-1]


def test_the_running_releases_log_is_that_of_its_start() -> None:
    manager, host = unit(journalctl=entry("started"))

    assert [line.text for line in manager.log_of_running().lines] == ["started"]
    assert "_SYSTEMD_INVOCATION_ID=0f4f7ba3c6a44d1f9a9d5b3f2b6c8e11" in host.asked[-1]


def test_the_end_of_an_empty_journal_is_its_beginning() -> None:
    assert unit(journalctl=entry("x", "s=9"))[0].log_end() == "s=9"
    assert unit(journalctl="-- No entries --\n")[0].log_end() == ""


@pytest.mark.parametrize(
    "said",
    [
        "No journal files were opened due to insufficient permissions.",
        "Hint: You are currently not seeing messages from other users and the system.",
    ],
)
def test_a_journal_that_may_not_be_read_is_not_taken_for_an_empty_one(said: str) -> None:
    manager, _ = unit(journalctl=Done(0, b"", said))

    with pytest.raises(SystemFault) as caught:
        manager.log_after("s=0")

    assert caught.value.reason is Reason.UNAUTHORISED


@pytest.mark.parametrize(("span", "seconds"), [("1min 30s", 90), ("500ms", 0.5), ("infinity", None), ("1h 2s", 3602)])
def test_time_spans(span: str, seconds: float | None) -> None:
    assert systemd.seconds(span) == seconds
