"""How Mailgun stands to our mail.

https://documentation.mailgun.com/docs/mailgun/api-reference
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import Api, KeyRefused, NotAllowed, NotFound, by_status
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


class Mailgun:
    """See `MailProvider`. A domain's sending key can't read the domain, and is then not told from a bad one."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, admin_key: Secret | None = None) -> None:
        self._key = _api(http, key, patience)
        self._admin = _api(http, admin_key, patience) if admin_key else None

    def sending(self, domain: str) -> Sending:
        try:
            found = self._key.get(f"/v4/domains/{domain}", _Answer).domain
        except NotFound:
            return Sending("no such domain", (f"{domain} is not among the domains of this region",))
        except KeyRefused as refused:
            if self._admin is None:
                raise
            self._admin.get(f"/v4/domains/{domain}", _Answer)
            raise NotAllowed(
                "Mailgun shows the domain to the administrator's key and not to the application's",
                reason=NotAllowed.why,
                where=refused.where,
                found=refused.found,
                mend="a domain's sending key is answered so, and a bad one too: see which it is, in the dashboard",
            ) from None
        problems = []
        if found.state != "active" or found.is_disabled:
            problems.append(f"{domain} is {'disabled' if found.is_disabled else found.state}")
        if found.type == "sandbox":
            problems.append(f"{domain} is a sandbox: its mail reaches authorised recipients only")
        return Sending(f"{domain} is {found.state}, {found.type}", tuple(problems))


def _api(http: HttpClient, key: Secret, patience: Patience) -> Api:
    credentials = base64.b64encode(f"api:{key.reveal()}".encode()).decode()
    return Api("Mailgun", http, {"authorization": f"Basic {credentials}"}, patience, read=by_status)
