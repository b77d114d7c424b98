"""Inboxes of real servers, and the way mail gets into them."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox import ports
from runbooks.sandbox.provider.state import State
from runbooks.sandbox.world import Sandbox
from runbooks.systems.http.client import HttpClient
from runbooks.systems.mail.imap import ImapInbox
from runbooks.systems.mail.inbox import Inbox
from runbooks.systems.mail.stand_in import StandInInbox
from tests import servers

USER, PASSWORD = "checks", "open-sesame-please"
SUBJECT = "Reset your password"


@dataclass(frozen=True)
class MailServer:
    """An IMAP server that offers STARTTLS."""

    port: int
    authority: Path

    def inbox(self, *, password: str = PASSWORD, folder: str = "INBOX", authority: Path | None = None) -> ImapInbox:
        return ImapInbox(
            servers.LOOPBACK,
            self.port,
            user=Secret("user", USER),
            password=Secret("password", password),
            folder=folder,
            starttls=True,
            ca_file=authority or self.authority,
            seconds=5,
        )

    @contextlib.contextmanager
    def session(self) -> Iterator[imaplib.IMAP4]:
        """A login of the mailbox's owner."""
        with imaplib.IMAP4(servers.LOOPBACK, self.port, timeout=5) as session:
            session.starttls(ssl.create_default_context(cafile=self.authority))
            session.login(USER, PASSWORD)
            yield session

    def deliver(self, to: str, body: str, dated: datetime) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "PRAVIEL <noreply@praviel.test>", to, SUBJECT
        mail["Date"] = format_datetime(dated)
        mail.set_content("In HTML only.")
        mail.add_alternative(f"<p>{body}</p>", subtype="html")
        with self.session() as session:
            session.append("INBOX", "", "", mail.as_bytes())


@contextlib.contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """pymap, with a mailbox in its memory."""
    _, authority = servers.certificate(folder)
    port = servers.closed_port()
    argv = [sys.executable, "-c", "from pymap.main import main; main()", "--host", servers.LOOPBACK]
    argv += ["--port", str(port), "--cert", str(authority), "--key", str(folder / "key.pem")]
    argv += ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server = MailServer(port, authority)

            def answers() -> bool:
                with server.session():
                    return True

            until(answers, seconds=20, what="the IMAP server does not answer", ignoring=(imaplib.IMAP4.error,))
            yield server
        finally:
            process.terminate()


@dataclass(frozen=True)
class Mailbox:
    """An inbox with the way into it: address, body, date."""

    inbox: Inbox
    deliver: Callable[[str, str, datetime], None]


def stand_in(sandbox: Sandbox) -> Mailbox:
    """The inbox of the sandbox's stand-in for the providers."""
    state = State(sandbox.layout.provider)

    def deliver(to: str, body: str, dated: datetime) -> None:
        mail = {"id": str(uuid.uuid4()), "created_at": dated.astimezone(UTC).isoformat(), "subject": SUBJECT}
        state.note_mail({**mail, "from": "noreply@praviel.test", "text": body, "html": None, "to": [to]})

    port = sandbox.numbers()[ports.PROVIDER]
    return Mailbox(StandInInbox(HttpClient(f"http://{servers.LOOPBACK}:{port}")), deliver)
