"""Whether the platform's log is the running release's, and tells of failures within seconds."""

from __future__ import annotations

import secrets

from runbooks.checks.declare import check
from runbooks.checks.journey import within_limits
from runbooks.checks.log_lines import is_warning, wait_for
from runbooks.checks.refused_key import PROVIDER, chat_with
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown, warned
from runbooks.engine.errors import Reason
from runbooks.engine.secret import Secret
from runbooks.systems.platform.port import LogLine

PATIENCE = 3.0
"""Seconds that a line may take from the application to where it is read."""

UNUSUAL = ("HEAD", "/api/v1/languages")
"""A request that nobody else makes; it is refused with 405 and changes nothing."""


@check("health.logs-readable", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="platform")
def logs_readable(subject: Subject) -> Finding:
    expected = f"a request and a failure stand in the platform's log within {PATIENCE:g} s"
    platform, request = subject.site.platform, " ".join(UNUSUAL)
    mark = platform.log_end()
    within_limits(subject.site.application.request(*UNUSUAL))
    key = Secret("refused key", f"sk-runbooks-{secrets.token_urlsafe(24)}")
    subject.site.redactor.add(key)
    answer = chat_with(subject, key)
    if answer.status < 500 and not _fell_back(answer.body):
        found = f"a provider that refuses the key was no failure: HTTP {answer.status}"
        return unknown(expected, found, "see whether BYOK_ENABLED and this release's chat are on", Reason.BAD_ANSWER)
    failure = wait_for(platform, mark, _tells_of_failure, PATIENCE)
    seen = wait_for(platform, mark, lambda line: request in line.text, 0 if failure is None else PATIENCE)
    log = platform.log_after(mark)
    if failure is None:
        other = f"{len(log.lines)} other lines" if log.lines else "nothing at all"
        found = f"{log.where} got {other}: a refused provider key left no warning or error there"
        mend = "see where the application logs to, at which level, and whether the file was rotated away beneath it"
        return failed(expected, found, mend)
    if seen is None:
        return warned(expected, f"{log.where}: failures are logged, requests are not", "switch the access log on")
    return passed(expected, f"{log.where}: “{subject.site.redactor.text(failure.text)[:120]}”")


def _tells_of_failure(line: LogLine) -> bool:
    text = line.text.lower()
    return is_warning(line) and (PROVIDER in text or "chat" in text)


def _fell_back(body: bytes) -> bool:
    """Whether the answer is an echo in place of the provider's: a failure all the same, and to be logged."""
    return b'"echo' in body
