"""Asks name servers; a missing record is an answer, and everything else that is none becomes a SystemFault."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runbooks.engine.errors import Reason, SystemFault

if TYPE_CHECKING:
    import dns.resolver

REMEMBERED = 60.0
"""Seconds for which an address is used without asking again."""
FAILURE_REMEMBERED = 5.0
"""Seconds for which a failed look-up is not repeated: whoever else needs the name would wait as long again."""


class DnsClient:
    """A resolver.

    Args:
        servers: Addresses and ports of the name servers to ask; none: this machine's own resolvers.
        seconds: Time limit of one question, over all servers and repetitions.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] = (), *, seconds: float = 3.0) -> None:
        self._servers = servers
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str | SystemFault]] = {}

    def __str__(self) -> str:
        return ", ".join(f"{address}:{port}" for address, port in self._servers) or "this machine's resolvers"

    def records(self, name: str, kind: str) -> tuple[str, ...]:
        """The name's records of one kind, as a zone's file writes them; empty if there are none.

        Aliases are followed.

        Raises:
            SystemFault: the servers did not answer in time, or could not answer.
        """
        return tuple(record.to_text() for record in self._ask(name, kind) or ())

    def texts(self, name: str) -> tuple[str, ...]:
        """The name's TXT records, each with its strings put together. Raises as `records`."""
        return tuple(b"".join(record.strings).decode(errors="replace") for record in self._ask(name, "TXT") or ())

    def addresses(self, name: str) -> tuple[str, ...]:
        """The name's IPv4 and IPv6 addresses. Raises as `records`."""
        return (*self.records(name, "A"), *self.records(name, "AAAA"))

    def alias(self, name: str) -> str:
        """The name that it leads to in the end; itself where it is no alias. Raises as `records`."""
        answer = self._ask(name, "A")
        return answer.canonical_name.to_text(omit_final_dot=True) if answer else name

    def address(self, name: str) -> str:
        """One address to connect to; remembered for a while, and so is that there was none.

        Raises:
            SystemFault: as `records`, or there is no such address.
        """
        with self._lock:
            until, known = self._known.get(name, (0.0, ""))
            if time.monotonic() > until:
                known = self._first_address(name)
                kept = FAILURE_REMEMBERED if isinstance(known, SystemFault) else REMEMBERED
                self._known[name] = (time.monotonic() + kept, known)
        if isinstance(known, SystemFault):
            raise SystemFault(known.what, reason=known.reason, where=known.where, found=known.found, mend=known.mend)
        return known

    def _first_address(self, name: str) -> str | SystemFault:
        try:
            found = self.records(name, "A") or self.records(name, "AAAA")
        except SystemFault as fault:
            return fault
        if found:
            return found[0]
        mend = "see the domain's records, and dns.servers"
        return SystemFault("the name has no address", reason=Reason.UNREACHABLE, where=self._where(name), mend=mend)

    def _ask(self, name: str, kind: str) -> dns.resolver.Answer | None:
        import dns.exception
        import dns.resolver

        try:
            return self._resolver().resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            return None
        except dns.resolver.NoResolverConfiguration as error:
            mend = "declare dns.servers in the inventory"
            raise self._fault("this machine has no resolver", Reason.UNREACHABLE, name, error, mend) from error
        except dns.exception.Timeout as error:
            mend = "see whether this machine may ask them"
            raise self._fault("the name servers did not answer in time", Reason.TIMED_OUT, name, error, mend) from error
        except dns.resolver.NoNameservers as error:
            mend = "see the domain's name servers"
            raise self._fault("the name servers could not answer", Reason.BAD_ANSWER, name, error, mend) from error
        except dns.exception.DNSException as error:
            raise self._fault("this name can't be asked for", Reason.FAILED, name, error, "") from error

    def _resolver(self) -> dns.resolver.Resolver:
        import dns.nameserver
        import dns.resolver

        resolver = dns.resolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers]
        resolver.lifetime = self._seconds
        resolver.timeout = min(self._seconds / 2, 2.0)
        return resolver

    def _where(self, name: str) -> str:
        return f"{name}, asked of {self}"

    def _fault(self, what: str, reason: Reason, name: str, error: Exception, mend: str) -> SystemFault:
        found = " ".join(str(error).split())
        return SystemFault(what, reason=reason, where=self._where(name), found=found, mend=mend)
