"""How Postmark stands to our mail.

https://postmarkapp.com/developer
"""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.engine.errors import Reason
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import Api, NotAllowed, by_status
from runbooks.systems.providers.mail import Sending

URL = "https://api.postmarkapp.com"
JSON = {"accept": "application/json"}


@dataclass(frozen=True)
class _Server:
    DeliveryType: str  # as it stands in the answer


@dataclass(frozen=True)
class _Domain:
    Name: str
    DKIMVerified: bool


@dataclass(frozen=True)
class _Domains:
    Domains: list[_Domain]


class Postmark:
    """See `MailProvider`. The application holds a server's token; ``admin_key``, the account's, reads domains."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, admin_key: Secret | None = None) -> None:
        server = {**JSON, "x-postmark-server-token": key.reveal()}
        self._server = Api("Postmark", http, server, patience, read=by_status)
        self._account: Api | None = None
        if admin_key:
            account = {**JSON, "x-postmark-account-token": admin_key.reveal()}
            self._account = Api("Postmark", http, account, patience, read=by_status)

    def sending(self, domain: str) -> Sending:
        delivery = self._server.get("/server", _Server).DeliveryType
        if delivery != "Live":
            return Sending(f"a {delivery} server", (f"the server is of type {delivery}: it delivers nothing",))
        if self._account is None:
            raise NotAllowed(
                "a server's token can't read the domains of a Postmark account",
                reason=Reason.UNAUTHORISED,
                where=URL,
                mend="declare mail.admin_key, the account's token",
            )
        listed = self._account.get("/domains", _Domains, count=500, offset=0).Domains
        found = next((each.DKIMVerified for each in listed if each.Name == domain), None)
        if found is None:
            return Sending(f"{len(listed)} domains", (f"{domain} is not among the account's domains",))
        problems = () if found else (f"{domain} has no verified DKIM record",)
        return Sending(f"a live server, {domain} is {'verified' if found else 'not verified'}", problems)
