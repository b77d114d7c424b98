"""Waiting for a mail: the same of every inbox; and each way in which a mail server can refuse."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from runbooks.systems.http.client import HttpClient
from runbooks.systems.mail.imap import ImapInbox
from runbooks.systems.mail.inbox import Mail
from runbooks.systems.mail.stand_in import StandInInbox
from tests import servers
from tests.servers import Reply
from tests.systems.mail.mailboxes import PASSWORD, Mailbox, MailServer, mail_server, stand_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("imap")) as running:
        yield running


@pytest.fixture(params=["stand-in", "imap"])
def mailbox(request: pytest.FixtureRequest, server: MailServer, sandbox: Sandbox) -> Iterator[Mailbox]:
    made = stand_in(sandbox) if request.param == "stand-in" else Mailbox(server.inbox(), server.deliver)
    made.inbox.pause = 0.05
    yield made
    made.inbox.close()


@pytest.fixture
def address() -> str:
    return f"rb-{secrets.token_hex(4)}@checks.praviel.test"


def wait(mailbox: Mailbox, address: str, seconds: float, after: datetime | None = None, word: str = "") -> Mail | None:
    moment = after or datetime.now(UTC)
    return mailbox.inbox.wait_for(address, after=moment, seconds=seconds, wanted=lambda mail: word in mail.body)


def test_a_mail_to_the_address_is_there_with_its_body(mailbox: Mailbox, address: str) -> None:
    mailbox.deliver(f"other-{address}", "token=another", datetime.now(UTC))
    mailbox.deliver(address, "token=the-one", datetime.now(UTC))

    mail = wait(mailbox, address, seconds=5)

    assert mail
    assert mail.to == (address,)
    assert "token=the-one" in mail.body
    assert "token" not in repr(mail)


def test_a_mail_that_comes_while_it_is_waited_for_ends_the_wait(mailbox: Mailbox, address: str) -> None:
    timer = threading.Timer(0.3, mailbox.deliver, (address, "token=late", datetime.now(UTC)))
    timer.start()
    began = time.monotonic()

    mail = wait(mailbox, address, seconds=20)

    timer.join()
    assert mail
    assert 0.2 < time.monotonic() - began < 10


def test_of_several_the_wanted_one_is_given(mailbox: Mailbox, address: str) -> None:
    mailbox.deliver(address, "verify-email?token=1", datetime.now(UTC))
    mailbox.deliver(address, "reset-password?token=2", datetime.now(UTC))

    mail = wait(mailbox, address, seconds=5, word="reset")

    assert mail
    assert "token=2" in mail.body


def test_a_mail_from_before_is_not_waited_for(mailbox: Mailbox, address: str) -> None:
    mailbox.deliver(address, "token=old", datetime.now(UTC) - timedelta(minutes=10))

    assert wait(mailbox, address, seconds=0.1) is None
    assert wait(mailbox, address, seconds=5, after=datetime.now(UTC) - timedelta(minutes=12))


def test_a_clock_that_is_a_little_behind_is_forgiven(mailbox: Mailbox, address: str) -> None:
    mailbox.deliver(address, "token=new", datetime.now(UTC) - timedelta(minutes=2))

    assert wait(mailbox, address, seconds=5)


def test_no_mail_is_none_after_the_time(mailbox: Mailbox, address: str) -> None:
    assert wait(mailbox, address, seconds=0.2) is None


def test_a_mail_that_was_looked_at_stays_unread(server: MailServer, address: str) -> None:
    server.deliver(address, "token=unread", datetime.now(UTC))

    assert wait(Mailbox(server.inbox(), server.deliver), address, seconds=5)

    with server.session() as session:
        session.select("INBOX", readonly=True)
        _, found = session.search(None, "UNSEEN", "TO", address)
    assert found[0].split()


def refused(inbox: ImapInbox | StandInInbox, address: str = "nobody@checks.praviel.test") -> SystemFault:
    with pytest.raises(SystemFault) as caught:
        inbox.mails(address, datetime.now(UTC))
    assert caught.value.mend
    return caught.value


def test_a_wrong_password_is_unauthorised_and_stays_secret(server: MailServer) -> None:
    fault = refused(server.inbox(password="wrong-" + PASSWORD))

    assert fault.reason is Reason.UNAUTHORISED
    assert PASSWORD not in str(fault)


def test_a_missing_folder_is_told(server: MailServer) -> None:
    assert "folder" in refused(server.inbox(folder="Nowhere")).what


def test_a_foreign_authority_is_not_trusted(server: MailServer, tmp_path: Path) -> None:
    _, foreign = servers.certificate(tmp_path)

    assert "CERTIFICATE" in refused(server.inbox(authority=foreign)).found.upper()


def imap(port: int, *, starttls: bool = False, ca_file: Path | None = None) -> ImapInbox:
    user, password = Secret("user", "checks"), Secret("password", PASSWORD)
    return ImapInbox(
        servers.LOOPBACK, port, user=user, password=password, starttls=starttls, ca_file=ca_file, seconds=0.5
    )


def test_nobody_there_is_unreachable() -> None:
    assert refused(imap(servers.closed_port())).reason is Reason.UNREACHABLE


@pytest.mark.parametrize("starttls", [False, True])
def test_a_server_that_says_nothing_is_given_up(starttls: bool) -> None:
    with servers.silent() as port:
        assert refused(imap(port, starttls=starttls)).reason is Reason.TIMED_OUT


def test_something_else_at_the_port_is_a_bad_answer() -> None:
    with servers.saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert refused(imap(port, starttls=True)).reason is Reason.BAD_ANSWER


def test_a_missing_certificate_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="authority"):
        imap(993, ca_file=tmp_path / "nowhere.pem")


def test_something_else_than_the_stand_in_is_a_bad_answer() -> None:
    with servers.http(lambda _: Reply.json({"detail": "Not Found"}, 404)) as port:
        inbox = StandInInbox(HttpClient(f"http://{servers.LOOPBACK}:{port}"))
        fault = refused(inbox)
        inbox.close()

    assert fault.reason is Reason.BAD_ANSWER
    assert "404" in fault.found
