from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from runbooks.systems.hosts.log_lines import lines, time_of, written_since

BERLIN = timezone(timedelta(hours=1))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("2026-11-23 13:00:00,250 INFO app started", NOON.replace(microsecond=250000)),
        ("2026-11-23T12:00:00Z started", NOON),
        ("2026-11-23T12:00:00.5+00:00 started", NOON.replace(microsecond=500000)),
        ("[2026-11-23 12:00:00 +0000] [7] [INFO] Booting", NOON),
        ("2026-11-23 13:00:00.123456789 nanoseconds", NOON.replace(microsecond=123456)),
        ('INFO:     127.0.0.1:5 - "GET /health HTTP/1.1" 200 OK', None),
        ("2026-13-45 99:00:00 no such day", None),
        ("", None),
    ],
)
def test_a_line_tells_its_time_in_the_hosts_zone_unless_it_names_one(line: str, moment: datetime | None) -> None:
    assert time_of(line, BERLIN) == moment


def test_what_a_start_prints_before_its_logger_is_up_belongs_to_it() -> None:
    text = "2026-11-23 11:59:59,900 INFO stopped\nRunning migrations\n2026-11-23 12:00:01,000 INFO started\nlast\n"

    found, older = written_since(lines(text, UTC), NOON)

    assert [line.text.split()[-1] for line in found] == ["migrations", "started", "last"]
    assert older


def test_a_log_that_does_not_reach_back_is_told_from_one_that_does() -> None:
    found, older = written_since(lines("2026-11-23 12:00:01,000 INFO late\n", UTC), NOON)

    assert (len(found), older) == (1, False)
