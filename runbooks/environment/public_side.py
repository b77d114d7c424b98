"""An environment as the public meets it: its names, the addresses behind them, the sites that use the application."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from urllib.parse import urlsplit

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.model import Environment
from runbooks.environment.value import Value
from runbooks.systems.dns.address import server_address
from runbooks.systems.dns.client import DnsClient
from runbooks.systems.http.client import HttpClient

DEFAULT_FRONTEND = "https://app.praviel.com"
"""What the application takes for FRONTEND_URL when it is not set."""


class PublicSide:
    """What is asked from outside, by the declared name servers and authority.

    Args:
        environment: What is declared.
        resolve: Turns a key's value, or the name of one, into the value.
        variable: Gives a variable of the application.
    """

    def __init__(
        self,
        environment: Environment,
        resolve: Callable[[Value, str], Secret],
        variable: Callable[[str], str | None],
    ) -> None:
        self._environment = environment
        self._resolve = resolve
        self._variable = variable

    def web(self, url: str) -> HttpClient:
        """A server of the environment's public side, by the declared name servers and authority."""
        return HttpClient(
            url,
            ca_file=self._environment.application.ca_file,
            seconds=self._environment.checks.timeout_seconds / 2,
            resolve=self.names.address if self._environment.dns.servers else None,
        )

    @cached_property
    def url(self) -> str:
        """The application's public address."""
        return self._resolve(self._environment.application.url, "application.url").reveal()

    @property
    def host(self) -> str:
        """The name, or address, in the application's public address."""
        return urlsplit(self.url).hostname or ""

    def plain_application(self) -> HttpClient:
        """Where the application's name is answered without TLS."""
        declared = self._environment.domain.plain_url
        return self.web(self._resolve(declared, "domain.plain_url").reveal() if declared else f"http://{self.host}")

    @property
    def frontend_url(self) -> str:
        """The address of the public site, as the application writes it into mails."""
        return (self._variable("FRONTEND_URL") or DEFAULT_FRONTEND).rstrip("/")

    @property
    def frontend_origins(self) -> tuple[str, ...]:
        """The origins of the sites whose pages call the application."""
        declared = self._environment.frontend.origins
        if declared is not None:
            return tuple(self._resolve(origin, "frontend.origins").reveal() for origin in declared)
        parts = urlsplit(self.frontend_url)
        return (f"{parts.scheme}://{parts.netloc}",)

    @cached_property
    def names(self) -> DnsClient:
        """The declared name servers, or this machine's resolvers."""
        given = [self._resolve(server, "dns.servers").reveal() for server in self._environment.dns.servers]
        return DnsClient([_name_server(text) for text in given])


def _name_server(text: str) -> tuple[str, int]:
    found = server_address(text)
    if found is None:
        mend = "write for example 9.9.9.9 or 127.0.0.1:5353"
        raise InputError("'dns.servers' must be addresses, with a port or not", found=repr(text[:60]), mend=mend)
    return found
