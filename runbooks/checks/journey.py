"""The throw-away user of a run: one account, two or three registration requests, whatever is asked.

The application allows five registrations an hour and address, so several checks share what one registration showed.
"""

from __future__ import annotations

import secrets
import string
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient

REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"
ME = "/api/v1/users/me"
CSRF_HEADER = "X-CSRF-Token"
CSRF_COOKIE = "csrf_token"
WEAK_PREFIX = "w-"
"""Stands before the address of the user whose password must be refused."""

NEED_THE_USER = (
    "accounts.",
    "byok.",
    "build.no-secrets-in-logs",
    "compliance.export-user",
    "compliance.delete-user",
    "email.password-reset-works",
    "final.registration",
    "verification.email-delivery",
)
"""How the ids of checks begin that look at the throw-away user."""

Made = TypeVar("Made")


class Journey:
    """One account's way through the application.

    Args:
        application: Gives where it goes on; asked when the first request is made.
        domain: The mail domain that throw-away users live in; None: no user may be created.
        run: The run's id; its last letters and a random part make the user's name.
    """

    def __init__(self, application: Callable[[], HttpClient], domain: str | None, run: str) -> None:
        self._ask = application
        self._domain = domain
        self._lock = threading.Lock()
        self._session: Mapping[str, Any] | None = None
        self._csrf: Mapping[str, str] | None = None
        self._once: dict[str, Any] = {}
        self._once_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.registered: Answer | SystemFault | None = None
        self.erased = False
        self.username = f"rb-{run[-4:]}-{secrets.token_hex(4)}"
        self.password = new_password()
        self.own_key = Secret("test user's API key", f"sk-runbooks-{secrets.token_urlsafe(36)}")

    @property
    def email(self) -> str:
        """The user's address.

        Raises:
            SystemFault: the inventory allows no throw-away users.
        """
        if self._domain is None:
            raise SystemFault(
                "no test account may be created in this environment",
                reason=Reason.UNAUTHORISED,
                mend="declare application.test_email_domain: throw-away users live there and are deleted after the run",
            )
        return f"{self.username}@{self._domain}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that a registration of this run may leave behind: the user's, and the weak password's."""
        return (self.email, f"{WEAK_PREFIX}{self.email}")

    def register(self, **changed: str) -> Answer:
        """One registration request, of this user or with something changed. Costs one of five in an hour."""
        body = {"username": self.username, "email": self.email, "password": self.password.reveal(), **changed}
        return within_limits(self._ask().post(REGISTER, json=body))

    def account(self) -> Mapping[str, Any]:
        """What the application said of the new user.

        Raises:
            SystemFault: there is no account, with the reason why; or the answer does not describe one.
        """
        _ = self.email
        if isinstance(self.registered, SystemFault):
            raise self.registered
        if self.registered is None or self.registered.status != 201:
            found = f"HTTP {self.registered.status}" if self.registered else "not tried"
            raise SystemFault("there is no test account", reason=Reason.FAILED, where=REGISTER, found=found)
        user_id(self.registered)
        return self.registered.object()

    def login(self, password: Secret | None = None) -> Answer:
        """One login request of this user."""
        self.account()
        body = {"username_or_email": self.username, "password": (password or self.password).reveal()}
        return within_limits(self._ask().post(LOGIN, json=body))

    def token(self, kind: str = "access_token") -> str:
        """A token of this user; the first caller logs in.

        Raises:
            SystemFault: there is no account, or it can't log in.
        """
        with self._lock:
            if self._session is None:
                answer = self.login()
                if answer.status != 200:
                    raise SystemFault(
                        "the test user can't log in",
                        reason=Reason.FAILED,
                        where=LOGIN,
                        found=f"HTTP {answer.status}",
                    )
                self._session = answer.object()
        token = self._session.get(kind)
        if not isinstance(token, str):
            raise SystemFault(f"the login gave no {kind}", reason=Reason.BAD_ANSWER, where=LOGIN)
        return token

    def remember(self, session: Mapping[str, Any]) -> None:
        """Take over the tokens that a login gave, so that nobody needs to log in again."""
        with self._lock:
            self._session = session

    def bearer(self) -> dict[str, str]:
        """The header that makes a request this user's."""
        return {"Authorization": f"Bearer {self.token()}"}

    def ask(self, method: str, path: str, json: Any = None) -> Answer:
        """A request as this user."""
        return within_limits(self._ask().request(method, path, json=json, headers=self.bearer()))

    def visit(self, path: str, json: Any, *, seconds: float | None = None) -> Answer:
        """A write as a browser without a session makes it: with the cookie and the header against forged requests."""
        application = self._ask()
        with self._lock:
            if self._csrf is None:
                token = application.get("/health").headers.get(CSRF_HEADER)
                # Where the protection is off (see environment.is-production) nobody hands out a token.
                self._csrf = {CSRF_HEADER: token, "Cookie": f"{CSRF_COOKIE}={token}"} if token else {}
        return within_limits(application.post(path, json=json, headers=self._csrf, seconds=seconds))

    def once(self, what: str, make: Callable[[], Made]) -> Made:
        """What ``make`` gave to the first caller; it is made once in a run, also when it can't be.

        Raises:
            SystemFault: it could not be made, for every caller.
        """
        with self._once_locks[what]:
            if what not in self._once:
                try:
                    self._once[what] = make()
                except SystemFault as fault:
                    self._once[what] = fault
        made = self._once[what]
        if isinstance(made, SystemFault):
            raise made
        return cast("Made", made)


def needs_the_user(ids: Iterable[str]) -> bool:
    """Whether one of these checks looks at the throw-away user."""
    return any(id.startswith(NEED_THE_USER) for id in ids)


def user_id(registration: Answer) -> int:
    """The id of the user that a registration created.

    Raises:
        SystemFault: the answer names none.
    """
    number = registration.object().get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    raise SystemFault(
        "the answer to the registration names no user id",
        reason=Reason.BAD_ANSWER,
        where=REGISTER,
        found=f"id is {number!r:.60}, wanted a whole number",
        mend="see whether this release keeps the promised answer",
    )


def within_limits(answer: Answer) -> Answer:
    """The answer, unless the application says that a rate limit is spent.

    Raises:
        SystemFault: 429; nothing can be said about what was asked.
    """
    if answer.status == 429:
        raise SystemFault(
            "a rate limit of the application is spent",
            reason=Reason.RATE_LIMITED,
            where=f"{answer.method} {answer.url}",
            found=f"Retry-After {answer.headers.get('retry-after', 'not given')} s",
            mend="run again when it has passed",
        )
    return answer


def new_password() -> Secret:
    """A password that the application's rules accept: every class of character, nothing four times in a row."""
    letters = string.ascii_letters + string.digits
    text = "aZ7!" + "-".join("".join(secrets.choice(letters) for _ in range(3)) for _ in range(6))
    return Secret("test user's password", text)
