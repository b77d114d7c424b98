"""What the application mails to the throw-away user, and the tokens in it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.checks.journey import new_password
from runbooks.checks.subject import Subject
from runbooks.engine.secret import Secret
from runbooks.environment.inbox import LONGEST_WAIT
from runbooks.systems.http.client import Answer
from runbooks.systems.mail.inbox import CLOCKS_DIFFER

RESET = "/api/v1/auth/password-reset"
SECONDS = LONGEST_WAIT + 40
"""Time limit of a check that waits for a mail, or for two of a slow sort."""

_LINK = "https?://[^\\s\"'<>]*{word}[^\\s\"'<>]*[?&]token=([A-Za-z0-9._~%-]{{16,}})"


@dataclass(frozen=True)
class Letter:
    """A mail that came.

    Attributes:
        token: The token of the link in it.
        seconds: From the request until it was seen in the inbox, by our own clock.
    """

    token: Secret
    seconds: float


@dataclass(frozen=True)
class Reset:
    """The one reset of a password in a run.

    Attributes:
        asked: The answer to the request for a mail.
        letter: The mail, if it came.
        confirmed: The answer to the token and a new password, if there was a token.
        password: That new password.
    """

    asked: Answer
    letter: Letter | None
    confirmed: Answer | None
    password: Secret

    def problem(self, wait: float) -> str:
        """What went wrong up to here, or nothing."""
        if self.asked.status != 200:
            return f"the request for a mail: HTTP {self.asked.status}"
        if self.letter is None:
            return f"no mail with a link to reset the password came within {wait:g} s"
        if self.confirmed is None or self.confirmed.status != 200:
            return f"the mailed token was refused: HTTP {self.confirmed.status if self.confirmed else 'not tried'}"
        return ""


def reset(subject: Subject) -> Reset:
    """Have the throw-away user's password reset; two of the three requests that the application allows in an hour.

    Raises:
        SystemFault: there is no account, no inbox, or the limit is spent.
    """
    return subject.journey.once("password reset", lambda: _reset(subject))


def confirm(subject: Subject, token: Secret, password: Secret) -> Answer:
    """Hand a reset token in with a new password."""
    return subject.journey.visit(f"{RESET}/confirm", {"token": token.reveal(), "new_password": password.reveal()})


def _reset(subject: Subject) -> Reset:
    journey = subject.journey
    journey.token()  # nobody may have to log in between two passwords
    letters = Letters(subject, "reset")
    asked = journey.visit(f"{RESET}/request", {"email": journey.email})
    letter = letters.next() if asked.status == 200 else None
    password = new_password()
    subject.site.redactor.add(password)
    return Reset(asked, letter, confirm(subject, letter.token, password) if letter else None, password)


class Letters:
    """The mails of one sort that come for the throw-away user after now.

    Args:
        word: What the path of their link says; tells them from other mails to the user.

    Raises:
        SystemFault: the inbox can't be looked at.
    """

    def __init__(self, subject: Subject, word: str) -> None:
        self._subject = subject
        self._link = re.compile(_LINK.format(word=word))
        self._began, self._since = time.monotonic(), datetime.now(UTC)
        earlier = subject.arrivals.inbox.mails(subject.journey.email, self._since - CLOCKS_DIFFER)
        self._known = {mail.body for mail in earlier}

    def next(self) -> Letter | None:
        """Wait for the next one; None if none comes in time.

        Raises:
            SystemFault: the inbox can't be looked at.
        """
        mail = self._subject.arrivals.inbox.wait_for(
            self._subject.journey.email,
            after=self._since,
            seconds=wait_seconds(self._subject),
            wanted=lambda mail: mail.body not in self._known and self._link.search(mail.body) is not None,
        )
        found = self._link.search(mail.body) if mail else None
        if mail is None or found is None:
            return None
        self._known.add(mail.body)
        token = Secret("mailed token", found[1])
        self._subject.site.redactor.add(token)
        return Letter(token, time.monotonic() - self._began)


def wait_seconds(subject: Subject) -> float:
    """How long a mail is waited for."""
    declared = subject.environment.inbox
    return declared.wait_seconds if declared else 0.0
