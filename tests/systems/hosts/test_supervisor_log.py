from __future__ import annotations

from datetime import UTC

from runbooks.systems.hosts.log_lines import lines
from runbooks.systems.hosts.supervisor_log import Starts, starts

DAY = "2026-11-23 08:"
SPAWNED = "02:35,745 INFO spawned: 'web' with pid 10"
CRASHED = "03:00,000 WARN exited: web (terminated by SIGKILL; not expected)"
AGAIN = "03:01,000 INFO spawned: 'web' with pid 11"
STOPPED = "04:00,000 WARN stopped: web (terminated by SIGTERM)"
ON_PURPOSE = "04:00,100 INFO spawned: 'web' with pid 12"
OTHER = "04:01,000 WARN exited: mail (exit status 1; not expected)"


def told(*events: str) -> Starts | None:
    return starts(lines("".join(f"{DAY}{event}\n" for event in events), UTC), "web")


def test_a_start_is_the_moment_and_the_process() -> None:
    found = told("02:30,000 INFO supervisord started with pid 1", SPAWNED, OTHER)

    assert found is not None
    assert (found.pid, found.again, found.first.strftime("%H:%M:%S.%f")) == (10, 0, "08:02:35.745000")


def test_a_crash_and_the_start_after_it_are_one_restart_since_the_first() -> None:
    found = told(SPAWNED, CRASHED, AGAIN)

    assert found is not None
    assert (found.pid, found.again, found.first.minute) == (11, 1, 2)


def test_a_start_on_purpose_begins_anew() -> None:
    gave_up = "03:30,000 INFO gave up: web entered FATAL state, too many start retries too quickly"

    for end in (STOPPED, gave_up, "03:59,000 INFO supervisord started with pid 2"):
        found = told(SPAWNED, CRASHED, AGAIN, end, ON_PURPOSE)
        assert found is not None
        assert (found.pid, found.again, found.first.minute) == (12, 0, 4)


def test_a_log_without_a_start_tells_nothing() -> None:
    assert told(OTHER) is None
    assert told() is None
