"""Users of a Redis server and their passwords. A user may have several; only SHA-256 hashes of them travel.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ is the reference.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.redis.client import RedisServer


class Place(enum.StrEnum):
    """Where a server keeps its users."""

    ACL_FILE = "its ACL file"
    CONFIGURATION = "its configuration file"
    MEMORY = "its memory only"


@dataclass(frozen=True)
class User:
    """A user as the server knows it; ``hashes``: of the passwords that it accepts."""

    name: str
    hashes: frozenset[str]
    any_password: bool

    def accepts(self, password: Secret) -> bool:
        return self.any_password or _hash(password) in self.hashes


def user(server: RedisServer, name: str) -> User:
    """The user of this name.

    Raises:
        SystemFault: there is none, or the server does not let us see it.
    """
    with server.connected() as connection:
        told: Any = connection.acl_getuser(name)  # the client's own type leaves open what each entry is
    if not told:
        raise SystemFault(f"there is no user {name}", reason=Reason.FAILED, where=str(server))
    return User(name, frozenset(told["passwords"]), "nopass" in told["flags"])


def accept(server: RedisServer, name: str, password: Secret) -> None:
    """Have the user accept this password, too. Raises SystemFault."""
    _command(server, "ACL SETUSER", name, f"#{_hash(password)}")


def refuse(server: RedisServer, name: str, password: Secret) -> None:
    """Have the user accept this password no more; connections that are open stay open. Raises SystemFault."""
    if user(server, name).accepts(password):
        _command(server, "ACL SETUSER", name, f"!{_hash(password)}")


def place(server: RedisServer) -> Place:
    """Where the server keeps its users; where it does not let us ask, only its memory is certain.

    Raises:
        SystemFault: it can't be asked at all.
    """
    if server.setting("aclfile"):
        return Place.ACL_FILE
    return Place.CONFIGURATION if server.info("server").get("config_file") else Place.MEMORY


def keep(server: RedisServer) -> Place:
    """Have the users outlive a restart of the server, if it has a file for them; which one.

    Raises:
        SystemFault: it has one, and could not write it.
    """
    where = place(server)
    command = {Place.ACL_FILE: "ACL SAVE", Place.CONFIGURATION: "CONFIG REWRITE"}.get(where)
    if command:
        _command(server, command)
    return where


def ages(server: RedisServer, name: str) -> list[timedelta]:
    """How long ago each connection of this user was opened, in whole seconds; the one that asks is not among them.

    Raises:
        SystemFault: the server does not let us see them.
    """
    with server.connected() as connection:
        listed, own = connection.client_list(), str(connection.client_id())
    return [timedelta(seconds=int(each["age"])) for each in listed if each["user"] == name and each["id"] != own]


def _command(server: RedisServer, *words: str) -> None:
    with server.connected() as connection:
        connection.execute_command(*words)  # type: ignore[no-untyped-call]


def _hash(password: Secret) -> str:
    return hashlib.sha256(password.reveal().encode()).hexdigest()
