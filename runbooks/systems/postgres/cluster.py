"""A PostgreSQL server of our own in one folder, for one drill: reached by a socket that only we may use.

All of it is in the folder, so what a killed process leaves is found by the folder: the data, the log, the socket, and
the server, whose pid PostgreSQL itself keeps there.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg import sql

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.postgres import unprivileged
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.programs import Programs

SUPERUSER = "postgres"
LONGEST_SOCKET = 107
"""Bytes of a socket's path, by Linux's ``sockaddr_un``; some systems take four fewer."""

SERVER_PROGRAMS = ("initdb", "pg_ctl", "postgres")
SOCKET = ".s.PGSQL.5432"
READY = "ready"
"""The file that says that the data folder is whole."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder lets nobody else in, and the server asks who comes
    "max_wal_size": "4GB",
    "logging_collector": "off",
}
SECONDS_TO_STOP = 60


@dataclass(frozen=True)
class Cluster:
    """A server in a folder, by PostgreSQL's programs of one major version."""

    folder: Path
    programs: Programs

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def access(self, database: str) -> Access:
        """The superuser's right to it; who may use the socket is asked by the kernel, so there is no password."""
        host = quote(str(self.folder), safe="")
        url = f"postgresql:///{quote(database, safe='')}?host={host}&port=5432&user={SUPERUSER}"
        return Access(url=Secret("the drill's own server", url))

    def refuse(self) -> None:
        """Raises InputError where it can't be: programs are missing, or the folder can't be entered or is too deep."""
        missing = [name for name in SERVER_PROGRAMS if not os.access(self.programs.path(name), os.X_OK)]
        if missing:
            major = self.programs.major
            raise InputError(
                f"the programs of PostgreSQL's server {major} are needed for a server of the drill's own",
                where=str(self.programs.folder),
                found=f"no {', '.join(missing)}",
                mend=f"install postgresql-{major}, or declare its folder as backup.bin; or drill without --cluster",
            )
        if len(os.fsencode(self.folder / SOCKET)) > LONGEST_SOCKET:
            raise InputError(
                "the path of a server's socket would be too long",
                where=str(self.folder / SOCKET),
                found=f"{len(os.fsencode(self.folder / SOCKET))} bytes, at most {LONGEST_SOCKET}",
                mend="declare a shorter folder as backup.work",
            )
        who = unprivileged.user()
        closed = next((path for path in reversed(self.folder.parents) if who and _closed(path, who)), None)
        if closed:
            raise InputError(
                f"root can't run a server there: it runs as {who}, who can't enter the folder",
                where=str(closed),
                mend="declare backup.work where everybody may pass, as in /var/lib; or drill as another user than root",
            )

    def start(self) -> None:
        """Have it run, its data made if they are not yet. Safe to repeat, also after a kill at any point.

        Raises:
            SystemFault: a program failed; the message ends with what it said.
        """
        if not (self.folder / READY).exists():
            self.remove()
            self._initialise()
        self.stop()
        settings = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        said = " ".join(f"-c {name}={_quoted(value)}" for name, value in settings.items())
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "-o", said, "start")

    def furnish(self, database: str, roles: Collection[str]) -> None:
        """Make the database that connections without another name go to, and the roles that a restore names."""
        with self.access("postgres").connection() as connection:
            for role in roles:
                known = connection.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", [role]).fetchone()
                if known is None:
                    connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            there = connection.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", [database]).fetchone()
            if there is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def running(self) -> bool:
        """Whether the server runs and has been started to its end."""
        return (self.folder / READY).exists() and self._alive() and (self.folder / SOCKET).exists()

    def stop(self) -> None:
        """End the server, if one runs. Its data are thrown away, so it need not write them out."""
        if not self._alive():
            (self.data / "postmaster.pid").unlink(missing_ok=True)  # of before a reboot, say
        else:
            argv = ("-D", str(self.data), "-m", "immediate", "-w", "-t", str(SECONDS_TO_STOP), "stop")
            self._run("pg_ctl", *argv)

    def remove(self) -> None:
        """End the server, and remove the folder with all that is in it.

        Raises:
            SystemFault: it can't be ended; nothing is removed then.
        """
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _initialise(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700)
        if who := unprivileged.user():
            account = pwd.getpwnam(who)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        argv = ("-D", str(self.data), "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "peer", "--no-sync")
        self._run("initdb", *argv)
        (self.data / "pg_hba.conf").write_text("local all all peer map=drill\n")
        us = pwd.getpwuid(os.geteuid()).pw_name
        (self.data / "pg_ident.conf").write_text(f'drill "{us}" {SUPERUSER}\n')
        (self.folder / READY).touch()

    def _alive(self) -> bool:
        """Whether the pid that is kept is this server's: a stranger may have it by now."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        except (FileNotFoundError, ValueError, IndexError):
            return False
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.data.resolve()
        except PermissionError:
            return False  # another user's: this server is nobody's but ours
        except FileNotFoundError:
            return not Path("/proc/self").exists() and _exists(pid)

    def _run(self, name: str, *argv: str) -> None:
        unprivileged.run([self.programs.path(name), *argv], variables=self.programs.environment({}))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _closed(path: Path, who: str) -> bool:
    """Whether a user who belongs to nothing there can't pass through a folder."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False  # it is made by us, open to pass
    account = pwd.getpwnam(who)
    bit = 0o100 if found.st_uid == account.pw_uid else 0o010 if found.st_gid == account.pw_gid else 0o001
    return not found.st_mode & bit


def _quoted(value: str) -> str:
    """A word for the shell that pg_ctl starts the server by."""
    return "'" + value.replace("'", "'\\''") + "'"
