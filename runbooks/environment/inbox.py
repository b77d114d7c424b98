"""Where mail to throw-away users can be read."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.environment.problem import Problem
from runbooks.environment.value import Value

LONGEST_WAIT = 120.0
"""Seconds. A check that waits for a mail must end before its step does."""


class InboxKind(enum.StrEnum):
    """How the inbox is read: from the providers' stand-in over HTTP, or from a mail server."""

    STAND_IN = "stand-in"
    IMAP = "imap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """The inbox that takes all mail to `application.test_email_domain`.

    Attributes:
        kind: How it is read.
        url: Of a stand-in: its address.
        host: Of a mail server: its name.
        port: Of a mail server.
        starttls: Of a mail server: TLS begins after a greeting in clear (port 143) rather than at once (port 993).
        ca_file: Of a mail server: PEM file of the authority that signed its certificate.
        user: Of a mail server: the login's name.
        password: Of a mail server.
        folder: Of a mail server: the folder that is read.
        wait_seconds: How long a check waits for a mail before it says that none came.
        delivery_budget_seconds: The longest acceptable time from the request to the mail.
    """

    kind: InboxKind
    url: Value | None = None
    host: str | None = None
    port: int = 993
    starttls: bool = False
    ca_file: Path | None = None
    user: Value | None = None
    password: Value | None = None
    folder: str = "INBOX"
    wait_seconds: float = 60.0
    delivery_budget_seconds: float = 30.0


NEEDS = {InboxKind.STAND_IN: {"url"}, InboxKind.IMAP: {"host", "user", "password"}}


def problems(inbox: Inbox) -> Iterator[Problem]:
    """Values that this table can't have, and keys that contradict its kind."""
    for key in ("url", "host", "user", "password"):
        given, needed = getattr(inbox, key) is not None, key in NEEDS[inbox.kind]
        if needed and not given:
            what = f"missing key 'inbox.{key}' for kind = \"{inbox.kind}\""
            yield Problem(("inbox", key), what, mend=f"add '{key}' to [inbox]")
        elif given and not needed:
            yield Problem(("inbox", key), f"'inbox.{key}' has no use with kind = \"{inbox.kind}\"", mend="remove it")
    if not 0 < inbox.port < 65536:
        yield Problem(("inbox", "port"), "'inbox.port' must be from 1 to 65535", found=f"the number {inbox.port}")
    budget, wait = inbox.delivery_budget_seconds, inbox.wait_seconds
    if not (math.isfinite(wait) and 0 < budget <= wait <= LONGEST_WAIT):
        yield Problem(
            ("inbox", "delivery_budget_seconds"),
            f"'inbox.delivery_budget_seconds' must be within 'inbox.wait_seconds', and that within {LONGEST_WAIT:g}",
            found=f"{budget:g} and {wait:g}",
            mend="a mail that is later than the budget can only be told if it is waited for",
        )
