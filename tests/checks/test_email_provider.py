"""The mail provider's checks, for each provider that the application can send with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbooks.checks.declare import SiteCheck
from runbooks.checks.email_provider import provider_key_accepted, provider_known
from runbooks.checks.journey import Journey
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.outcome import Verdict
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.environment.vendors import MAIL_KEYS
from tests.shops import private
from tests.standin import ACCOUNTS, Provider

SETTINGS = {
    "resend": {"RESEND_API_KEY": "re_full"},
    "sendgrid": {"SENDGRID_API_KEY": "SG.good-0001"},
    "mailgun": {"MAILGUN_API_KEY": "mg-good-0001", "MAILGUN_DOMAIN": "praviel.test"},
    "postmark": {"POSTMARK_SERVER_TOKEN": "pm-good-0001"},
    "aws_ses": {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIAGOOD0001",
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
    },
}
Ask = Callable[..., Finding]


@pytest.fixture
def ask(tmp_path: Path, provider: Provider) -> Ask:
    """Asks a check in an environment that sends with this provider; some of its variables may be changed."""

    def asked(check: SiteCheck, name: str, **changed: str) -> Finding:
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
url = "{provider.url}/{name}"
{'admin_key = { secret = "MAIL_ADMIN_KEY" }' if name == "postmark" else ""}
[platform]
kind = "hosts"
""")
        usual = {"EMAIL_PROVIDER": name, "EMAIL_FROM_ADDRESS": "noreply@praviel.test"}
        private(folder / "variables.env", {**usual, **SETTINGS[name], **changed})
        private(folder / "operator.env", {"MAIL_ADMIN_KEY": "pm-account-1"})
        site = Site(load(tmp_path / "inventory", "production"), Redactor())
        subject = Subject(site, Journey(lambda: site.application, None, "run"))
        try:
            return check.look(subject, {})
        finally:
            site.close()

    return asked


every_provider = pytest.mark.parametrize("name", SETTINGS)


@every_provider
def test_a_key_that_is_accepted_and_a_domain_that_is_verified_pass(name: str, ask: Ask) -> None:
    finding = ask(provider_key_accepted, name)

    assert finding.verdict is Verdict.PASSED, finding.found


@every_provider
def test_a_revoked_key_fails(name: str, ask: Ask, provider: Provider) -> None:
    revoked = {key: {**entry, "revoked": True} for key, entry in ACCOUNTS[name]["keys"].items()}
    provider.write("accounts.json", {**ACCOUNTS, name: {**ACCOUNTS[name], "keys": revoked}})

    finding = ask(provider_key_accepted, name)

    assert (finding.verdict, "does not accept the key" in finding.found) == (Verdict.FAILED, True), finding.found


@every_provider
def test_a_domain_that_is_not_verified_fails(name: str, ask: Ask) -> None:
    changed = {"MAILGUN_DOMAIN": "new.test"} if name == "mailgun" else {"EMAIL_FROM_ADDRESS": "noreply@new.test"}

    finding = ask(provider_key_accepted, name, **changed)

    assert (finding.verdict, "new.test" in finding.found) == (Verdict.FAILED, True), finding.found


@every_provider
def test_each_of_a_providers_settings_is_needed(name: str, ask: Ask) -> None:
    assert ask(provider_known, name).verdict is Verdict.PASSED
    for variable in MAIL_KEYS[name]:
        finding = ask(provider_known, name, **{variable: ""})

        assert (finding.verdict, finding.found) == (Verdict.FAILED, f"EMAIL_PROVIDER is {name} without {variable}")
