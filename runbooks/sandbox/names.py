"""The names under which the sandbox is reached; its own name server knows them, its own authority vouches for them."""

from __future__ import annotations

from collections.abc import Mapping

from runbooks.sandbox import ports

DOMAIN = "praviel.test"
"""No name that ends in ``.test`` exists outside."""

API = {"local": f"api.{DOMAIN}", "local-staging": f"api-staging.{DOMAIN}"}
"""Each environment's application."""

FRONTEND = f"app.{DOMAIN}"
"""The public site."""

ALL = (*API.values(), FRONTEND)


def api_url(environment: str, numbers: Mapping[str, int]) -> str:
    """The address that the public knows the environment's application by."""
    return f"https://{API[environment]}:{numbers[ports.PROXY]}"


def plain_url(environment: str, numbers: Mapping[str, int]) -> str:
    """The same application's address without TLS."""
    return f"http://{API[environment]}:{numbers[ports.PROXY_PLAIN]}"


def frontend_url(numbers: Mapping[str, int]) -> str:
    """The public site's address."""
    return f"https://{FRONTEND}:{numbers[ports.PROXY]}"
