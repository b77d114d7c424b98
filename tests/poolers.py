"""A real PgBouncer in front of a database, where one is installed (Debian's ``pgbouncer``)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from runbooks.engine.wait import until
from runbooks.sandbox import ports
from runbooks.sandbox.layout import SERVICE_USER
from tests.sandbox.servers import is_running_as_root

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
CONFIGURATION = """\
[databases]
{database} = {server} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = transaction
max_prepared_statements = 0
{more}
"""


def pgbouncer(folder: Path, url: str, port: int, *, server: str = "", more: str = "") -> list[str]:
    """The command of one that listens on the port.

    Args:
        folder: Where its configuration is written.
        url: Of the database, with user and password.
        server: Where that is, if not at the URL's host and port.
        more: Further lines of its configuration.
    """
    parts = urlsplit(url)
    users, file = folder / "users", folder / "pgbouncer.ini"
    users.write_text(f'"{parts.username}" "{parts.password}"\n')
    text = CONFIGURATION.format(
        database=parts.path[1:],
        server=server or f"host={parts.hostname} port={parts.port}",
        port=port,
        users=users,
        more=more,
    )
    version = subprocess.run([str(PGBOUNCER), "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, version.split()[1].split("."))) < (1, 21):  # before, there was no such setting
        text = text.replace("max_prepared_statements = 0\n", "")
    file.write_text(text)
    return [str(PGBOUNCER), "-q", str(file)]


@contextlib.contextmanager
def listening(command: list[str], port: int, variables: dict[str, str] | None = None) -> Iterator[None]:
    """A pooler runs and listens there. PgBouncer refuses to run as root."""
    user = SERVICE_USER if is_running_as_root() and command[0] == PGBOUNCER else None
    process = subprocess.Popen(command, env=os.environ | (variables or {}), user=user)

    def listens() -> bool:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1):
            return True

    try:
        until(listens, seconds=20, what="it does not listen", ignoring=(OSError,))
        yield
    finally:
        process.terminate()
        process.wait(10)


def through(url: str, port: int) -> str:
    """The same database's URL by way of the pooler."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@{ports.LOOPBACK}:{port}").geturl()
