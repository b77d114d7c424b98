"""What arrives outside the application and can be looked at: mail to throw-away users, requests at a stand-in."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from runbooks.engine.errors import Reason, SystemFault
from runbooks.environment.site import Site
from runbooks.systems.http.client import HttpClient

if TYPE_CHECKING:
    from runbooks.systems.mail.inbox import Inbox


class Arrivals:
    """Looks where the inventory says; nothing is asked before.

    Args:
        site: Gives what the inventory's keys refer to.
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    @cached_property
    def inbox(self) -> Inbox:
        """Where mail to throw-away users can be read.

        Raises:
            SystemFault: the inventory declares none.
            InputError: a value is missing in its source.
        """
        declared = self._site.environment.inbox
        if declared is None:
            raise SystemFault(
                "no inbox is declared, so no mail can be read",
                reason=Reason.UNAUTHORISED,
                mend="declare [inbox]: the mailbox that takes all mail to application.test_email_domain",
            )
        if declared.url is not None:
            from runbooks.systems.mail.stand_in import StandInInbox

            return StandInInbox(HttpClient(self._site.value(declared.url, "inbox.url").reveal()))
        from runbooks.systems.mail.imap import ImapInbox

        assert declared.host is not None
        assert declared.user is not None
        assert declared.password is not None  # the inventory's rules hold these
        return ImapInbox(
            declared.host,
            declared.port,
            user=self._site.value(declared.user, "inbox.user"),
            password=self._site.value(declared.password, "inbox.password"),
            folder=declared.folder,
            starttls=declared.starttls,
            ca_file=declared.ca_file,
            seconds=self._site.environment.checks.timeout_seconds,
        )

    @cached_property
    def witness(self) -> HttpClient | None:
        """A stand-in for the providers that tells whether a value reached it; None where the providers are real."""
        url = self._site.environment.application.provider_witness
        if url is None:
            return None
        return HttpClient(self._site.value(url, "application.provider_witness").reveal())

    def close(self) -> None:
        """Close the connections that were opened."""
        for name in ("inbox", "witness"):
            if self.__dict__.get(name) is not None:
                self.__dict__[name].close()
