"""The inbox port: wait for a mail to an address."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clock of whoever dated a mail may be behind ours."""


@dataclass(frozen=True)
class Mail:
    """One mail. ``body`` is its text and its HTML; it may hold a token, so it is never shown.

    Attributes:
        dated: When it was sent, by the sender's clock.
    """

    to: tuple[str, ...]
    subject: str
    body: str
    dated: datetime

    def __repr__(self) -> str:
        return f"<mail to {', '.join(self.to)}, {self.subject!r}>"


class Inbox(ABC):
    """Takes all mail to the domain of throw-away users."""

    pause: float
    """Seconds between two looks."""

    def wait_for(self, address: str, *, after: datetime, seconds: float, wanted: Callable[[Mail], bool]) -> Mail | None:
        """The first mail to this address that is wanted, as soon as it is there; None if none came in time.

        Args:
            address: The whole address; the user's alone.
            after: Mail from before (give or take five minutes: clocks differ) is not looked at.
            seconds: How long to wait. It is always looked at least once.
            wanted: Tells it from other mail to the same address.

        Raises:
            SystemFault: the inbox can't be looked at.
        """
        deadline = time.monotonic() + seconds
        while True:
            for mail in self.mails(address, after - CLOCKS_DIFFER):
                if wanted(mail):
                    return mail
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(self.pause, left))

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Close what is kept open between two looks."""

    @abstractmethod
    def mails(self, address: str, since: datetime) -> Iterable[Mail]:
        """The mails to this address since then, oldest first.

        Raises:
            SystemFault: the inbox can't be looked at.
        """
