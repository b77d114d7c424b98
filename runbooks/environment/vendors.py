"""The clients of the providers that an environment declares, each with the key that it is asked with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.model import Environment
from runbooks.environment.value import Value
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience

if TYPE_CHECKING:
    from runbooks.systems.providers.anthropic import AnthropicAdmin
    from runbooks.systems.providers.keys import KeyMaker, KeySwitch
    from runbooks.systems.providers.mail import MailProvider
    from runbooks.systems.providers.models import ModelProvider
    from runbooks.systems.providers.openai import OpenAIAdmin

Resolve = Callable[[Value, str], Secret]

MAIL_KEYS: Mapping[str, tuple[str, ...]] = {
    "resend": ("RESEND_API_KEY",),
    "sendgrid": ("SENDGRID_API_KEY",),
    "aws_ses": ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "mailgun": ("MAILGUN_API_KEY", "MAILGUN_DOMAIN"),
    "postmark": ("POSTMARK_SERVER_TOKEN",),
}
"""The providers that the application can send with, and the variables that it needs for each."""


class Vendors:
    """Makes a client when it is asked for; nothing is asked before.

    Args:
        resolve: Turns a value of the inventory, with its key's name, into what it stands for.
        stopping: Set when the operator stops the run.
    """

    def __init__(self, environment: Environment, resolve: Resolve, stopping: threading.Event) -> None:
        self._providers = environment.providers
        self._mail = environment.mail
        self._resolve = resolve
        self._seconds = environment.checks.timeout_seconds / 2
        self._stopping = stopping
        self._opened: list[HttpClient] = []

    def close(self) -> None:
        """Close the connections that were opened."""
        for http in self._opened:
            http.close()

    def openai(self, key: Secret) -> ModelProvider:
        from runbooks.systems.providers.openai import OpenAI

        return OpenAI(self._http("openai"), key, self._patience(), self._providers.openai.project)

    def anthropic(self, key: Secret) -> ModelProvider:
        from runbooks.systems.providers.anthropic import Anthropic

        return Anthropic(self._http("anthropic"), key, self._patience())

    def google(self, key: Secret) -> ModelProvider:
        from runbooks.systems.providers.google import Google

        return Google(self._http("google"), key, self._patience())

    def openai_admin(self) -> OpenAIAdmin | None:
        """None if no administrator's key is declared."""
        from runbooks.systems.providers.openai import OpenAIAdmin

        key = self._admin_key("providers.openai", self._providers.openai.admin_key)
        return OpenAIAdmin(self._http("openai"), key, self._patience()) if key else None

    def anthropic_admin(self) -> AnthropicAdmin | None:
        """None if no administrator's key is declared."""
        from runbooks.systems.providers.anthropic import AnthropicAdmin

        key = self._admin_key("providers.anthropic", self._providers.anthropic.admin_key)
        return AnthropicAdmin(self._http("anthropic"), key, self._patience()) if key else None

    def openai_keys(self) -> KeyMaker | None:
        """None if no administrator's key or no project is declared."""
        from runbooks.systems.providers.openai_keys import OpenAIKeys

        key, project = (
            self._admin_key("providers.openai", self._providers.openai.admin_key),
            self._providers.openai.project,
        )
        return OpenAIKeys(self._http("openai"), key, self._patience(), project) if key and project else None

    def anthropic_keys(self) -> KeySwitch | None:
        """None if no administrator's key is declared."""
        from runbooks.systems.providers.anthropic_keys import AnthropicKeys

        key = self._admin_key("providers.anthropic", self._providers.anthropic.admin_key)
        return AnthropicKeys(self._http("anthropic"), key, self._patience()) if key else None

    def mail_keys(self, provider: str) -> KeyMaker | None:
        """None if no administrator's key is declared, or this provider's API makes no keys."""
        from runbooks.systems.providers import resend, sendgrid
        from runbooks.systems.providers.resend_keys import ResendKeys
        from runbooks.systems.providers.sendgrid_keys import SendGridKeys

        key = self._admin_key("mail", self._mail.admin_key)
        if provider not in ("resend", "sendgrid") or key is None:
            return None
        kind = ResendKeys if provider == "resend" else SendGridKeys
        url = self._mail_url() or (resend.URL if provider == "resend" else sendgrid.URL)
        made: KeyMaker = kind(self._opening(url, self._mail.ca_file), key, self._patience())
        return made

    def mail(self, provider: str, variables: Mapping[str, Secret]) -> MailProvider:
        """The provider of mail of this name, asked with the application's variables.

        Raises:
            InputError: the name is unknown, or a variable is missing.
        """
        missing = [name for name in MAIL_KEYS.get(provider, ()) if not variables.get(name)]
        if provider not in MAIL_KEYS or missing:
            found = f"without {', '.join(missing)}" if missing else f"EMAIL_PROVIDER is {provider}"
            raise InputError("the provider of mail can't be asked", found=found, mend="mend email.provider-known first")
        if provider == "aws_ses":
            return self._ses(variables)
        from runbooks.systems.providers import mailgun, postmark, resend, sendgrid

        kinds: Mapping[str, tuple[str, type[resend.Resend | sendgrid.SendGrid | mailgun.Mailgun | postmark.Postmark]]]
        kinds = {
            "resend": (resend.URL, resend.Resend),
            "sendgrid": (sendgrid.URL, sendgrid.SendGrid),
            "mailgun": (mailgun.URL, mailgun.Mailgun),
            "postmark": (postmark.URL, postmark.Postmark),
        }
        url, kind = kinds[provider]
        http = self._opening(self._mail_url() or url, self._mail.ca_file)
        admin_key = self._admin_key("mail", self._mail.admin_key)
        return kind(http, variables[MAIL_KEYS[provider][0]], self._patience(), admin_key)

    def _ses(self, variables: Mapping[str, Secret]) -> MailProvider:
        from runbooks.systems.providers.ses import SES, Account

        return SES(
            Account(
                region=variables["AWS_REGION"].reveal(),
                access_key=variables["AWS_ACCESS_KEY_ID"],
                secret_key=variables["AWS_SECRET_ACCESS_KEY"],
                url=self._mail_url(),
                ca_file=self._mail.ca_file,
                seconds=self._seconds,
            )
        )

    def _mail_url(self) -> str | None:
        return self._resolve(self._mail.url, "mail.url").reveal() if self._mail.url else None

    def _http(self, name: str) -> HttpClient:
        url = self._resolve(getattr(self._providers, name).url, f"providers.{name}.url").reveal()
        return self._opening(url, self._providers.ca_file)

    def _opening(self, url: str, ca_file: Path | None) -> HttpClient:
        http = HttpClient(url, ca_file=ca_file, seconds=self._seconds)
        self._opened.append(http)
        return http

    def _admin_key(self, table: str, value: Value | None) -> Secret | None:
        return self._resolve(value, f"{table}.admin_key") if value else None

    def _patience(self) -> Patience:
        return Patience(self._seconds, self._stopping)
