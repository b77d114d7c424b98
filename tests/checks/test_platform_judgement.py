"""Both verdicts of what the platform's checks judge by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runbooks.checks.build_canaries import leaked
from runbooks.checks.build_start import judge_build_of, judge_builds
from runbooks.checks.log_lines import is_error, is_warning, until_healthy
from runbooks.checks.platform_service import judge_limits
from runbooks.checks.start_command import problems
from runbooks.engine.outcome import Verdict
from runbooks.engine.secret import Secret
from runbooks.systems.platform.port import Build, Limit, Log, LogLine, Resource

MIB = 1024**2
BOUNDS = {Resource.MEMORY: (512 * MIB, 4096 * MIB), Resource.OPEN_FILES: None}


def line(text: str) -> LogLine:
    return LogLine(text, None)


@pytest.mark.parametrize(
    "command",
    [
        "uvicorn app.main:app --host 0.0.0.0 --port 8000",
        '/bin/sh -c "alembic upgrade head && exec uvicorn app.main:app --port ${PORT:-8000}"',
        "bash -ec 'alembic upgrade head; exec uvicorn app.main:app'",
        "sh -c 'exec uvicorn app.main:app 2>&1'",
        "sh -c 'cd backend && PYTHONPATH=. exec uvicorn app.main:app'",
    ],
)
def test_a_sound_start_command(command: str) -> None:
    assert problems(command) == []


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("alembic upgrade head && exec uvicorn app.main:app", "&& needs a shell"),
        ("alembic upgrade head; uvicorn app.main:app", "needs a shell"),
        ("uvicorn app.main:app | tee log", "| needs a shell"),
        ("uvicorn app.main:app --port $PORT", "$PORT is not expanded"),
        ("uvicorn app.main:app --port ${PORT:-8000}", "${PORT:-8000} is not expanded"),
        ("PORT=8000 uvicorn app.main:app", "PORT=8000 sets a variable"),
        ("sh -c 'alembic upgrade head && uvicorn app.main:app'", "between the manager and uvicorn"),
        ("/bin/bash -c 'uvicorn app.main:app'", "no exec"),
        ("sh -c 'exec uvicorn app.main:app & wait'", "between the manager and wait"),
        ("sh -c 'exec uvicorn", "can't be parsed"),
        ("", "it is empty"),
    ],
)
def test_a_start_command_that_fails_or_keeps_sigterm(command: str, problem: str) -> None:
    assert problem in "; ".join(problems(command))


@pytest.mark.parametrize(
    ("text", "error", "warning"),
    [
        ("2026-11-23 08:02:37,268 ERROR app.mail mail not sent", True, True),
        ("2026-11-23 08:02:37,268 WARNING app.chat chat failed", False, True),
        ("ERROR:    Application startup failed. Exiting.", True, True),
        ("Traceback (most recent call last):", True, True),
        ('{"time": "2026-11-23", "level": "error", "message": "x"}', True, True),
        ("[2026-11-23 08:02:37 +0000] [7] [CRITICAL] worker timeout", True, True),
        ("2026-11-23 08:02:37,268 INFO app.request GET /errors 200", False, False),
        ("INFO app.analysis " + "word " * 30 + "ERROR found in a text", False, False),
    ],
)
def test_levels_are_read_whatever_the_format(text: str, error: bool, warning: bool) -> None:
    assert (is_error(line(text)), is_warning(line(text))) == (error, warning)


@pytest.mark.parametrize(
    "healthy",
    [
        "2026-11-23 08:02:37,924 INFO app.request GET /health 200 0ms",
        'INFO:     10.0.0.1:5 - "GET /health HTTP/1.1" 200 OK',
        "INFO:     Application startup complete.",
    ],
)
def test_a_start_ends_with_the_first_healthy_answer(healthy: str) -> None:
    start = until_healthy(map(line, ["a", "GET /health 503 1ms", "GET /health/db 200 1ms", healthy, "later"]))

    assert start is not None
    assert len(start) == 3
    assert until_healthy([line("a")]) is None


def limits(most: int | None) -> tuple[Limit, ...]:
    return (Limit(Resource.MEMORY, "RLIMIT_AS", most, None), Limit(Resource.OPEN_FILES, "RLIMIT_NOFILE", 7, 3))


@pytest.mark.parametrize(
    ("most", "verdict"),
    [
        (512 * MIB, Verdict.PASSED),
        (4096 * MIB, Verdict.PASSED),
        (511 * MIB, Verdict.FAILED),
        (4097 * MIB, Verdict.FAILED),
        (None, Verdict.FAILED),
    ],
)
def test_limits_are_judged_by_the_bounds_that_are_declared(most: int | None, verdict: Verdict) -> None:
    finding = judge_limits(limits(most), BOUNDS)

    assert finding.verdict is verdict
    assert "open files 7 (RLIMIT_NOFILE)" in finding.found


def test_without_bounds_limits_can_not_be_judged() -> None:
    finding = judge_limits(limits(MIB), dict.fromkeys(Resource))

    assert finding.verdict is Verdict.UNKNOWN
    assert "platform.limits.memory_mib" in finding.mend


def build(seconds: float) -> Build:
    return Build("951ae6876022215744", datetime(2026, 11, 23, tzinfo=UTC), seconds, succeeded=True, log="build.log")


@pytest.mark.parametrize(("longest", "verdict"), [(80, Verdict.PASSED), (80.1, Verdict.FAILED), (95, Verdict.FAILED)])
def test_the_longest_build_is_judged(longest: float, verdict: Verdict) -> None:
    finding = judge_builds([build(10), build(longest), build(20)], 100)

    assert finding.verdict is verdict
    assert f"the longest of 3 took {longest:.1f} s of 100 s" in finding.found


def of(commit: str, *, seconds: float = 1, succeeded: bool = True) -> Build:
    return replace(build(seconds), release=commit, succeeded=succeeded)


@pytest.mark.parametrize(
    ("builds", "verdict"),
    [
        ([of("a" * 40)], Verdict.PASSED),
        ([of("a" * 40, seconds=899.9)], Verdict.PASSED),
        ([of("a" * 40, seconds=900)], Verdict.FAILED),
        ([of("a" * 40, succeeded=False)], Verdict.FAILED),
        ([of("a" * 40, succeeded=False), of("a" * 40)], Verdict.PASSED),
        ([of("a" * 40), of("b" * 40, succeeded=False)], Verdict.PASSED),
        ([of("b" * 40)], Verdict.UNKNOWN),
        ([], Verdict.UNKNOWN),
    ],
)
def test_the_last_build_of_the_running_release_is_judged(builds: list[Build], verdict: Verdict) -> None:
    assert judge_build_of("a" * 40, builds).verdict is verdict


def test_a_release_that_nobody_knows_is_not_judged() -> None:
    assert judge_build_of(None, [of("a" * 40)]).verdict is Verdict.UNKNOWN


def test_without_builds_or_a_timeout_there_is_nothing_to_judge() -> None:
    assert judge_builds([], 100).verdict is Verdict.UNKNOWN
    assert judge_builds([build(1)], None).mend == "declare platform.build_timeout_seconds"


def test_a_secret_is_found_in_whatever_form_it_was_written() -> None:
    values = [Secret("first", "pa/ss+word!"), Secret("second", "not-written-anywhere")]

    for written in ("pa/ss+word!", "pa%2Fss%2Bword%21", "cGEvc3Mrd29yZC"):
        log = Log("log", [line("before"), line(f"GET /x?y={written}")], complete=True)
        assert [(secret.name, found.text[:3]) for secret, found in leaked(log, values)] == [("first", "GET")]
    assert list(leaked(Log("log", [line("nothing")], complete=True), values)) == []
