"""How Resend stands to our mail.

https://resend.com/docs/api-reference
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import BY_STATUS, Api, KeyRefused, NotAllowed, Refusal, error_of
from runbooks.systems.providers.mail import Sending

URL = "https://api.resend.com"
TRIAL = "resend.dev"
"""Mail from this domain reaches the account's owner only."""


@dataclass(frozen=True)
class _Domain:
    name: str
    status: str


@dataclass(frozen=True)
class _Domains:
    data: list[_Domain]


class Resend:
    """See `MailProvider`. The right key for an application may only send: then ``admin_key`` reads the domains."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, admin_key: Secret | None = None) -> None:
        self._key = api(http, key, patience)
        self._admin = api(http, admin_key, patience) if admin_key else None

    def sending(self, domain: str) -> Sending:
        if self._admin:
            with contextlib.suppress(NotAllowed):
                self._key.get("/domains", _Domains)
        listed = (self._admin or self._key).get("/domains", _Domains).data
        found = next((each.status for each in listed if each.name == domain), None)
        if domain == TRIAL:
            return Sending(domain, (f"{domain} is Resend's trial sender: its mail reaches nobody but you",))
        if found is None:
            return Sending(f"{len(listed)} domains", (f"{domain} is not among the account's domains",))
        problems = () if found == "verified" else (f"{domain} is {found}",)
        return Sending(f"{domain} is {found}", problems)


def api(http: HttpClient, key: Secret, patience: Patience) -> Api:
    """Resend's API, asked with this key."""
    return Api("Resend", http, {"authorization": f"Bearer {key.reveal()}"}, patience, read=_refusal)


def _refusal(answer: Answer) -> Refusal:
    error = error_of(answer)
    code = str(error.get("name") or "")
    if code == "restricted_api_key":  # with status 401, but it is a valid key
        return Refusal(NotAllowed, code)
    if code == "invalid_api_key" or "API key is invalid" in str(error.get("message")):
        return Refusal(KeyRefused, code)
    return Refusal(BY_STATUS.get(answer.status), code)
