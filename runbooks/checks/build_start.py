"""How the running release came up, and how long builds take."""

from __future__ import annotations

from collections.abc import Sequence

from runbooks.checks.declare import check
from runbooks.checks.log_lines import is_error, until_healthy
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, unknown
from runbooks.systems.platform.port import Build

LONGEST_BUILD = 15 * 60.0
"""Seconds; by the operators' document."""

HEADROOM = 0.8
"""The share of the platform's timeout that the longest build may take."""


@check(
    "build.starts-clean",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="platform",
    depends_on=("health.logs-readable",),
)
def starts_clean(subject: Subject) -> Finding:
    expected = "no error-level line between the start and the first healthy answer, and no restart since"
    platform, redactor = subject.site.platform, subject.site.redactor
    running = platform.running()
    since = f"{running.started:%Y-%m-%d %H:%M:%S%z}"
    if running.restarts:
        times = "once" if running.restarts == 1 else f"{running.restarts} times"
        found = f"started {since}, and again {times} since: it ended by itself"
        return failed(expected, found, "read the log before each start; then stop and start it on purpose")
    log = platform.log_of_running()
    if not log.complete:
        mend = "keep more of the log, and verify soon after a deploy"
        return unknown(expected, f"{log.where} no longer reaches back to the start at {since}", mend)
    start = until_healthy(log.lines)
    if start is None:
        found = f"{log.where} has {len(log.lines)} lines since {since} and tells of no healthy answer"
        return unknown(expected, found, "let uvicorn log its start, at the level info")
    errors = [line for line in start if is_error(line)]
    if errors:
        first = redactor.text(errors[0].text)[:200]
        found = f"{len(errors)} of {len(start)} lines of the start at {since} are errors, first: {first}"
        return failed(expected, found, f"read {log.where} from {since} on")
    return passed(expected, f"started {since}, {len(start)} lines, no error, no restart")


@check("build.finishes", severity=Severity.CRITICAL, evidence=Evidence.PROBE, phase=Phase.BEFORE, target="platform")
def finishes(subject: Subject) -> Finding:
    return judge_build_of(subject.site.commit, subject.site.platform.builds())


def judge_build_of(commit: str | None, builds: Sequence[Build]) -> Finding:
    """Whether the last build of this release came to its end, in time."""
    expected = f"the last build of this release succeeded in under {LONGEST_BUILD // 60:.0f} minutes"
    if not commit:
        return unknown(expected, "it is not known which release runs", "declare release.commit_variable")
    ours = [build for build in builds if build.release == commit]
    if not ours:
        found = f"none of the last {len(builds)} builds is of {commit[:12]}"
        return unknown(expected, found, "see platform.service.builds; invoke release.deploy records its builds")
    last = ours[-1]
    found = f"{commit[:12]}, {last.started:%Y-%m-%d %H:%M}: {last.seconds:.1f} s"
    if not last.succeeded:
        return failed(expected, f"{found}, and it failed", f"see {last.log or 'its log'}, and build it again")
    if last.seconds >= LONGEST_BUILD:
        return failed(expected, found, f"see {last.log or 'its log'} for what takes so long")
    return passed(expected, found)


@check(
    "build.timeout-headroom", severity=Severity.MINOR, evidence=Evidence.PROBE, phase=Phase.BEFORE, target="platform"
)
def timeout_headroom(subject: Subject) -> Finding:
    return judge_builds(subject.site.platform.builds(), subject.environment.platform.build_timeout_seconds)


def judge_builds(builds: Sequence[Build], timeout: int | None) -> Finding:
    """Whether the longest of the recent builds leaves room below the platform's timeout, in seconds."""
    expected = f"the longest recent build takes at most {HEADROOM:.0%} of the platform's timeout"
    if timeout is None:
        return unknown(expected, "the platform's timeout is not known", "declare platform.build_timeout_seconds")
    if not builds:
        return unknown(expected, "no build is recorded", "see platform.service.builds")
    longest = max(builds, key=lambda build: build.seconds)
    share = longest.seconds / timeout
    when = f"{longest.started:%Y-%m-%d}, {longest.release[:12]}"
    found = f"the longest of {len(builds)} took {longest.seconds:.1f} s of {timeout} s, {share:.0%} ({when})"
    if share > HEADROOM:
        return failed(expected, found, f"see {longest.log or 'its log'} for what takes so long")
    return passed(expected, found)
