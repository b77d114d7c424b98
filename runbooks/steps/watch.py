"""Watching a release: samples at a steady pace, each in the ledger before the next, whoever is killed in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runbooks.checks import sampling
from runbooks.engine.journal import FILE_NAME, goes_on
from runbooks.engine.percentile import percentile
from runbooks.engine.step import Scope
from runbooks.environment.site import Site
from runbooks.systems.ledger.ledger import BEGAN, ENDED, SAMPLE, Entry, Reading

SINCE_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    """When a watch began and ends, and how far apart its samples are meant to be. ``run`` is who began it."""

    run: str
    began: datetime
    until: datetime
    every: timedelta

    def as_data(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "run": self.run,
            "began": self.began.isoformat(),
            "until": self.until.isoformat(),
            "every": self.every.total_seconds(),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Window:
        """What `as_data` gave."""
        began, until = (datetime.fromisoformat(data[name]) for name in ("began", "until"))
        return cls(str(data["run"]), began, until, timedelta(seconds=float(data["every"])))

    @property
    def length(self) -> timedelta:
        return self.until - self.began


@dataclass
class Watching:
    """What the steps of a watch share.

    Attributes:
        window: As asked for; replaced by that of a watch that was cut off and is gone on with.
        runs: The folder of the environment's runs.
    """

    site: Site
    window: Window
    runs: Path

    @property
    def release(self) -> str:
        """The commit that runs now: somebody may deploy while it is watched."""
        return self.site.commit or ""

    def reading(self) -> Reading:
        """What the ledger holds of the window."""
        reading = self.site.ledger.read(self.window.began)
        return replace(reading, entries=tuple(each for each in reading.entries if each.at <= self.end))

    @property
    def end(self) -> datetime:
        """The end of the window, or now while it goes on. The last sample may be under way at the end."""
        return min(self.window.until + self.window.every, datetime.now(UTC))


def watch(work: Watching, scope: Scope) -> str:
    """Sample until the window ends. A stop ends it at a safe point; the same watch can be gone on with."""
    told = _begin(work)
    window = work.window
    scope.record("watching", **window.as_data())
    taken = 0
    while not scope.stopping and (due := _next(work)) <= window.until:
        if scope.stop_event.wait(max((due - datetime.now(UTC)).total_seconds(), 0)):
            break
        scope.say(line(take(work.site, window.every)))
        taken += 1
    if scope.stopping:
        return f"{told}; stopped after {taken} samples"
    work.site.ledger.append(ENDED, work.release, {"run": window.run})
    return f"{told}; {taken} samples"


def take(site: Site, every: timedelta) -> Entry:
    """One sample, in the ledger when this returns. The log is read from the sample before on."""
    before = next((entry for entry in site.ledger.newest(SAMPLE)), None)
    since = before.at if before and datetime.now(UTC) - before.at < 3 * every else datetime.now(UTC) - every
    return site.ledger.append(SAMPLE, site.commit or "", sampling.sample(site, since))


def _begin(work: Watching) -> str:
    """Find out which window this is: that of a watch that was cut off, or a new one."""
    cut_off = _cut_off(work)
    if cut_off is not None:
        work.window = cut_off
        return f"goes on with the watch of {cut_off.began:%Y-%m-%d %H:%M} UTC (run {cut_off.run})"
    work.site.ledger.append(BEGAN, work.release, work.window.as_data())
    return f"watched until {work.window.until:%Y-%m-%d %H:%M} UTC"


def _cut_off(work: Watching) -> Window | None:
    """The window that this run began before; else that of a watch like it that was cut off.

    So a service manager that starts the same command again after a crash does not begin a new day.
    """
    ended = {str(entry.data.get("run")) for entry in work.site.ledger.newest(ENDED)}
    for entry in work.site.ledger.newest(BEGAN):
        window = Window.of(entry.data)
        if window.run == work.window.run:
            return window
        alike = (window.length, window.every) == (work.window.length, work.window.every)
        over = window.run in ended or window.until <= datetime.now(UTC)
        if alike and not over and not goes_on(work.runs / window.run / FILE_NAME):
            return window
        if entry.at < work.window.began - work.window.length:
            break
    return None


def _next(work: Watching) -> datetime:
    """When the next sample is due: on the window's own beat, so that it does not drift; at once for the first."""
    now, window = datetime.now(UTC), work.window
    newest = next((entry for entry in work.site.ledger.newest(SAMPLE)), None)
    if newest is None or newest.at < window.began:
        return now
    beats = (newest.at - window.began + window.every / 2) // window.every + 1  # never two right after each other
    return max(window.began + beats * window.every, now)


def line(entry: Entry) -> str:
    """A sample on one line."""
    parts = [f"{entry.at:%H:%M:%S}"]
    for name, tell in TELLERS.items():
        data = entry.data.get(name)
        if data is not None:
            parts.append(tell(data) if sampling.known(data) else f"{name.removesuffix('_ms')} unknown")
    return ", ".join(parts)


def _health(data: Mapping[str, str]) -> str:
    bad = [f"{page}: {problem}" for page, problem in data.items() if problem]
    return "; ".join(bad) or "healthy"


TELLERS: Mapping[str, Callable[[Any], str]] = {
    "health": _health,
    "latency_ms": lambda data: f"p95 {percentile(data, 95):.0f} ms",
    "errors": lambda data: f"{data['lines']} error lines",
    "resources": lambda data: f"processor {data['cpu_percent']:.0f} %, {data['memory_mb']:.0f} MiB",
    "connections": lambda data: f"{data['used']}/{data['provisioned']} connections",
    "queries": lambda data: f"slowest statement {data['slowest'][0]['mean_ms'] if data['slowest'] else 0:.1f} ms",
}
"""How each source of a sample is told."""
