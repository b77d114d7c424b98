"""How SendGrid stands to our mail.

https://www.twilio.com/docs/sendgrid/api-reference
"""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import Api, by_status
from runbooks.systems.providers.mail import Sending

URL = "https://api.sendgrid.com"
SEND = "mail.send"


@dataclass(frozen=True)
class _Scopes:
    scopes: list[str]


@dataclass(frozen=True)
class _Domain:
    domain: str
    valid: bool
    subdomain: str | None = None


class SendGrid:
    """See `MailProvider`. A key that may only send can't read the domains: then ``admin_key`` does."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, admin_key: Secret | None = None) -> None:
        self._key = api(http, key, patience)
        self._admin = api(http, admin_key, patience) if admin_key else self._key

    def sending(self, domain: str) -> Sending:
        scopes = self._key.get("/v3/scopes", _Scopes).scopes
        if SEND not in scopes:
            return Sending(f"{len(scopes)} scopes", (f"the key lacks the scope {SEND}",))
        listed = self._admin.get("/v3/whitelabel/domains", list[_Domain])
        found = [each.valid for each in listed if each.domain == domain]
        if not found:
            return Sending(f"{len(listed)} domains", (f"{domain} is not among the authenticated domains",))
        if not any(found):
            return Sending(f"{domain} is not valid", (f"{domain} is not valid: its DNS records were not found",))
        return Sending(f"the key has {SEND}, {domain} is valid")


def api(http: HttpClient, key: Secret, patience: Patience) -> Api:
    """SendGrid's API, asked with this key."""
    return Api("SendGrid", http, {"authorization": f"Bearer {key.reveal()}"}, patience, read=by_status)
