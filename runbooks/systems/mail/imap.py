"""A mailbox on a mail server, read by IMAP4rev1 (RFC 3501) and left as it is: nothing is marked, moved or deleted.

Three commands of the standard library's client are all that it takes, so no library is needed on top of it.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.mail.inbox import Inbox, Mail

MOST_MAILS = 50
"""Of one address; a throw-away user gets two or three."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ImapInbox(Inbox):
    """One folder of a mailbox; a new connection for each look, so that a server may drop it in between.

    Args:
        starttls: TLS begins after a greeting in clear rather than at once. Without TLS nothing is sent.
        ca_file: PEM file of the authority to trust in place of the system's.
        seconds: Time limit of connecting and of each answer.
    """

    pause = 2.0

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: Secret,
        password: Secret,
        folder: str = "INBOX",
        starttls: bool = False,
        ca_file: Path | None = None,
        seconds: float = 10.0,
    ) -> None:
        self._host, self._port, self._folder = host, port, folder
        self._user, self._password = user, password
        self._starttls = starttls
        self._seconds = seconds
        try:
            self._trust = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            what = "the authority's certificate can't be read"
            raise InputError(what, where=str(ca_file), found=str(error)) from error

    def __str__(self) -> str:
        return f"imap://{self._host}:{self._port}/{self._folder}"

    def mails(self, address: str, since: datetime) -> Iterable[Mail]:
        day = since - timedelta(days=1)  # it searches by day, in a time zone of the server's choice
        date = f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"
        with self._opened() as session:
            numbers = session.search(None, "TO", f'"{address}"', "SINCE", date)[1][0].split()[-MOST_MAILS:]
            parts = session.fetch(b",".join(numbers).decode(), "(BODY.PEEK[])")[1] if numbers else []
        found = [_mail(part[1]) for part in parts if isinstance(part, tuple)]
        # It searches for a part of the address.
        mine = (mail for mail in found if mail.dated >= since and address.lower() in map(str.lower, mail.to))
        return sorted(mine, key=lambda mail: mail.dated)

    @contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        """The folder, to be read only; every way to fail as a SystemFault."""
        try:
            with self._connected() as session:
                self._log_in(session)
                if session.select(f'"{self._folder}"', readonly=True)[0] != "OK":
                    raise self._fault("the mail folder can't be opened", Reason.FAILED, self._folder)
                yield session
        except TimeoutError as error:
            raise self._fault("the mail server did not answer in time", Reason.TIMED_OUT, error) from error
        except ssl.SSLError as error:
            raise self._fault("the mail server can't be trusted", Reason.UNREACHABLE, error) from error
        except OSError as error:
            raise self._fault("the mail server can't be reached", Reason.UNREACHABLE, error) from error
        except imaplib.IMAP4.error as error:
            raise self._fault("the mail server does not answer as it should", Reason.BAD_ANSWER, error) from error

    @contextmanager
    def _connected(self) -> Iterator[imaplib.IMAP4]:
        if self._starttls:
            session = imaplib.IMAP4(self._host, self._port, timeout=self._seconds)
        else:
            session = imaplib.IMAP4_SSL(self._host, self._port, ssl_context=self._trust, timeout=self._seconds)
        try:
            if self._starttls:
                session.starttls(self._trust)
            yield session
        finally:
            with suppress(OSError):
                session.shutdown()

    def _log_in(self, session: imaplib.IMAP4) -> None:
        try:
            session.login(self._user.reveal(), self._password.reveal())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise self._fault("the mail server refuses the login", Reason.UNAUTHORISED, error) from error

    def _fault(self, what: str, reason: Reason, found: object) -> SystemFault:
        text = " ".join(str(found).split())[:200]
        return SystemFault(what, reason=reason, where=str(self), found=text, mend="see [inbox] in the inventory")


def _mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw, policy=policy.default)
    addresses = message["To"].addresses if message["To"] else ()
    dated = message["Date"].datetime if message["Date"] else None
    body = "\n".join(text for part in message.walk() if (text := _text(part)))
    return Mail(
        to=tuple(address.addr_spec for address in addresses),
        subject=str(message["Subject"] or ""),
        body=body,
        dated=dated.replace(tzinfo=dated.tzinfo or UTC) if dated else datetime.now(UTC),
    )


def _text(part: EmailMessage) -> str:
    if part.get_content_maintype() != "text":
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a character set that nobody knows
        return ""
