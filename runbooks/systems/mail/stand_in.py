"""The inbox of the providers' stand-in: what it was given to send, it tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import HttpClient
from runbooks.systems.mail.inbox import Inbox, Mail


class StandInInbox(Inbox):
    """``GET /inbox/mails?to=ADDRESS`` of a stand-in.

    Args:
        client: Where the stand-in answers.
    """

    pause = 0.02

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def __str__(self) -> str:
        return str(self._client)

    def close(self) -> None:
        self._client.close()

    def mails(self, address: str, since: datetime) -> Iterable[Mail]:
        answer = self._client.get(f"/inbox/mails?to={quote(address)}")
        try:
            found = [_mail(entry) for entry in answer.object()["mails"]]
        except (KeyError, TypeError, ValueError) as error:
            raise SystemFault(
                "the stand-in's inbox does not answer as it should",
                reason=Reason.BAD_ANSWER,
                where=f"{answer.method} {answer.url}",
                found=f"HTTP {answer.status}, {type(error).__name__}",
                mend="see [inbox] in the inventory",
            ) from error
        return [mail for mail in found if mail.dated >= since]


def _mail(entry: dict[str, Any]) -> Mail:
    body = "\n".join(part for part in (entry.get("text"), entry.get("html")) if part)
    dated = datetime.fromisoformat(entry["created_at"])
    return Mail(tuple(entry["to"]), entry["subject"], body, dated)
