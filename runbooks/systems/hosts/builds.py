"""Build records: one JSON object a line, written by whatever builds releases on a host.

{"release": "951ae68…", "started": "2026-11-23T08:02:30+00:00", "seconds": 41.2, "succeeded": true, "log": "…"}
"""

from __future__ import annotations

import json
from datetime import datetime

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.platform.port import Build

LATEST = 10


def parse(text: str, where: str) -> list[Build]:
    """The records, oldest first.

    Raises:
        SystemFault: a line is no record.
    """
    return [_record(line, f"{where}:{number}") for number, line in enumerate(text.splitlines(), start=1) if line]


def _record(line: str, where: str) -> Build:
    try:
        fields = json.loads(line)
        return Build(
            release=str(fields["release"]),
            started=datetime.fromisoformat(fields["started"]),
            seconds=float(fields["seconds"]),
            succeeded=fields["succeeded"] is True,
            log=str(fields.get("log", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SystemFault(
            "a build record can't be read", reason=Reason.BAD_ANSWER, where=where, found=repr(error)
        ) from error


def line(build: Build) -> str:
    """The record of a build."""
    return json.dumps(
        {
            "release": build.release,
            "started": build.started.isoformat(timespec="milliseconds"),
            "seconds": build.seconds,
            "succeeded": build.succeeded,
            "log": build.log,
        }
    )
