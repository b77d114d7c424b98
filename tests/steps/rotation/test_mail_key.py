"""A key at a provider of mail: proven there before it is set, for each provider that the application can send with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runbooks import rotation
from runbooks.engine.errors import InputError, NeedsPerson, SystemFault
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.given import Given
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.steps.rotation.vendor_key import OLD
from runbooks.systems.providers.api import KeyRefused
from runbooks.systems.providers.keys import label
from runbooks.systems.secrets.versions import version_id
from tests.shops import private
from tests.standin import ACCOUNTS, Provider

RUN, EARLIER = "20261128T081500.000Z-secrets.rotate-k3f9", "20261028T081500.000Z-secrets.rotate-x1y2"
NAMES = {vendor: name for name, vendor in rotation.MAIL.items()}
OLD_KEYS = {"resend": "re_old_key", "sendgrid": "SG.old-key.0001", "mailgun": "mg-old-0001", "postmark": "pm-old-0001"}
NEW_KEYS = {
    "resend": "re_only_sends",
    "sendgrid": "SG.send-only",
    "mailgun": "mg-send-only",
    "postmark": "pm-good-0001",
}
"""Those that may do nothing but send, where a vendor has such."""
ADMINS = {
    "resend": "re_administrator",
    "sendgrid": "SG.administrators.01",
    "mailgun": "mg-good-0001",
    "postmark": "pm-account-1",
}
ADMINISTERS = {"scopes": ["api_keys.create", "api_keys.delete", "mail.send", "whitelabel.read"]}

Open = Callable[..., Kind]


@pytest.fixture
def opened(tmp_path: Path, provider: Provider) -> Iterator[Open]:
    """The kind that rotates the key of an application that sends with this vendor; ``given``: by its operator."""
    held = {name: {**ACCOUNTS[name]["keys"], OLD_KEYS[name]: {"name": label(EARLIER)}} for name in NAMES}
    held["resend"] |= {ADMINS["resend"]: {}, NEW_KEYS["resend"]: {"permission": "sending_access"}}
    held["sendgrid"] |= {ADMINS["sendgrid"]: ADMINISTERS, OLD_KEYS["sendgrid"]: {"scopes": ["mail.send"]}}
    provider.write("accounts.json", {name: {**ACCOUNTS[name], "keys": held[name]} for name in NAMES})
    sites = []

    def kind(vendor: str, given: str | None = None, sends_with: str | None = None) -> Kind:
        folder = tmp_path / "inventory" / "production"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.toml").write_text(f"""\
