"""Asks one Redis server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import redis

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret

DEFAULT = "default"
"""The user of whoever gives a password and no name."""


class RedisServer:
    """A server by its URL; each question opens a connection of its own and closes it."""

    def __init__(self, url: Secret, *, seconds: float = 3.0, reach: str = "direct") -> None:
        self._url = url
        self._seconds = seconds
        self._reach = reach

    @property
    def url(self) -> str:
        """Its URL without user and password."""
        parts = urlsplit(self._url.reveal())
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def port(self) -> int:
        """The port in its URL, or the usual one."""
        return urlsplit(self._url.reveal()).port or 6379

    def __str__(self) -> str:
        parts = urlsplit(self._url.reveal())
        return f"{parts.hostname}:{parts.port or 6379}"

    def as_user_of(self, url: Secret) -> RedisServer:
        """The same server, as the user whom another URL names, with the password in it."""
        given = urlsplit(url.reveal()).netloc.rpartition("@")[0]
        place = urlsplit(self._url.reveal())
        changed = urlunsplit(place._replace(netloc=f"{given}@{place.netloc.rpartition('@')[2]}"))
        return RedisServer(Secret(url.name, changed), seconds=self._seconds, reach=self._reach)

    def answers_without_password(self) -> bool:
        """Whether it answers to somebody who gives no password.

        Raises:
            SystemFault: it can't be reached at all.
        """
        try:
            with self._connected(_without_password(self._url.reveal())) as server:
                return bool(server.ping())
        except SystemFault as fault:
            if fault.reason is Reason.UNAUTHORISED:
                return False
            raise

    def info(self, section: str) -> Mapping[str, Any]:
        """``INFO section``. Raises SystemFault if the server can't be asked."""
        with self._connected(self._url.reveal()) as server:
            return dict(server.info(section))

    def setting(self, name: str) -> str | None:
        """``CONFIG GET name``, or None where the command is refused, as managed servers do.

        Raises:
            SystemFault: the server can't be asked.
        """
        try:
            with self._connected(self._url.reveal()) as server:
                return str(server.config_get(name).get(name, ""))
        except SystemFault as fault:
            if fault.reason in (Reason.UNREACHABLE, Reason.TIMED_OUT):
                raise
            return None

    @property
    def user(self) -> str:
        """Whom its URL names; without a name it is the server's default user."""
        return unquote(urlsplit(self._url.reveal()).username or "") or DEFAULT

    def accepted(self) -> bool:
        """Whether it accepts the user and password in its URL, on a new connection.

        Raises:
            SystemFault: it can't be reached at all.
        """
        try:
            with self.connected() as server:
                server.echo("accepted")  # a server that can't save refuses a PING, whoever asks
        except SystemFault as fault:
            if fault.reason is Reason.UNAUTHORISED:
                return False
            raise
        return True

    def connected(self) -> AbstractContextManager[redis.Redis]:
        """A connection of its own for a block; what goes wrong in it is a SystemFault."""
        return self._connected(self._url.reveal())

    @contextlib.contextmanager
    def _connected(self, url: str) -> Iterator[redis.Redis]:
        try:
            server = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=self._seconds,
                socket_connect_timeout=self._seconds,
                retry=None,
            )
        except ValueError as error:
            raise InputError(
                "this is not a Redis URL", where=self._url.name, mend="redis://:password@host:port/0"
            ) from error
        try:
            with server:
                yield server
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
            raise self._fault("Redis refuses", Reason.UNAUTHORISED, error, "see the user and password") from error
        except redis.TimeoutError as error:
            raise self._fault("Redis did not answer in time", Reason.TIMED_OUT, error, "see its load") from error
        except redis.ConnectionError as error:
            mend = f"redis.reach is '{self._reach}'; it can also be 'runner' (inside its network) or 'proxy'"
            raise self._fault("Redis can't be reached", Reason.UNREACHABLE, error, mend) from error
        except redis.ResponseError as error:
            refused = "NOAUTH" in str(error) or "WRONGPASS" in str(error)
            reason = Reason.UNAUTHORISED if refused else Reason.FAILED
            raise self._fault("Redis refused a command", reason, error, "") from error
        except redis.RedisError as error:
            mend = "see whether something else answers at this address"
            raise self._fault("this is not Redis's protocol", Reason.BAD_ANSWER, error, mend) from error

    def _fault(self, what: str, reason: Reason, error: Exception, mend: str) -> SystemFault:
        return SystemFault(what, reason=reason, where=str(self), found=" ".join(str(error).split()), mend=mend)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
