"""A name server's address as it is written in an inventory."""

from __future__ import annotations

import ipaddress

USUAL_PORT = 53


def server_address(text: str) -> tuple[str, int] | None:
    """Address and port of ``9.9.9.9``, ``127.0.0.1:5353``, ``2620:fe::fe`` or ``[::1]:5353``; None: it is neither."""
    host, port = text, str(USUAL_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return None
    return (address, int(port)) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else None
