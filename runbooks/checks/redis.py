"""Redis: what survives a restart, and who is let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason


@check("redis.persistent", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="redis")
def persistent(subject: Subject) -> Finding:
    expected = "AOF or RDB is on, and the last write of each was good"
    info = subject.site.redis.info("persistence")
    broken = [f"{name}={info[name]}" for name in _STATUS if info.get(name, "ok") != "ok"]
    if broken:
        return failed(expected, ", ".join(broken), "see the server's log and its disk, then: BGSAVE")
    if int(info.get("aof_enabled", 0)):
        return passed(expected, f"AOF is on, aof_last_write_status={info.get('aof_last_write_status')}")
    return _by_snapshots(subject, expected, info)


_STATUS = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")


def _by_snapshots(subject: Subject, expected: str, info: Mapping[str, Any]) -> Finding:
    """Without AOF: whether snapshots are scheduled, or at least one was written since the server started.

    ``rdb_last_save_time`` is set to the start when nothing was ever saved, so a later time is what proves a save.
    """
    schedule = subject.site.redis.setting("save")
    if schedule:
        return passed(expected, f"AOF is off, RDB is on (save {schedule})")
    if schedule == "":
        return failed(expected, "AOF is off and RDB is off", "turn appendonly on, or set a save schedule")
    server = subject.site.redis.info("server")
    started = int(server["server_time_usec"]) // 1_000_000 - int(server["uptime_in_seconds"])
    if int(info.get("rdb_last_save_time", 0)) > started + 1:
        return passed(expected, "AOF is off; a snapshot was written since the server started")
    found = "AOF is off; the schedule can't be read and no snapshot was written since the server started"
    return unknown(expected, found, "see the provider's console", Reason.UNAUTHORISED)


@check("redis.password", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="redis")
def password(subject: Subject) -> Finding:
    expected = "PING without a password is refused, INFO with it is answered"
    if subject.site.redis.answers_without_password():
        return failed(expected, "PING without a password is answered", "set requirepass, and the password in REDIS_URL")
    subject.site.redis.info("server")  # a server that can't save refuses PING whoever asks
    return passed(expected, "refused without, answered with the password")
