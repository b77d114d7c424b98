"""What an environment declares of its edge: names, the site that uses the application, and networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.mail import Mail
from runbooks.environment.problem import Problem, dotted
from runbooks.environment.value import Value
from runbooks.systems.dns.address import server_address

LABELS = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,250}[A-Za-z0-9_])?\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """Who is asked for names.

    Attributes:
        servers: Name servers as ``ADDRESS`` or ``ADDRESS:PORT``; none: this machine's own resolvers. Where there are
            some, requests to the application and its frontends go to the addresses that they give.
    """

    servers: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The name that the public knows the application by.

    Attributes:
        points_to: Addresses or names of what serves it: the name must lead to these and nowhere else.
        plain_url: Where plain http is answered, with a redirect; None: port 80 of the application's name.
    """

    points_to: tuple[str, ...] = ()
    plain_url: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """The sites whose pages call the application.

    Attributes:
        origins: Their origins, each of which must be let in; None: the one of FRONTEND_URL.
        foreign_origins: Origins that must not be let in.
    """

    origins: tuple[Value, ...] | None = None
    foreign_origins: tuple[str, ...] = ("https://foreign.example",)


def problems(dns: Dns, domain: Domain, frontend: Frontend, mail: Mail) -> Iterator[Problem]:
    """Values that these tables can't have."""
    for server in dns.servers:
        if isinstance(server, str) and server_address(server) is None:
            found = repr(server[:60])
            mend = "write for example 9.9.9.9 or 127.0.0.1:5353"
            yield Problem(("dns", "servers"), "'dns.servers' must be addresses, with a port or not", found, mend)
    yield from _names(("domain", "points_to"), domain.points_to)
    yield from _names(("mail", "dkim_selectors"), mail.dkim_selectors)
    yield from _names(("mail", "return_path"), (mail.return_path,) if mail.return_path else ())
    yield from _origins(("frontend", "origins"), frontend.origins or ())
    yield from _origins(("frontend", "foreign_origins"), frontend.foreign_origins)


def network_problems(table: str, networks: Sequence[str]) -> Iterator[Problem]:
    """Texts that are no network."""
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            what = f"'{table}.networks' must be networks"
            yield Problem((table, "networks"), what, str(error), "write for example 10.0.0.0/8 or fd00::/8")


def _names(path: KeyPath, names: Sequence[str]) -> Iterator[Problem]:
    mend = "write them without a scheme or port"
    for name in names:
        if not LABELS.fullmatch(name) and not _is_address(name):
            yield Problem(path, f"'{dotted(path)}' must be names", repr(name[:60]), mend)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _origins(path: KeyPath, origins: Sequence[Value]) -> Iterator[Problem]:
    for origin in origins:
        if isinstance(origin, str) and not _is_origin(origin):
            mend = "write scheme and host, and a port if it is not the usual one: https://app.example.org"
            yield Problem(path, f"'{dotted(path)}' must be origins, as a browser sends them", repr(origin[:60]), mend)


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
