"""``invoke release.watch``: how a release fares in the hours after its deploy, sampled, kept, and told in a picture."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from runbooks.catalog import Opening, Prepared
from runbooks.checks import sampling
from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.runs import began
from runbooks.engine.step import Conclusion, Runbook, Scope, Step
from runbooks.environment.site import Site
from runbooks.masking import masked
from runbooks.options import number
from runbooks.places import open_environment
from runbooks.steps import watch, watch_report
from runbooks.steps.watch import Watching, Window
from runbooks.steps.watch_report import Measure
from runbooks.systems.ledger.ledger import SAMPLE

LONGEST_HOURS = 24 * 14
EXIT_CODES = {watch_report.WELL: 0, watch_report.NOT_WELL: 3, watch_report.UNDECIDED: 4}
SPARE_SECONDS = 300.0


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together.

    Raises:
        InputError: the hours or the pace make no sense, or variables or secrets can't be read.
    """
    hours = number(opening.parameters.get("hours"), "--hours", default=1)
    every = number(opening.parameters.get("every"), "--every", default=60)
    if not 0 < hours <= LONGEST_HOURS:
        raise InputError(f"a watch lasts more than 0 and at most {LONGEST_HOURS} hours", where="--hours")
    if not 0.1 <= every <= 3600 * hours:
        raise InputError(
            "samples are at least 0.1 seconds apart, and at most as far as the watch is long", where="--every"
        )
    site = Site(opening.environment, opening.redactor)
    _ = site.application
    start = began(opening.run)
    window = Window(opening.run, start, start + timedelta(hours=hours), timedelta(seconds=every))
    return Prepared(runbook(hours), Watching(site, window, opening.runs), site.close)


def runbook(hours: float) -> Runbook[Watching]:
    """The procedure. It only reads, so it needs no lease, and a deploy may happen while it watches."""
    return Runbook(
        name="release.watch",
        title="Watch a release",
        changes=False,
        conclude=conclude,
        steps=(
            Step(
                name="watch",
                title="Sample at a steady pace",
                act=watch.watch,
                plan=plan,
                seconds=hours * 3600 + SPARE_SECONDS,
            ),
            Step(name="draw", title="Draw what was seen", act=draw),
        ),
    )


def plan(work: Watching) -> Iterable[str]:
    """What would be looked at, and where it is kept."""
    window = work.window
    yield f"{work.site.application}: until {window.until:%Y-%m-%d %H:%M} UTC, every {window.every.total_seconds():g} s"
    yield f"kept in {work.site.ledger}"


def draw(work: Watching, scope: Scope) -> str:
    """Put the figures into the run's journal, from which its log is rendered."""
    reading = work.reading()
    samples = reading.of(SAMPLE)
    page = watch_report.page(samples, work.window, work.end, _measures(work))
    page["notes"] += [f"Damaged, left out: {place}." for place in reading.damage]
    scope.record("page", **page)
    return f"{len(samples)} samples, {len(page['charts'])} pictures"


def conclude(work: Watching) -> Conclusion:
    """The verdict and why."""
    samples = work.reading().of(SAMPLE)
    word, wrong, blind = watch_report.judge(samples, work.window, work.end, _measures(work))
    releases = sorted({entry.release[:12] or "unknown" for entry in samples})
    told = [f"{len(samples)} samples of release {', '.join(releases) or 'unknown'}", *wrong, *blind]
    if word == watch_report.WELL:
        told.append("healthy throughout, every figure under its limit, no gap")
    line = f"{word} {work.site.environment.label}: {'; '.join(told)}"
    return Conclusion(word, EXIT_CODES[word], {"verdict": word, "line": line, "partial": False})


def sample_once(name: str | None) -> int:
    """Take one sample for the ledger, as a timer does, and say what was seen. No run is begun: nothing can be resumed.

    Returns:
        The exit code: 0 if the application was healthy, 3 if not, 4 if its health could not be asked for.

    Raises:
        RunbookError: the inventory is wrong, or the ledger can't be written.
    """
    environment = open_environment(name)
    redactor = Redactor()
    with masked(redactor):
        site = Site(environment, redactor)
        try:
            entry = watch.take(site, watch.SINCE_AN_HOUR)
        finally:
            site.close()
        print(f"{environment.label}: {watch.line(entry)}")
        health = entry.data["health"]
        if not sampling.known(health):
            return EXIT_CODES[watch_report.UNDECIDED]
        return EXIT_CODES[watch_report.NOT_WELL if any(health.values()) else watch_report.WELL]


def _measures(work: Watching) -> tuple[Measure, ...]:
    environment = work.site.environment
    budget = float(environment.application.health_latency_budget_ms)
    return watch_report.measures(environment.watch, sampling.processes(work.site), budget)
