"""What a mailed token is good for: once, and only the very token."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.journey import new_password
from runbooks.checks.letters import SECONDS, Letters, confirm, reset, wait_seconds
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer

EMAIL = "/api/v1/auth/email"
MAIL = "see email.password-reset-works, and the application's log for mails that were not sent"
LOG = "see the application's log"


@check(
    "accounts.verify-email",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.login",),
    seconds=SECONDS,
)
def verify_email(subject: Subject) -> Finding:
    expected = "a mailed token verifies the address, a tampered one does not"
    subject.journey.account()
    letters = Letters(subject, "verif")
    asked = subject.journey.ask("POST", f"{EMAIL}/send-verification")
    if asked.status != 200:
        return failed(expected, f"the request for a mail: HTTP {asked.status}", LOG)
    letter = letters.next()
    if letter is None:
        found = f"no mail with a link to verify the address came within {wait_seconds(subject):g} s"
        return failed(expected, found, MAIL)
    tampered = _verify(subject, _tampered(letter.token))
    if tampered.status < 400:
        found = f"a tampered token was accepted: HTTP {tampered.status}"
        return failed(expected, found, "anybody can verify any address: see the release's email/verify")
    verified = _verify(subject, letter.token)
    if verified.status != 200 and (later := letters.next()):
        # The first was the registration's, which came late; its token counts no more.
        verified = _verify(subject, later.token)
    if verified.status != 200:
        return failed(expected, f"the mailed token was refused: HTTP {verified.status}", LOG)
    if subject.journey.ask("GET", f"{EMAIL}/status").object().get("is_verified") is not True:
        return failed(expected, "the mailed token was accepted, but the address is not verified", LOG)
    return passed(expected, f"mail after {letter.seconds:.1f} s; tampered token {tampered.status}, mailed one verifies")


@check(
    "accounts.reset-password",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("email.password-reset-works", "accounts.register", "accounts.login", "accounts.verify-email"),
    seconds=SECONDS,
)
def reset_password(subject: Subject) -> Finding:
    expected = "a mailed token resets the password once; a second time it is refused"
    done = reset(subject)
    problem = done.problem(wait_seconds(subject))
    if problem or done.letter is None:
        return failed(expected, problem, MAIL)
    password = new_password()
    subject.site.redactor.add(password)
    again = confirm(subject, done.letter.token, password)
    if again.status < 400:
        found = f"the token was accepted a second time: HTTP {again.status}"
        return failed(
            expected, found, "whoever reads an old mail can take the account over: see password-reset/confirm"
        )
    if subject.journey.login(password).status == 200:
        found = f"the token was refused a second time (HTTP {again.status}), but it changed the password"
        return failed(expected, found, LOG)
    return passed(expected, f"first 200, second {again.status}, and the password stayed")


def _verify(subject: Subject, token: Secret) -> Answer:
    return subject.journey.visit(f"{EMAIL}/verify", {"token": token.reveal()})


def _tampered(token: Secret) -> Secret:
    """The same token with one character changed, in its middle: the last one may hold no information."""
    text = token.reveal()
    middle = len(text) // 2
    return Secret("tampered token", text[:middle] + ("b" if text[middle] == "a" else "a") + text[middle + 1 :])
