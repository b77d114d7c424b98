"""The sandbox's PostgreSQL: initialised once, run by our process manager, reached with a password only."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox.files import kept_password, locked, private_folder, read_state, service_user, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import kill_below
from runbooks.sandbox.ports import LOOPBACK
from runbooks.sandbox.postgres_install import environment, install, install_folder, major_version
from runbooks.sandbox.program import Program
from runbooks.systems.postgres.unprivileged import run

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "max_parallel_workers": "2",
    "io_method": "sync",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}
"""For a small machine; stated on the command line, so that ``ALTER SYSTEM`` can't make the server reachable."""
STATE = "postgres-settings"
"""The entry of the sandbox's state that holds what an operator has set otherwise, by setting."""


def prepare(layout: Layout, port: int) -> Program:
    """Unpack PostgreSQL and make its data folder, each once; what is to be run. Safe to repeat.

    Raises:
        InputError: the data is of another major version.
        SystemFault: a system library is missing, or a program of PostgreSQL failed.
    """
    with locked(layout.postgres / "lock", seconds=120):
        tree = install(layout)
        _initialise(layout, tree)
        _drop_stale_pid_file(layout)
    return Program(
        name="postgres",
        argv=command(layout, port),
        environment=environment(tree),
        directory=Path("/"),
        user=service_user(),
        stop_signal=signal.SIGINT,
        stop_seconds=20,
        priority=10,
    )


def command(layout: Layout, port: int) -> list[str]:
    """The server's command line."""
    argv = [
        str(install_folder(layout) / "bin" / "postgres"),
        "-D",
        str(layout.postgres_data),
        "-p",
        str(port),
    ]
    for name, value in (SETTINGS | read_state(layout).get(STATE, {})).items():
        argv += ["-c", f"{name}={value}"]
    return argv


def password(layout: Layout) -> Secret:
    """The superuser's password; made on first use."""
    return kept_password(layout.postgres_password, "postgres superuser")


def connect(layout: Layout, port: int, database: str = "postgres") -> psycopg.Connection:
    """A connection as superuser, in autocommit. Raises psycopg.OperationalError."""
    import psycopg

    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        user=SUPERUSER,
        password=password(layout).reveal(),
        dbname=database,
        connect_timeout=5,
        sslmode="disable",
        application_name="sandbox",
        autocommit=True,
    )


def ready(layout: Layout, port: int, *, seconds: float = 20) -> None:
    """Return once it answers a SELECT.

    Raises:
        SystemFault: TIMED_OUT, with what it said last.
    """
    import psycopg

    def answers() -> bool:
        with connect(layout, port) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    until(answers, seconds=seconds, what="PostgreSQL did not answer", ignoring=(psycopg.OperationalError,))


def create_database(layout: Layout, port: int, *, name: str, role: str, password: Secret) -> None:
    """Have a database that the role owns, with the extensions that PRAVIEL needs, closed to other roles.

    The role can log in and is no superuser. Safe to repeat; the role's password is set each time.
    """
    from psycopg import sql

    with connect(layout, port) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        verb = sql.SQL("ALTER ROLE {} {}" if known else "CREATE ROLE {} {}")
        # Hashed here: a password in a statement is kept by the server's log and by pg_stat_statements.
        verifier = connection.pgconn.encrypt_password(
            password.reveal().encode(), role.encode(), b"scram-sha-256"
        ).decode()
        rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(verifier)
        connection.execute(verb.format(sql.Identifier(role), rights))
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not there:
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(role)))
        close = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
        connection.execute(close.format(sql.Identifier(name)))
    with connect(layout, port, name) as connection:
        for extension in ("vector", "pg_trgm", "pg_stat_statements"):
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")


def _initialise(layout: Layout, tree: Path) -> None:
    """Make the data folder beside its place and rename it there, so that a half one is never taken for one."""
    if layout.postgres_data.exists():
        _check_version(layout, tree)
        return
    user = service_user()
    work = layout.postgres / ".data.unfinished"
    kill_below(tree)  # without data no server runs: this is an initdb whose starter was killed
    shutil.rmtree(work, ignore_errors=True)
    private_folder(work, user)
    write_private(work / "password", password(layout).reveal(), user)
    argv: list[str | Path] = [
        tree / "bin" / "initdb",
        "-D",
        work / "data",
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    run([*argv, "-A", "scram-sha-256", f"--pwfile={work / 'password'}"], variables=environment(tree))
    (work / "data").replace(layout.postgres_data)
    shutil.rmtree(work)


def _check_version(layout: Layout, tree: Path) -> None:
    data = (layout.postgres_data / "PG_VERSION").read_text().strip()
    server = major_version(tree)
    if server != data:
        raise InputError(
            "the sandbox's data is of another major version of PostgreSQL",
            where=str(layout.postgres_data),
            found=f"data of {data}, server {server}",
            mend=f"stop the sandbox and remove {layout.postgres_data}; it is then made anew, empty",
        )


def _drop_stale_pid_file(layout: Layout) -> None:
    """Remove the pid file of a killed server if a stranger has that pid now: PostgreSQL would not start beside it."""
    import psutil

    file = layout.postgres_data / "postmaster.pid"
    try:
        owner = psutil.Process(int(file.read_text().split(maxsplit=1)[0]))
        stranger = not Path(owner.exe()).is_relative_to(layout.postgres_installs)
    except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        return  # PostgreSQL itself sees through these
    except psutil.AccessDenied:
        stranger = True
    if stranger:
        file.unlink(missing_ok=True)
