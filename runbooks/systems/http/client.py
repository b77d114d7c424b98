"""Asks one HTTP server; every way in which it can fail to answer becomes a SystemFault with its reason."""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from runbooks.engine.errors import InputError, Reason, SystemFault

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes. No answer that a check reads is larger; one that is would fill the memory of the machine that asks."""


@dataclass(frozen=True)
class Answer:
    """What a server said. ``seconds`` is from sending the request to the body's last byte."""

    method: str
    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            SystemFault: it is something else, HTML for example.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            kind = self.headers.get("content-type", "no content type")
            raise SystemFault(
                "the answer is not JSON",
                reason=Reason.BAD_ANSWER,
                where=f"{self.method} {self.url}",
                found=f"HTTP {self.status}, {kind}, begins {self.beginning()}",
                mend="see whether something else answers at this address: a proxy, a login page, another application",
            ) from error

    def object(self) -> Mapping[str, Any]:
        """The body as a JSON object.

        Raises:
            SystemFault: it is something else.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise SystemFault(
                "the answer is not a JSON object",
                reason=Reason.BAD_ANSWER,
                where=f"{self.method} {self.url}",
                found=f"HTTP {self.status}, begins {self.beginning()}",
            )
        return value

    def beginning(self) -> str:
        """The first characters of the body, on one line."""
        text = self.body[:120].decode(errors="replace")
        return repr(" ".join(text.split()))


class HttpClient:
    """A client for one server.

    Args:
        base_url: Where the server answers; paths are appended.
        ca_file: A PEM file with the authority to trust instead of the usual ones.
        seconds: Time limit of one request, from connecting to the last byte.
        resolve: Gives the address to connect to for the server's name, asked at each request. The certificate must
            still be the name's, and the server is told the name. None: as this machine resolves it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: Path | None = None,
        seconds: float = 5.0,
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.seconds = seconds
        try:
            self._url = httpx.URL(self.base_url)
            self._resolve = None if resolve is None or _is_address(self._url.host) else resolve
            self._client = httpx.Client(
                verify=_trust(ca_file) if self.base_url.startswith("https") else False,
                timeout=seconds,
                trust_env=False,
                # Nothing compressed: a small answer could otherwise unfold into a very large one.
                headers={"user-agent": "praviel-runbooks", "accept-encoding": "identity"},
            )
        except httpx.InvalidURL as error:
            raise InputError(
                "the server's address is not a URL", found=str(error), mend="http://HOST:PORT or https://HOST"
            ) from error

    def __str__(self) -> str:
        return self.base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept for the next request."""
        self._client.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.request("POST", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        largest: int = LARGEST_BODY,
    ) -> Answer:
        """One request without redirects followed and without cookies kept.

        Raises:
            SystemFault: no answer, not in time, not trusted, or over ``largest`` bytes; the name has no address. A
                status of 400 or more is an answer.
        """
        limit = seconds or self.seconds
        began = time.monotonic()
        url = f"{self.base_url}{path}"
        try:
            server, given, extensions = self._destination()
            given = {**given, **(headers or {})}
            asked = {"json": json, "content": content, "headers": given, "timeout": limit, "extensions": extensions}
            with self._client.stream(method, f"{server}{path}", **asked) as answer:
                body = _read(answer, began + limit, f"{method} {url}", largest)
            self._client.cookies.clear()
        except httpx.TimeoutException as error:
            raise _fault("no answer in time", Reason.TIMED_OUT, method, url, f"waited {limit:g} s") from error
        except httpx.TransportError as error:
            raise _transport_fault(error, method, url) from error
        except httpx.DecodingError as error:
            raise _fault("the answer can't be unpacked", Reason.BAD_ANSWER, method, url, str(error)) from error
        except httpx.InvalidURL as error:
            raise InputError("this is not a URL", where=url, found=str(error)) from error
        return Answer(method, url, answer.status_code, answer.headers, body, time.monotonic() - began)

    def _destination(self) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Where to connect to, and what tells the server and its certificate's examiner the name all the same."""
        if self._resolve is None:
            return self.base_url, {}, {}
        address = self._url.copy_with(host=self._resolve(self._url.host))
        return str(address).rstrip("/"), {"host": self._url.netloc.decode()}, {"sni_hostname": self._url.host}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise InputError("the authority's certificate can't be read", where=str(ca_file), found=str(error)) from error


def _read(answer: httpx.Response, deadline: float, request: str, largest: int) -> bytes:
    chunks = bytearray()
    for chunk in answer.iter_bytes():
        chunks += chunk
        if len(chunks) > largest:
            raise SystemFault(
                "the answer is far larger than any that was promised",
                reason=Reason.BAD_ANSWER,
                where=request,
                found=f"more than {largest // 1024**2} MiB",
            )
        if time.monotonic() > deadline:
            raise SystemFault("the answer did not end in time", reason=Reason.TIMED_OUT, where=request)
    return bytes(chunks)


def _transport_fault(error: httpx.TransportError, method: str, url: str) -> SystemFault:
    text = str(error)
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
        mend = "see application.ca_file, and the certificate's name and dates"
        return _fault("the connection can't be trusted", Reason.UNREACHABLE, method, url, text, mend)
    mend = "see whether it runs, and whether this machine may reach it"
    return _fault("the server can't be reached", Reason.UNREACHABLE, method, url, text, mend)


def _fault(what: str, reason: Reason, method: str, url: str, found: str, mend: str = "") -> SystemFault:
    return SystemFault(what, reason=reason, where=f"{method} {url}", found=found, mend=mend)
