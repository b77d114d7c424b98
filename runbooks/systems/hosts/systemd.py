"""A unit that systemd runs: ``systemctl show`` and the journal."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import commands
from runbooks.systems.hosts.runner import Runner, output
from runbooks.systems.platform.port import Limit, Log, LogLine, Resource, RestartPolicy, Running, Settings, StopRule

MOST = 4 * 1024 * 1024
"""Bytes of the journal's JSON that are read at once."""

RESTARTING = ("always", "on-failure", "on-abnormal")
"""What ``Restart=`` may be so that a crash is followed by a start; ``on-abnormal`` leaves out an exit status of 1."""

DENIED = ("insufficient permissions", "not seeing messages from other users")
"""What journalctl says, in its error output, where it shows less than there is; its exit status may be 0."""

INFINITY = ("infinity", "18446744073709551615", "[not set]", "")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Systemd:
    """One unit."""

    runner: Runner
    unit: str

    def settings(self) -> Settings:
        """See `Platform.settings`."""
        return settings(self._properties(), f"{self.unit} on {self.runner.name}")

    def running(self) -> Running:
        """See `Platform.running`."""
        return running(self._properties(), self.unit)

    def memory(self, _pid: int) -> Limit:
        """The limit of the unit's control group."""
        known = self._properties()
        return Limit(Resource.MEMORY, "MemoryMax", number(known, "MemoryMax"), number(known, "MemoryCurrent"))

    def log_of_running(self) -> Log:
        """What was written since the unit's latest start."""
        return self._log(commands.journal_of_start(self._properties()["InvocationID"], MOST))

    def log_end(self) -> str:
        """The cursor of the last entry; empty if there is none."""
        last = self._journal(commands.journal_end(self.unit)).strip()
        return str(json.loads(last)["__CURSOR"]) if last.startswith("{") else ""  # or it says: no entries

    def log_after(self, mark: str) -> Log:
        """See `Platform.log_after`."""
        return self._log(commands.journal_after(self.unit, mark, MOST))

    def _properties(self) -> Mapping[str, str]:
        shown = output(self.runner, commands.unit_properties(self.unit), "systemd can't be asked", self.unit)
        return properties(shown.text, self.unit)

    def _log(self, argv: commands.Argv) -> Log:
        text = self._journal(argv)
        return Log(f"journal of {self.unit} on {self.runner.name}", entries(text.splitlines()), len(text) < MOST)

    def _journal(self, argv: commands.Argv) -> str:
        mend = "let this user read the journal: usermod --append --groups systemd-journal USER"
        done = output(self.runner, argv, "the journal can't be read", self.unit, mend)
        if any(words in done.errors for words in DENIED):
            raise SystemFault(
                "the journal may not be read",
                reason=Reason.UNAUTHORISED,
                where=f"{self.unit} on {self.runner.name}",
                found=done.errors.strip().splitlines()[0],
                mend=mend,
            )
        return done.text


def properties(text: str, unit: str) -> Mapping[str, str]:
    """What ``systemctl show`` printed.

    Raises:
        SystemFault: there is no such unit; systemctl says so in words only.
    """
    known = {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}
    if known.get("LoadState") != "loaded":
        raise SystemFault(
            f"systemd has no unit {unit}",
            reason=Reason.BAD_ANSWER,
            where=unit,
            found=f"LoadState={known.get('LoadState', '')}",
            mend="correct platform.service.name",
        )
    return known


def settings(known: Mapping[str, str], where: str) -> Settings:
    """How the unit is run."""
    policy = known["Restart"]
    burst = number(known, "StartLimitBurst")
    return Settings(
        where=where,
        restart=RestartPolicy(f"Restart={policy}", policy in RESTARTING, burst or None),  # a burst of 0: no limit
        stop=StopRule(signal.Signals(int(known["KillSignal"])).name, seconds(known["TimeoutStopUSec"])),
    )


def running(known: Mapping[str, str], unit: str) -> Running:
    """The unit's main process.

    Raises:
        SystemFault: it has none.
    """
    pid = int(known["MainPID"])
    if not pid:
        raise SystemFault(
            f"{unit} does not run",
            reason=Reason.FAILED,
            where="systemd",
            found=f"ActiveState={known['ActiveState']}",
            mend=f"journalctl --unit={unit}",
        )
    started = datetime.fromtimestamp(int(known["ExecMainStartTimestamp"].removeprefix("@")), UTC)
    return Running(pid, started, int(known["NRestarts"]))


def entries(lines: Iterable[str]) -> list[LogLine]:
    """The journal's JSON lines; one that was cut off is left out. A message that is no text comes as bytes."""
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # also what it says in place of entries where there are none
            continue
        message = entry.get("MESSAGE")
        if isinstance(message, list):
            message = bytes(message).decode(errors="backslashreplace")
        time = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        found += [LogLine(each, time) for each in str(message or "").splitlines()]
    return found


def number(known: Mapping[str, str], name: str) -> int | None:
    """A number; None if there is no limit or it is not known."""
    value = known.get(name, "")
    return None if value in INFINITY else int(value)


def seconds(span: str) -> float | None:
    """A time span as systemd writes it: ``1min 30s``; None for ``infinity``."""
    if span == "infinity":
        return None
    total = 0.0
    for part in span.split():
        digits = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        total += float(digits) * _UNITS[part.removeprefix(digits)]
    return total
