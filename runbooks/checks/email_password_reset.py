"""A forgotten password, as its user lives through it."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.letters import SECONDS, reset, wait_seconds
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed


@check(
    "email.password-reset-works",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    # All that log in with the first password, or need a session of their own.
    after=("accounts.register", "accounts.login", "accounts.refresh", "accounts.verify-email"),
    seconds=SECONDS,
)
def password_reset_works(subject: Subject) -> Finding:
    expected = "a mailed token changes the password: the old one is refused, the new one accepted"
    done = reset(subject)
    problem = done.problem(wait_seconds(subject))
    if problem or done.letter is None:
        mend = "see email.provider-key-accepted, and the application's log for mails that were not sent"
        return failed(expected, problem, mend)
    old = subject.journey.login()
    if old.status != 401:
        found = f"the token was accepted, but the old password still logs in: HTTP {old.status}"
        return failed(expected, found, "see the application's log")
    new = subject.journey.login(done.password)
    if new.status != 200:
        return failed(expected, f"the new password is refused: HTTP {new.status}", "see the application's log")
    subject.journey.password = done.password
    return passed(expected, f"mail after {done.letter.seconds:.1f} s; old password 401, new one 200")
