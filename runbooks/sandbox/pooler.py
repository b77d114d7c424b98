"""A pooler in front of the sandbox's PostgreSQL, which hands connections out per transaction; only a fault starts it.

It has the manners of PgBouncer's transaction mode that break applications: a transaction gets the server connection
that was given back last, prepared statements and settings stay behind on it, and startup parameters that can't be kept
apart are refused. tests/sandbox/test_pooler.py holds it and a real PgBouncer to the same. Wire protocol:
https://www.postgresql.org/docs/18/protocol.html
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from runbooks.sandbox import environments, ports
from runbooks.sandbox.files import read_state
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import INTERPRETER, Program

NAME = "pooler"
"""The program's name, its port's, and the entry of the sandbox's state that says whether it runs."""
SERVER = "POOLER_SERVER"
"""The variable that holds the URL of the database behind it."""

PROTOCOL_3 = 3
CANCEL, TLS, GSS = 80877102, 80877103, 80877104
KEPT_APART = {
    "user",
    "database",
    "application_name",
    "client_encoding",
    "datestyle",
    "timezone",
    "standard_conforming_strings",
}
"""Startup parameters that a client may send: PgBouncer tracks these, and refuses others."""
REPORTED = (b"server_version", b"server_encoding", b"client_encoding", b"DateStyle", b"TimeZone", b"integer_datetimes")
ENDS_A_MESSAGE = (b"Q", b"S", b"F")
"""What a client sends when it waits for the server to be ready: a query, a sync, a function call."""


def programs(layout: Layout, numbers: Mapping[str, int]) -> Sequence[Program]:
    """What is to be run: nothing, unless a fault has put it in front of an environment's database."""
    environment = read_state(layout).get(NAME)
    if not environment:
        return ()
    argv = [str(INTERPRETER), "-m", "runbooks.sandbox.pooler", str(port(layout))]
    variables = {SERVER: environments.database_url(layout, environment, numbers)}
    return (Program(name=NAME, argv=argv, environment=variables, directory=layout.root, priority=15),)


def port(layout: Layout) -> int:
    """Where it listens; chosen on first use."""
    return ports.ensure(layout, [NAME])[NAME]


@dataclass
class Backend:
    """A connection to the server. ``session`` is only held so that it stays open."""

    session: psycopg.Connection
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass
class Pooler:
    """Shares connections to one database; a client's user and database are not looked at."""

    url: str
    idle: list[Backend] = field(default_factory=list)

    async def take(self) -> Backend:
        """The connection that was given back last, or a new one."""
        if self.idle:
            return self.idle.pop()
        session = await asyncio.to_thread(self._log_in)
        # libpq has logged in; from here on both sides speak over a second handle of its socket.
        reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(session.pgconn.socket)))
        return Backend(session, reader, writer)

    def _log_in(self) -> psycopg.Connection:
        return psycopg.connect(self.url, sslmode="disable")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first byte to its last."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            if await self._admitted(reader, writer):
                await Client(self, reader, writer).serve()

    async def _admitted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        parameters = await _startup(reader, writer)
        if parameters is None:
            return False
        strange = sorted(parameters.keys() - KEPT_APART)
        if strange:
            writer.write(_error("08P01", f"unsupported startup parameter: {strange[0]}"))
            return False
        writer.write(_message(b"R", struct.pack("!i", 3)))
        kind, given = await _read(reader)
        backend = await self.take()
        known = backend.session.info.password.encode()
        self.idle.append(backend)
        if kind != b"p" or not hmac.compare_digest(given.rstrip(b"\0"), known):
            writer.write(_error("28P01", "password authentication failed"))
            return False
        writer.write(_message(b"R", struct.pack("!i", 0)))
        for name in REPORTED:
            value = backend.session.pgconn.parameter_status(name)
            writer.write(_message(b"S", name + b"\0" + (value or b"") + b"\0"))
        writer.write(_message(b"K", struct.pack("!ii", 0, 0)) + _message(b"Z", b"I"))
        return True


@dataclass
class Client:
    """A client that was let in; it holds a server connection from the first message of a transaction to its end."""

    pooler: Pooler
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    held: Backend | None = None
    awaited: int = 0
    """How often the server has still to say that it is ready."""
    answering: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        try:
            while (message := await _read(self.reader))[0] != b"X":
                await self._pass_on(*message)
        finally:
            if self.answering:
                self.answering.cancel()
            if self.held:  # in the middle of a transaction: nobody else may have it
                self.held.session.close()

    async def _pass_on(self, kind: bytes, body: bytes) -> None:
        if self.held is None:
            self.held = await self.pooler.take()
            self.answering = asyncio.create_task(self._answer(self.held))
        self.awaited += kind in ENDS_A_MESSAGE
        self.held.writer.write(_message(kind, body))
        await self.held.writer.drain()

    async def _answer(self, backend: Backend) -> None:
        """Pass on what the server says, until its transaction is over and it was asked nothing more."""
        while True:
            kind, body = await _read(backend.reader)
            if kind == b"Z":
                self.awaited -= 1
                if body == b"I" and not self.awaited:
                    self.pooler.idle.append(backend)
                    self.held = None
            self.writer.write(_message(kind, body))
            await self.writer.drain()
            if self.held is not backend:
                return


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, str] | None:
    """What the client says of itself; None if it wants something else than a session."""
    while True:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        body = await reader.readexactly(length - 8)
        if code in (TLS, GSS):
            writer.write(b"N")
        elif code >> 16 == PROTOCOL_3:
            words = [word.decode() for word in body.split(b"\0")[:-2]]
            return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}
        else:
            return None


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _error(code: str, text: str) -> bytes:
    fields = {"S": "FATAL", "C": code, "M": text}
    return _message(b"E", b"".join(f"{name}{value}".encode() + b"\0" for name, value in fields.items()) + b"\0")


async def main(number: int, url: str) -> None:
    """Listen until the process is ended."""
    server = await asyncio.start_server(Pooler(url).serve, ports.LOOPBACK, number)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), os.environ[SERVER]))
