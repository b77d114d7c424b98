"""What keeps mail from going out, as each provider tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import KeyRefused, NotAllowed
from runbooks.systems.providers.mail import MailProvider, Sending
from runbooks.systems.providers.mailgun import Mailgun
from runbooks.systems.providers.postmark import Postmark
from runbooks.systems.providers.resend import Resend
from runbooks.systems.providers.sendgrid import SendGrid
from runbooks.systems.providers.ses import SES, Account
from tests.standin import ACCOUNTS, Provider

PATIENCE = Patience(1, threading.Event())
GOOD = {"resend": "re_full", "sendgrid": "SG.good-0001", "mailgun": "mg-good-0001", "postmark": "pm-good-0001"}
PROVIDERS = (*GOOD, "aws_ses")


class Post:
    """Makes the client of any provider with any key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[HttpClient] = []

    def of(self, name: str, key: str | None = None, admin_key: str | None = None) -> MailProvider:
        url = f"{self.url}/{name}"
        if name == "aws_ses":
            secret = Secret("s", "x" * 40)
            return SES(
                Account(region="eu-central-1", access_key=_secret(key or "AKIAGOOD0001"), secret_key=secret, url=url)
            )
        http = HttpClient(url)
        self.opened.append(http)
        kinds: dict[str, type[Resend | SendGrid | Mailgun | Postmark]]
        kinds = {"resend": Resend, "sendgrid": SendGrid, "mailgun": Mailgun, "postmark": Postmark}
        admin = admin_key or ("pm-account-1" if name == "postmark" else None)
        return kinds[name](http, _secret(key or GOOD[name]), PATIENCE, _secret(admin) if admin else None)


def _secret(text: str) -> Secret:
    return Secret("KEY", text)


@pytest.fixture
def post(provider: Provider) -> Iterator[Post]:
    post = Post(provider.url)
    yield post
    for http in post.opened:
        http.close()


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_verified_domain_has_no_problem(name: str, post: Post) -> None:
    assert post.of(name).sending("praviel.test").problems == ()


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("domain", ["new.test", "unknown.test"])
def test_a_domain_that_is_not_verified_or_not_there_is_a_problem(name: str, domain: str, post: Post) -> None:
    problems = post.of(name).sending(domain).problems

    assert problems
    assert all(domain in problem for problem in problems)


def test_a_key_that_may_only_send_is_good_and_an_administrators_reads_for_it(post: Post) -> None:
    assert post.of("resend", "re_send", "re_full").sending("praviel.test") == Sending("praviel.test is verified")
    assert not post.of("sendgrid", "SG.send-only", "SG.good-0001").sending("praviel.test").problems


@pytest.mark.parametrize("name", ["resend", "sendgrid"])
def test_an_administrators_key_does_not_hide_that_the_applications_is_bad(name: str, post: Post) -> None:
    admin = {"resend": "re_full", "sendgrid": "SG.good-0001"}[name]

    with pytest.raises(KeyRefused):
        post.of(name, "unknown-key-1", admin).sending("praviel.test")


def test_a_bad_key_and_a_sending_key_are_told_apart_at_mailgun(post: Post) -> None:
    with pytest.raises(KeyRefused):
        post.of("mailgun", "unknown-key-1", "mg-good-0001").sending("praviel.test")
    assert post.of("mailgun", "mg-send-only", "mg-good-0001").sending("praviel.test").problems == ()
    with pytest.raises(NotAllowed, match="may only send"):
        post.of("mailgun", "mg-send-only").sending("praviel.test")


def test_resends_trial_sender_reaches_nobody(post: Post) -> None:
    assert "reaches nobody but you" in post.of("resend").sending("resend.dev").problems[0]


def test_a_sendgrid_key_must_be_allowed_to_send(post: Post) -> None:
    assert post.of("sendgrid", "SG.no-mail-0").sending("praviel.test").problems == (
        "the key lacks the scope mail.send",
    )


def test_mailguns_sandbox_is_a_problem(post: Post) -> None:
    assert "is a sandbox" in post.of("mailgun").sending("sandbox1.test").problems[0]


def test_postmarks_sandbox_is_a_problem(post: Post) -> None:
    assert "delivers nothing" in post.of("postmark", "pm-sandbox-1").sending("praviel.test").problems[0]


def test_postmarks_server_token_alone_can_not_tell_the_domain(provider: Provider) -> None:
    with (
        HttpClient(f"{provider.url}/postmark") as http,
        pytest.raises(NotAllowed, match="can't read the domains") as caught,
    ):
        Postmark(http, _secret("pm-good-0001"), PATIENCE).sending("praviel.test")

    assert "mail.admin_key" in caught.value.mend


def test_the_sandbox_of_ses_is_a_problem(post: Post, provider: Provider) -> None:
    provider.write("accounts.json", {**ACCOUNTS, "aws_ses": {**ACCOUNTS["aws_ses"], "sandbox": True}})

    assert "SES's sandbox" in post.of("aws_ses").sending("praviel.test").problems[0]
