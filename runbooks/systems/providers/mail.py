"""What a check asks of a provider of mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Sending:
    """Whether mail from a domain would go out to anybody.

    Attributes:
        seen: What the provider says, in a few words.
        problems: What keeps mail from going out; empty if nothing does.
    """

    seen: str
    problems: tuple[str, ...] = ()


class MailProvider(Protocol):
    """Asked with the application's credentials, and an administrator's where those may only send."""

    def sending(self, domain: str) -> Sending:
        """How the provider stands to mail from this domain.

        Raises:
            KeyRefused: it does not know the application's key.
            NotAllowed: the keys that we have may not read its domains.
            SystemFault: anything else.
        """
        ...
