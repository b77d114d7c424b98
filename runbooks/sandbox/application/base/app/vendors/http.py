"""One HTTP client for all vendors, made on first use: its certificates cost a start-up 50 ms."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx


class VendorError(Exception):
    """A vendor refused, failed or answered with something else than promised.

    Args:
        note: Short code for the answer's meta, such as ``openai_401``.
        status: The vendor's HTTP status, if it gave one.
    """

    def __init__(self, note: str, status: int | None = None) -> None:
        super().__init__(note)
        self.note = note
        self.status = status


@cache
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=httpx.Timeout(20, connect=5))


async def close() -> None:
    if client.cache_info().currsize:
        await client().aclose()
        client.cache_clear()


async def post(vendor: str, url: str, headers: dict[str, str], body: dict[str, Any]) -> httpx.Response:
    """POST, and every way to fail as a VendorError."""
    try:
        answer = await client().post(url, headers=headers, json=body)
    except httpx.TimeoutException as error:
        raise VendorError(f"{vendor}_timeout") from error
    except httpx.HTTPError as error:
        raise VendorError(f"{vendor}_network") from error
    if answer.status_code != 200:
        raise VendorError(f"{vendor}_{answer.status_code}", answer.status_code)
    return answer


async def models(url: str, headers: dict[str, str]) -> tuple[int | None, str | None]:
    """The status of a models list, and what is wrong with it, if anything."""
    try:
        answer = await client().get(url, headers=headers)
    except httpx.HTTPError as error:
        return None, type(error).__name__
    if answer.status_code != 200:
        return answer.status_code, f"HTTP {answer.status_code}"
    return answer.status_code, None
