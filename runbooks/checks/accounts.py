"""Registration, login and tokens, on one throw-away user."""

from __future__ import annotations

import secrets
import time

from runbooks.checks import tokens
from runbooks.checks.declare import check
from runbooks.checks.journey import ME, within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer

LOG = "see the application's log"
WEAK = "password"
NEEDED_PER_RUN = 2
"""Registration requests that a run can't do without: the user, and the duplicate."""


@check("accounts.register", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="application")
def register(subject: Subject) -> Finding:
    """One registration was made when the run began; two more requests are spent here, one where few are left."""
    expected = "a new user is created (201); a duplicate e-mail (400) and a weak password (422) are refused"
    journey = subject.journey
    if isinstance(journey.registered, SystemFault):
        raise journey.registered
    if journey.registered is None or journey.registered.status != 201:
        return failed(expected, f"registration: {_told(journey.registered)}", LOG)
    created = journey.account()
    if (created.get("username"), created.get("email")) != (journey.username, journey.email):
        return failed(expected, "the answer to the registration describes another user", LOG)
    duplicate = journey.register(username=_other(journey.username))
    if duplicate.status == 201:
        found = "a second user was created with the same e-mail address"
        return failed(expected, found, "see the unique index on user.email")
    weak, route = _weak_password(subject, duplicate)
    if weak.status < 400:
        found = f"a weak password was accepted by {route}: {_told(weak)}"
        return failed(expected, found, "see the password rules of this release")
    if duplicate.status != 400 or weak.status != 422:
        found = f"duplicate e-mail: {_told(duplicate)}; weak password: {_told(weak)}"
        return failed(expected, found, LOG)
    return passed(expected, f"user {created['id']} created; duplicate e-mail 400; weak password 422 ({route})")


def _weak_password(subject: Subject, before: Answer) -> tuple[Answer, str]:
    """Try a weak password, and say where.

    Registration is asked while the hour's limit leaves enough for the next run; after that change-password, which
    applies the same rule outside that limit.
    """
    journey = subject.journey
    remaining = before.headers.get("x-ratelimit-remaining", "")
    if not remaining.isdecimal() or int(remaining) > NEEDED_PER_RUN:
        name = _other(journey.username)
        return journey.register(username=name, email=journey.addresses[1], password=WEAK), "register"
    body = {"old_password": journey.password.reveal(), "new_password": WEAK}
    return journey.ask("POST", "/api/v1/auth/change-password", json=body), "change-password"


def _other(username: str) -> str:
    return f"{username[:-2]}x{secrets.token_hex(1)}"


@check(
    "accounts.login",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.register",),
)
def login(subject: Subject) -> Finding:
    expected = "the right password gets two tokens, a wrong one 401"
    right = subject.journey.login()
    if right.status != 200:
        return failed(expected, f"right password: {_told(right)}", LOG)
    session = right.object()
    if not session.get("access_token") or not session.get("refresh_token"):
        return failed(expected, "right password: the answer lacks a token", LOG)
    subject.journey.remember(session)
    wrong = subject.journey.login(Secret("wrong password", subject.journey.password.reveal() + "x"))
    if wrong.status != 401:
        found = f"wrong password: {'accepted, ' if wrong.status == 200 else ''}{_told(wrong)}"
        return failed(expected, found, "take the release out of service: anybody can log in as anybody")
    return passed(expected, "right password: two tokens; wrong password: 401")


@check(
    "accounts.refresh",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.login",),
)
def refresh(subject: Subject) -> Finding:
    expected = "a refresh token gets a new access token that works, an access token gets 401"
    answer = _refreshed(subject, subject.journey.token("refresh_token"))
    if answer.status != 200:
        return failed(expected, f"refresh token: {_told(answer)}", LOG)
    renewed = answer.object().get("access_token")
    profile = _profile(subject, str(renewed))
    if profile.status != 200:
        return failed(expected, f"the new access token is refused: {_told(profile)}", LOG)
    misused = _refreshed(subject, subject.journey.token())
    if misused.status != 401:
        return failed(expected, f"an access token was accepted as a refresh token: {_told(misused)}", LOG)
    return passed(expected, "refresh token: new access token, which works; access token: 401")


@check(
    "accounts.protected-with-token",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.login",),
)
def protected_with_token(subject: Subject) -> Finding:
    expected = f"GET {ME} with a token gives this user's own data"
    answer = _profile(subject, subject.journey.token())
    if answer.status != 200:
        return failed(expected, _told(answer), LOG)
    mine, given = subject.journey.account(), answer.object()
    wrong = [name for name in ("id", "username", "email") if given.get(name) != mine.get(name)]
    if wrong:
        found = f"another user's data: {', '.join(wrong)} differ"
        return failed(expected, found, "take the release out of service: users see each other's data")
    return passed(expected, f"id, username and e-mail of user {mine['id']}")


@check(
    "accounts.protected-without-token",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.login",),
)
def protected_without_token(subject: Subject) -> Finding:
    expected = f"GET {ME} is 401 or 403 without a token, with an expired one and with forged ones"
    key = subject.variables.get("JWT_SECRET_KEY")
    if not key:
        return unknown(expected, "JWT_SECRET_KEY is not known here, so no expired token can be made", "", Reason.FAILED)
    claims = tokens.claims(subject.journey.token())
    expired = {**claims, "iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}
    tries = {
        "no token": None,
        "an expired token": tokens.signed(expired, key.reveal()),
        "a token signed with another key": tokens.signed(claims, secrets.token_urlsafe(32)),
        "a token without a signature (alg none)": tokens.signed(claims, "", "none"),
    }
    accepted = [
        f"{what}: {_told(answer)}" for what, token in tries.items() if _open(answer := _profile(subject, token))
    ]
    if accepted:
        return failed(expected, f"accepted: {'; '.join(accepted)}", "take the release out of service")
    control = _profile(subject, tokens.signed(claims, key.reveal()))
    if control.status != 200:
        found = f"a token signed with JWT_SECRET_KEY is refused ({_told(control)}): the expired one proved nothing"
        return unknown(expected, found, "restart the application, so that it uses the key that is set", Reason.FAILED)
    return passed(expected, f"refused: {', '.join(tries)}")


def _refreshed(subject: Subject, token: str) -> Answer:
    return within_limits(subject.site.application.post("/api/v1/auth/refresh", json={"refresh_token": token}))


def _profile(subject: Subject, token: str | None) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return within_limits(subject.site.application.get(ME, headers=headers))


def _open(answer: Answer) -> bool:
    """Whether a door that must be shut let somebody in, or fell over."""
    return answer.status not in (401, 403)


def _told(answer: Answer | None) -> str:
    return f"HTTP {answer.status}" if answer else "not tried"