schema = 1
[application]
url = "https://api.praviel.test"
[variables]
source = "dotenv"
path = "variables.env"
[secrets]
source = "dotenv"
path = "operator.env"
[mail]
url = "{provider.url}/{vendor}"
admin_key = {{ secret = "MAIL_ADMIN_KEY" }}
[platform]
kind = "hosts"
""")
        usual = {"EMAIL_PROVIDER": sends_with or vendor, "EMAIL_FROM_ADDRESS": "noreply@praviel.test"}
        private(folder / "variables.env", {**usual, "MAILGUN_DOMAIN": "praviel.test", NAMES[vendor]: OLD_KEYS[vendor]})
        private(folder / "operator.env", {"MAIL_ADMIN_KEY": ADMINS[vendor]})
        (folder / "new").write_text(f"{given}\n")
        site = Site(load(tmp_path / "inventory", "production"), Redactor())
        sites.append(site)
        return rotation.kind_of(
            NAMES[vendor], site, RUN, Given(NAMES[vendor], f"cat '{folder}/new'" if given else None)
        )

    yield kind
    for site in sites:
        site.close()


def old(vendor: str) -> dict[str, Secret]:
    return {NAMES[vendor]: Secret(NAMES[vendor], OLD_KEYS[vendor])}


def keys(provider: Provider, vendor: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((provider.folder / "accounts.json").read_text())[vendor]["keys"]
    return held


def changed(vendor: str, new: str) -> Change:
    name = NAMES[vendor]
    return Change(old(vendor), {name: Secret(name, new)}, old_ids={name: version_id(EARLIER, name)})


every_vendor = pytest.mark.parametrize("vendor", NAMES)


@every_vendor
def test_a_given_key_is_tried_before_it_is_set(vendor: str, opened: Open) -> None:
    kind = opened(vendor, NEW_KEYS[vendor])
    assert kind.look(old(vendor))

    made = kind.make(old(vendor))

    assert made[NAMES[vendor]].reveal() == NEW_KEYS[vendor]
    assert "accepts it" in kind.test(changed(vendor, NEW_KEYS[vendor]))


@every_vendor
def test_a_key_that_the_vendor_does_not_know_is_refused(vendor: str, opened: Open) -> None:
    with pytest.raises(KeyRefused):
        opened(vendor, "an-unknown-key-0001").make(old(vendor))


def test_a_key_with_which_no_mail_would_go_out_is_refused(opened: Open) -> None:
    with pytest.raises(SystemFault, match="would not go out"):
        opened("postmark", "pm-sandbox-1").make(old("postmark"))
    with pytest.raises(SystemFault, match="would not go out"):
        opened("sendgrid", "SG.no-mail-0").make(old("sendgrid"))


@pytest.mark.parametrize("vendor", ["resend", "sendgrid"])
def test_the_vendor_makes_a_key_and_revokes_the_old_one_or_the_new(
    vendor: str, opened: Open, provider: Provider
) -> None:
    before = set(keys(provider, vendor))
    lost = opened(vendor).make(old(vendor))[NAMES[vendor]].reveal()
    made = opened(vendor).make(old(vendor))[NAMES[vendor]].reveal()
    assert set(keys(provider, vendor)) == {*before, made} - {lost}

    kind, change = opened(vendor), changed(vendor, made)
    assert kind.test(change)
    noted = kind.note(change)
    assert OLD_KEYS[vendor] not in json.dumps(dict(noted))
    assert kind.is_removed(noted) is False
    assert "revoked the old key" in kind.remove(noted)
    assert kind.is_removed(noted) is True
    assert set(keys(provider, vendor)) == {*before, made} - {OLD_KEYS[vendor]}

    assert "revoked the key that it made" in kind.unmake()
    assert set(keys(provider, vendor)) == before - {OLD_KEYS[vendor]}
    assert "has made no key" in kind.unmake()


def test_an_old_key_that_resend_can_not_tell_from_others_is_left_to_a_person(opened: Open, provider: Provider) -> None:
    accounts = json.loads((provider.folder / "accounts.json").read_text())
    accounts["resend"]["keys"][OLD_KEYS["resend"]] = {"name": "production"}
    provider.write("accounts.json", accounts)
    kind, change = opened("resend"), changed("resend", NEW_KEYS["resend"])

    with pytest.raises(NeedsPerson, match="has to revoke it there") as caught:
        kind.note(change)
    assert "secrets.resume RESEND_API_KEY" in caught.value.mend

    del accounts["resend"]["keys"][OLD_KEYS["resend"]]
    provider.write("accounts.json", accounts)
    assert kind.note(change) == {OLD: None}


@every_vendor
def test_a_plan_says_that_there_is_no_gap_and_who_makes_the_key(vendor: str, opened: Open) -> None:
    said = " ".join(opened(vendor).plan())

    assert "there is no gap" in said
    assert (f"{vendor} makes the new key" in said) == (vendor in ("resend", "sendgrid"))
    assert "make the new key at" in " ".join(opened(vendor, NEW_KEYS[vendor]).plan())


@pytest.fixture
def ses(tmp_path: Path, provider: Provider) -> Iterator[Callable[[str], Kind]]:
    """The kind that rotates SES's access key, which an operator gives so."""
    folder = tmp_path / "inventory" / "production"
    folder.mkdir(parents=True)
    (folder / "environment.toml").write_text(f"""\
schema = 1
[application]
url = "https://api.praviel.test"
[variables]
source = "dotenv"
path = "variables.env"
[mail]
url = "{provider.url}/aws_ses"
[platform]
kind = "hosts"
""")
    settings = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIAOLD00001", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    usual = {"EMAIL_PROVIDER": "aws_ses", "EMAIL_FROM_ADDRESS": "noreply@praviel.test"}
    private(folder / "variables.env", {**usual, **settings})
    site = Site(load(tmp_path / "inventory", "production"), Redactor())

    def kind(given: str) -> Kind:
        (folder / "new").write_text(f"{given}\n")
        return rotation.kind_of(rotation.SES, site, RUN, Given(rotation.SES, f"cat '{folder}/new'"))

    yield kind
    site.close()


def test_an_access_key_of_ses_is_two_values_that_change_together(ses: Callable[[str], Kind]) -> None:
    old = {"AWS_ACCESS_KEY_ID": Secret("ID", "AKIAOLD00001"), "AWS_SECRET_ACCESS_KEY": Secret("SECRET", "x" * 40)}
    kind = ses("AKIAGOOD0001:a-secret/with+signs=".replace("-", ""))

    made = kind.make(old)

    assert kind.names == tuple(made) == ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert [each.reveal() for each in made.values()] == ["AKIAGOOD0001", "asecret/with+signs="]
    assert "accepts it" in kind.test(Change(old, made))
    assert "AWS_ACCESS_KEY_ID:AWS_SECRET_ACCESS_KEY" in " ".join(kind.plan())
    with pytest.raises(KeyRefused):
        ses(f"AKIANOBODYS1:{'x' * 40}").make(old)
    with pytest.raises(InputError, match="no access key of AWS"):
        ses("AKIAGOOD0001").make(old)
    with pytest.raises(SystemFault, match="the one of now"):
        ses(f"AKIAOLD00001:{'x' * 40}").make(old)


def test_a_key_of_another_provider_than_the_applications_is_not_rotated(opened: Open) -> None:
    with pytest.raises(InputError, match="does not send with sendgrid"):
        opened("sendgrid", sends_with="resend").look(old("sendgrid"))
