"""How Mailgun stands to our mail.

https://documentation.mailgun.com/docs/mailgun/api-reference
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import (
    Api,
    Incomplete,
    KeyRefused,
    NotAllowed,
    NotFound,
    Refusal,
    by_status,
)
from runbooks.systems.providers.mail import Sending

URL = "https://api.mailgun.net"
"""The United States' region; the European one is ``https://api.eu.mailgun.net``, and each knows only its own."""


@dataclass(frozen=True)
class _Domain:
    name: str
    state: str
    type: str
    is_disabled: bool = False


@dataclass(frozen=True)
class _Answer:
    domain: _Domain


@dataclass(frozen=True)
class _Nothing:
    pass


class Mailgun:
    """See `MailProvider`. A domain's sending key can't read the domain: then ``admin_key`` does.

    Reading is refused to it as to a bad key. The two are told apart by a mail without sender, which Mailgun refuses for
    that, once it knows the key.
    """

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, admin_key: Secret | None = None) -> None:
        self._key = _api(http, key, patience)
        self._admin = _api(http, admin_key, patience) if admin_key else None

    def sending(self, domain: str) -> Sending:
        try:
            found = self._domain(domain)
        except NotFound:
            return Sending("no such domain", (f"{domain} is not among the domains of this region",))
        problems = []
        if found.state != "active" or found.is_disabled:
            problems.append(f"{domain} is {'disabled' if found.is_disabled else found.state}")
        if found.type == "sandbox":
            problems.append(f"{domain} is a sandbox: its mail reaches authorised recipients only")
        return Sending(f"{domain} is {found.state}, {found.type}", tuple(problems))

    def _domain(self, domain: str) -> _Domain:
        path = f"/v4/domains/{domain}"
        try:
            return self._key.get(path, _Answer).domain
        except KeyRefused as refused:
            if not self._may_send(domain):
                raise
            if self._admin is None:
                raise NotAllowed(
                    "Mailgun accepts the key, which may only send",
                    reason=NotAllowed.why,
                    where=refused.where,
                    found=refused.found,
                    mend="declare mail.admin_key, the account's",
                ) from None
            return self._admin.get(path, _Answer).domain

    def _may_send(self, domain: str) -> bool:
        try:
            self._key.post(f"/v3/{domain}/messages", _Nothing, {})
        except Incomplete:
            return True
        except KeyRefused:
            return False
        return True


def _api(http: HttpClient, key: Secret, patience: Patience) -> Api:
    credentials = base64.b64encode(f"api:{key.reveal()}".encode()).decode()
    return Api("Mailgun", http, {"authorization": f"Basic {credentials}"}, patience, read=_refusal)


def _refusal(answer: Answer) -> Refusal:
    return Refusal(Incomplete) if answer.status == 400 else by_status(answer)
