"""Whether a secret that the application is given comes out in its log."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.checks.declare import check
from runbooks.checks.health_logs import PATIENCE, UNUSUAL
from runbooks.checks.journey import LOGIN, ME, within_limits
from runbooks.checks.log_lines import wait_for
from runbooks.checks.refused_key import chat_with
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.redact import forms
from runbooks.engine.secret import Secret
from runbooks.environment.sensitive import sensitive
from runbooks.systems.platform.port import Log, LogLine

KEYS = "/api/v1/api-keys/"
OWN_PROVIDER = "elevenlabs"
"""Whose key the canary is saved as: another than the checks of API keys use."""


@dataclass(frozen=True)
class Canaries:
    """Values of this run only, each sent through one input; ``name`` says which."""

    password: Secret
    token: Secret
    body: Secret
    header: Secret
    query: Secret

    @classmethod
    def fresh(cls) -> Canaries:
        """New ones, which look like what belongs there."""
        return cls(
            Secret("password of a login", f"aZ7!{secrets.token_urlsafe(18)}"),
            Secret("bearer token", f"eyJ{secrets.token_urlsafe(48)}"),
            Secret("API key in a body", f"sk-runbooks-{secrets.token_urlsafe(24)}"),
            Secret("API key in a header", f"sk-runbooks-{secrets.token_urlsafe(24)}"),
            Secret("query parameter", f"rb{secrets.token_hex(16)}"),
        )

    def all(self) -> tuple[Secret, ...]:
        return (self.password, self.token, self.body, self.header, self.query)


@check(
    "build.no-secrets-in-logs",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="platform",
    depends_on=("health.logs-readable",),
    after=("byok.delete",),  # which expects that its user has no other key
)
def no_secrets_in_logs(subject: Subject) -> Finding:
    canaries, platform = Canaries.fresh(), subject.site.platform
    subject.site.redactor.add(*canaries.all())
    mark = platform.log_end()
    cut_short = _send(subject, canaries)
    within_limits(subject.site.application.request(*UNUSUAL))
    wait_for(platform, mark, lambda line: " ".join(UNUSUAL) in line.text, PATIENCE)
    known = [*sensitive(subject.variables), subject.journey.password, subject.journey.own_key]
    return _judged(subject, platform.log_of_running(), [*canaries.all(), *known], cut_short)


def _send(subject: Subject, canaries: Canaries) -> SystemFault | None:
    """Send each canary through its input. Returns why the last one could not be, if so: the others count all the same.

    Raises:
        SystemFault: the application does not answer, or a limit is spent.
    """
    application = subject.site.application
    nobody = f"rb-nobody-{secrets.token_hex(4)}"
    login = {"username_or_email": nobody, "password": canaries.password.reveal()}
    within_limits(application.post(LOGIN, json=login))
    within_limits(application.get(ME, headers={"Authorization": f"Bearer {canaries.token.reveal()}"}))
    within_limits(application.get(f"/search?q={canaries.query.reveal()}"))
    chat_with(subject, canaries.header)
    try:
        subject.journey.ask("POST", KEYS, json={"provider": OWN_PROVIDER, "api_key": canaries.body.reveal()})
        subject.journey.ask("DELETE", f"{KEYS}{OWN_PROVIDER}")
    except SystemFault as fault:
        return fault
    return None


def _judged(subject: Subject, log: Log, values: list[Secret], cut_short: SystemFault | None) -> Finding:
    expected = "no canary and no known secret stands in the log of the running release"
    leaks = list(leaked(log, values))
    if leaks:
        secret, line = leaks[0]
        names = ", ".join(dict.fromkeys(secret.name for secret, _ in leaks))
        shown = subject.site.redactor.text(line.text)[:160]
        mend = "mend the release; take the log out of reach, and rotate what was written there"
        return failed(expected, f"{log.where} holds: {names}; first {secret.name}: {shown}", mend)
    if cut_short is not None:
        raise cut_short
    if not log.lines:
        raise SystemFault("the log is empty", reason=Reason.BAD_ANSWER, where=log.where)
    reach = "since the start" if log.complete else "as far back as it is kept"
    return passed(expected, f"{log.where}: {len(log.lines)} lines {reach}, none of {len(values)} values")


def leaked(log: Log, values: list[Secret]) -> Iterator[tuple[Secret, LogLine]]:
    """Each value that the log holds in any written form, with the first line that does."""
    text = "\n".join(line.text for line in log.lines)
    for secret in values:
        for form in forms(secret.reveal()):
            if form in text:
                yield secret, next(line for line in log.lines if form in line.text)
                break
