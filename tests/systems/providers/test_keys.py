"""Keys that vendors make and revoke by their APIs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.anthropic import Anthropic
from runbooks.systems.providers.anthropic_keys import AnthropicKeys
from runbooks.systems.providers.api import KeyRefused, NotAllowed
from runbooks.systems.providers.keys import KeyMaker, label
from runbooks.systems.providers.openai import OpenAI
from runbooks.systems.providers.openai_keys import OpenAIKeys
from runbooks.systems.providers.resend import Resend
from runbooks.systems.providers.resend_keys import ResendKeys
from runbooks.systems.providers.sendgrid import SendGrid
from runbooks.systems.providers.sendgrid_keys import SendGridKeys
from tests.standin import ACCOUNTS, Provider

PATIENCE = Patience(1, threading.Event())
EARLIER = label("20261028T081500.000Z-secrets.rotate-x1y2")
ANOTHER = label("20261128T091500.000Z-secrets.rotate-z3w4")
LABEL = label("20261128T081500.000Z-secrets.rotate-k3f9")
SENDGRID = {
    "SG.applications.0001": {"scopes": ["mail.send"]},
    "SG.administrators.01": {"scopes": ["api_keys.create", "api_keys.delete", "mail.send"]},
}

RESEND = {"re_application": {"permission": "sending_access", "name": EARLIER}, "re_administrator": {}}


@dataclass
class Vendor:
    """A vendor, the application's key there, and what is known of keys."""

    name: str
    http: HttpClient
    provider: Provider
    key: Secret
    admin_key: Secret

    def maker(self, admin_key: Secret | None = None) -> KeyMaker:
        admin = admin_key or self.admin_key
        if self.name == "openai":
            return OpenAIKeys(self.http, admin, PATIENCE, "proj_production")
        if self.name == "resend":
            return ResendKeys(self.http, admin, PATIENCE)
        return SendGridKeys(self.http, admin, PATIENCE)

    def find(self, key: Secret, told: str = EARLIER) -> str | None:
        return self.maker().find(key, lambda each: each == told)

    def use(self, key: Secret) -> None:
        if self.name == "openai":
            OpenAI(self.http, key, PATIENCE, "proj_production").models()
        elif self.name == "resend":
            assert Resend(self.http, key, PATIENCE, self.admin_key).sending("praviel.test").problems == ()
        else:
            assert SendGrid(self.http, key, PATIENCE, self.admin_key)._key.get("/v3/scopes", dict)["scopes"] == [
                "mail.send"
            ]

    def keys(self) -> set[str]:
        accounts = json.loads((self.provider.folder / "accounts.json").read_text())
        return set(accounts[self.name]["keys"])


@pytest.fixture(params=["openai", "sendgrid", "resend"])
def vendor(request: pytest.FixtureRequest, provider: Provider) -> Iterator[Vendor]:
    provider.write(
        "accounts.json", {**ACCOUNTS, "sendgrid": {"keys": SENDGRID}, "resend": {**ACCOUNTS["resend"], "keys": RESEND}}
    )
    path, key, admin = {
        "openai": ("openai/v1", "sk-proj-good-0001", "sk-admin-good-001"),
        "sendgrid": ("sendgrid", "SG.applications.0001", "SG.administrators.01"),
        "resend": ("resend", "re_application", "re_administrator"),
    }[request.param]
    with HttpClient(f"{provider.url}/{path}") as http:
        yield Vendor(request.param, http, provider, Secret("KEY", key), Secret("ADMIN", admin))


def test_a_new_key_works_beside_the_old_one_until_that_is_revoked(vendor: Vendor) -> None:
    new = vendor.maker().make(LABEL, vendor.key)
    vendor.use(new)
    vendor.use(vendor.key)

    old = vendor.find(vendor.key)
    assert old
    assert vendor.maker().has(old)
    vendor.maker().remove(old)

    vendor.use(new)
    with pytest.raises(KeyRefused):
        vendor.use(vendor.key)
    assert (vendor.find(vendor.key), vendor.maker().has(old)) == (None, False)
    vendor.maker().remove(old)


def test_a_key_that_was_made_here_is_found_again_by_value_and_by_label(vendor: Vendor) -> None:
    before = vendor.keys()
    first = vendor.maker().make(LABEL, vendor.key)
    second = vendor.maker().make(ANOTHER, vendor.key)

    found = vendor.find(first, LABEL)
    assert found
    vendor.maker().remove(found)
    assert vendor.keys() == before | {second.reveal()}
    assert vendor.maker().unmake(ANOTHER)
    assert vendor.keys() == before
    assert not vendor.maker().unmake(ANOTHER)


def test_a_key_whose_value_was_lost_is_replaced_not_left(vendor: Vendor) -> None:
    before = vendor.keys()
    lost = vendor.maker().make(LABEL, vendor.key)
    kept = vendor.maker().make(LABEL, vendor.key)

    assert vendor.keys() == before | {kept.reveal()}
    with pytest.raises(KeyRefused):
        vendor.use(lost)


def test_a_key_that_may_not_administer_is_told(vendor: Vendor) -> None:
    with pytest.raises(NotAllowed):
        vendor.maker(vendor.key).make(LABEL, vendor.key)
    with pytest.raises(KeyRefused):
        vendor.maker(Secret("ADMIN", "SG.nobody.knows-it")).unmake(LABEL)


def test_a_key_that_can_not_be_told_from_another_is_left_to_a_person(provider: Provider) -> None:
    twins = {f"sk-proj-twin-{middle}-0001": {"project": "proj_production"} for middle in ("a", "b")}
    provider.write("accounts.json", {"openai": {**ACCOUNTS["openai"], "keys": twins}})
    with HttpClient(f"{provider.url}/openai/v1") as http:
        maker = OpenAIKeys(http, Secret("ADMIN", "sk-admin-good-001"), PATIENCE, "proj_production")

        assert maker.find(Secret("KEY", "sk-proj-twin-a-0001"), lambda _told: False) is None


def test_a_key_is_switched_off_and_on_again_where_none_can_be_made(provider: Provider) -> None:
    key = Secret("KEY", "sk-ant-api03-good-0001")
    with HttpClient(f"{provider.url}/anthropic/v1") as http:
        keys = AnthropicKeys(http, Secret("ADMIN", "sk-ant-admin01-good"), PATIENCE)
        keys.turn(key, on=False)
        assert keys.is_on(key) is False
        with pytest.raises(KeyRefused):
            Anthropic(http, key, PATIENCE).models()
        keys.turn(key, on=True)
        assert keys.is_on(key) is True
        assert Anthropic(http, key, PATIENCE).models().names
        assert keys.is_on(Secret("KEY", "sk-ant-api03-good-0002")) is None
