"""Whether the variables that a release is built and started with are all there and mean what they should."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from runbooks.checks.declare import check
from runbooks.checks.final import SETTINGS_SECONDS
from runbooks.checks.final_driver import refused_options
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason
from runbooks.systems.source.variables import read_by

UNSAFE_WITHOUT = ("ENVIRONMENT", "JWT_SECRET_KEY", "ENCRYPTION_KEY", "REDIS_URL")
"""Variables with a default that no public service may run with: development mode, a published key, none, no limits."""

FOR_TESTS = ("BYOK_FAKE", "TESTING", "ENABLE_DEV_LATENCY")
"""PRAVIEL reads them outside its settings: canned lessons in a provider's name, no schedulers, a made-up delay."""

REDIS_SCHEMES = ("redis", "rediss", "unix")
OFF = ("", "0", "false", "no", "off")


@check(
    "build.variables-complete",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="source",
    after=("final.settings-load",),
    seconds=SETTINGS_SECONDS,
)
def variables_complete(subject: Subject) -> Finding:
    required = sorted({*read_by(subject.site.source).required, *UNSAFE_WITHOUT})
    expected = f"{', '.join(required)} are set, every variable parses, no switch for tests is on"
    sealed = subject.environment.release.sealed_variables
    missing = [name for name in required if not subject.site.variable(name) and name not in sealed]
    if missing:
        return failed(expected, f"not set: {', '.join(missing)}", "set them; docs/ENVIRONMENT.md says what they mean")
    wrong = list(_wrong(subject))
    if wrong:
        found, mend = wrong[0]
        return failed(expected, "; ".join(each for each, _ in wrong), mend)
    unseen = [name for name in sealed if not subject.site.variable(name)]
    if unseen:
        found = (
            f"not looked at, as the platform gives them to nobody: {', '.join(unseen)}; so the settings are not loaded"
        )
        return unknown(expected, found, "run this where the application runs", Reason.UNAUTHORISED)
    problem = subject.site.settings_problem(SETTINGS_SECONDS - 2)
    if problem:
        return failed(expected, f"the release's settings do not load: {problem}", "correct the variable that it names")
    return passed(expected, f"{len(required)} required ones are set; the settings load with {len(subject.variables)}")


def _wrong(subject: Subject) -> Iterator[tuple[str, str]]:
    """What is wrong with a variable that is set, and how to mend it; never its value."""
    for name in FOR_TESTS:
        if (subject.site.variable(name) or "").strip().lower() not in OFF:
            yield f"{name} is set: it is for tests", f"unset {name} and restart the application"
    redis = subject.site.variable("REDIS_URL")
    if redis and urlsplit(redis).scheme not in REDIS_SCHEMES:
        found = "REDIS_URL does not begin with redis://: the application starts, and every page but /health is HTTP 500"
        yield found, "set REDIS_URL to redis://:PASSWORD@HOST:PORT/0"
    refused = refused_options(subject.site.variable("DATABASE_URL") or "")
    if refused:
        found = f"DATABASE_URL has {', '.join(refused)}, which the application's driver refuses at every query"
        yield found, f"take {', '.join(refused)} out of DATABASE_URL; migrations would run with it all the same"
