"""A real bucket behind a server that misbehaves."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from runbooks.systems.store.s3 import Bucket
from tests import servers
from tests.servers import LOOPBACK, Reply, Request

Misbehaving = Callable[[Request], Reply | None]
"""What is answered instead of what the store would say; None: the store is asked."""


@contextlib.contextmanager
def behind(bucket: Bucket, misbehaving: Misbehaving) -> Iterator[Bucket]:
    """The same bucket at another endpoint."""
    there = urlsplit(bucket.endpoint or "")

    def answer(request: Request) -> Reply | None:
        said = misbehaving(request)
        if said is not None:
            return said
        connection = http.client.HTTPConnection(there.hostname or LOOPBACK, there.port, timeout=30)
        try:
            # The host that was asked for is part of the signature.
            connection.request(request.command, request.path, request.body, dict(request.headers))
            found = connection.getresponse()
            body = found.read()
        finally:
            connection.close()
        if request.command == "HEAD":
            head(request, found)
            return None
        kept = {name: value for name, value in found.getheaders() if name.lower() not in _OF_THE_HOP}
        return Reply(found.status, body, kept)

    with servers.http(answer) as port:
        yield dataclasses.replace(bucket, endpoint=f"http://{LOOPBACK}:{port}")


_OF_THE_HOP = {"content-length", "transfer-encoding", "connection", "date", "server"}


def head(request: Request, found: http.client.HTTPResponse) -> None:
    """Its length is the object's, not the answer's."""
    request.send_response(found.status)
    for name, value in found.getheaders():
        if name.lower() not in _OF_THE_HOP - {"content-length"}:
            request.send_header(name, value)
    request.end_headers()


def refusal(code: str, status: int = 403) -> Reply:
    """An error as S3 tells it."""
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code} it is</Message></Error>'
    return Reply(status, text.encode(), {"content-type": "application/xml"})


def is_part(request: Request) -> bool:
    """Whether it uploads a part of a large object."""
    return request.command == "PUT" and "partNumber=" in request.path


def cut(request: Request) -> Reply | None:
    """End the connection without an answer."""
    request.close_connection = True
    request.connection.close()
    raise ConnectionAbortedError
