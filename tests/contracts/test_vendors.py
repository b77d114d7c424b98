"""All clients of providers keep one contract, against the stand-in that answers as the vendors do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.anthropic import Anthropic, AnthropicAdmin
from runbooks.systems.providers.api import KeyRefused, NotAllowed
from runbooks.systems.providers.google import Google
from runbooks.systems.providers.mailgun import Mailgun
from runbooks.systems.providers.openai import OpenAI, OpenAIAdmin
from runbooks.systems.providers.postmark import Postmark
from runbooks.systems.providers.resend import Resend
from runbooks.systems.providers.sendgrid import SendGrid
from runbooks.systems.providers.ses import SES, Account
from tests import servers
from tests.servers import Reply, Request
from tests.standin import Provider

DOMAIN = "praviel.test"
SES_SECRET = Secret("AWS_SECRET_ACCESS_KEY", "x" * 40)


@dataclass(frozen=True)
class Vendor:
    """How a client is asked its usual question.

    Attributes:
        path: Where the vendor is, at the stand-in.
        good: A key that it accepts.
        narrow: A key that it accepts and does not allow this question; None if it has no such keys.
        ask: Asks.
    """

    path: str
    good: str
    narrow: str | None
    ask: Callable[[HttpClient, Secret, Patience], object]

    @property
    def name(self) -> str:
        return self.path.partition("/")[0]


VENDORS = {
    "openai": Vendor(
        "openai/v1",
        "sk-proj-good-0001",
        "sk-proj-narrow-01",
        lambda http, key, patience: OpenAI(http, key, patience).models(),
    ),
    "openai's administration": Vendor(
        "openai/v1",
        "sk-admin-good-001",
        "sk-proj-good-0001",
        lambda http, key, patience: OpenAIAdmin(http, key, patience).spend_limit("proj_production"),
    ),
    "anthropic": Vendor(
        "anthropic/v1",
        "sk-ant-api03-good-0001",
        None,
        lambda http, key, patience: Anthropic(http, key, patience).models(),
    ),
    "anthropic's administration": Vendor(
        "anthropic/v1",
        "sk-ant-admin01-good",
        None,
        lambda http, key, patience: AnthropicAdmin(http, key, patience).requests_per_minute(),
    ),
    "google": Vendor(
        "google/v1beta",
        "AQ.good-0001",
        None,
        lambda http, key, patience: Google(http, key, patience).models(),
    ),
    "resend": Vendor(
        "resend",
        "re_full",
        "re_send",
        lambda http, key, patience: Resend(http, key, patience).sending(DOMAIN),
    ),
    "sendgrid": Vendor(
        "sendgrid",
        "SG.good-0001",
        "SG.send-only",
        lambda http, key, patience: SendGrid(http, key, patience).sending(DOMAIN),
    ),
    "mailgun": Vendor(
        "mailgun",
        "mg-good-0001",
        None,
        lambda http, key, patience: Mailgun(http, key, patience).sending(DOMAIN),
    ),
    "postmark": Vendor(
        "postmark",
        "pm-good-0001",
        None,
        lambda http, key, patience: Postmark(http, key, patience, Secret("a", "pm-account-1")).sending(DOMAIN),
    ),
    "aws_ses": Vendor(
        "aws_ses",
        "AKIAGOOD0001",
        "AKIADENIED01",
        lambda http, key, _patience: SES(
            Account(region="eu-central-1", access_key=key, secret_key=SES_SECRET, url=http.base_url)
        ).sending(DOMAIN),
    ),
}

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)


def ask(vendor: Vendor, url: str, key: str | None = None, seconds: float = 2) -> object:
    with HttpClient(f"{url}/{vendor.path}") as http:
        return vendor.ask(http, Secret("KEY", key or vendor.good), Patience(seconds, threading.Event()))


def refusal(vendor: Vendor, url: str, key: str | None = None, seconds: float = 2) -> SystemFault:
    with pytest.raises(SystemFault) as caught:
        ask(vendor, url, key, seconds)
    return caught.value


@contextmanager
def front(provider: Provider, *first: Reply) -> Iterator[str]:
    """A server that gives these replies first, then what the stand-in answers; its URL."""
    left = list(first)

    def answer(request: Request) -> Reply:
        if left:
            return left.pop(0)
        passed_on = provider.http.get(request.path, headers=dict(request.headers))
        return Reply(passed_on.status_code, passed_on.content, {"content-type": "application/json"})

    with servers.http(answer) as port:
        yield f"http://{servers.LOOPBACK}:{port}"


@every_vendor
def test_a_good_key_is_answered(vendor: Vendor, provider: Provider) -> None:
    assert ask(vendor, provider.url)


@every_vendor
def test_an_unknown_key_is_refused_and_not_shown(vendor: Vendor, provider: Provider) -> None:
    fault = refusal(vendor, provider.url, "unknown-key-12345678")

    assert isinstance(fault, KeyRefused)
    assert fault.reason is Reason.UNAUTHORISED
    assert fault.mend
    assert "unknown" not in str(fault)
    assert "5678" not in str(fault)


@every_vendor
def test_a_key_that_may_not_do_this_is_told_from_a_bad_one(vendor: Vendor, provider: Provider) -> None:
    if vendor.narrow is None:
        return
    fault = refusal(vendor, provider.url, vendor.narrow)

    assert isinstance(fault, NotAllowed)
    assert fault.reason is Reason.UNAUTHORISED


@every_vendor
def test_who_is_asked_to_wait_waits(vendor: Vendor, provider: Provider) -> None:
    with front(provider, Reply(429, b"{}", {"retry-after": "0"})) as url:
        assert ask(vendor, url)


@every_vendor
def test_nobody_waits_for_ever(vendor: Vendor, provider: Provider) -> None:
    provider.tell(vendor.name, status=429, headers={"retry-after": "3600"})
    began = time.monotonic()

    fault = refusal(vendor, provider.url)

    assert fault.reason is Reason.RATE_LIMITED
    assert time.monotonic() - began < 3


@every_vendor
def test_a_vendor_that_fails_says_nothing_of_the_key(vendor: Vendor, provider: Provider) -> None:
    provider.tell(vendor.name, status=500)

    fault = refusal(vendor, provider.url)

    assert not isinstance(fault, KeyRefused | NotAllowed)
    assert fault.reason is Reason.FAILED


@every_vendor
@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'{"something": "else"}', b"[1]"])
def test_a_page_of_somebody_else_is_no_answer(vendor: Vendor, body: bytes) -> None:
    with servers.http(lambda _: Reply(200, body, {"content-type": "application/json"})) as port:
        fault = refusal(vendor, f"http://{servers.LOOPBACK}:{port}")

    assert fault.reason is Reason.BAD_ANSWER


@every_vendor
@pytest.mark.parametrize("body", [b"<html>no</html>", b'{"error": "a text"}', b'{"error": {"code": ["a list"]}}', b"1"])
def test_a_refusal_of_any_form_is_one(vendor: Vendor, body: bytes) -> None:
    with servers.http(lambda _: Reply(401, body)) as port:
        fault = refusal(vendor, f"http://{servers.LOOPBACK}:{port}")

    assert fault.found.startswith("HTTP 401") or vendor.path == "aws_ses"


@every_vendor
def test_nobody_there_is_unreachable(vendor: Vendor) -> None:
    fault = refusal(vendor, f"http://{servers.LOOPBACK}:{servers.closed_port()}")

    assert fault.reason is Reason.UNREACHABLE
