"""What the process manager runs, and the files that say so: pure text, no process is touched here."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import MARKER

LAUNCHER = Path(__file__).with_name("launch.py")
_PYTHON3 = Path(sys.prefix, "bin", "python3")
INTERPRETER = _PYTHON3 if _PYTHON3.exists() else Path(sys.executable)
"""Our own interpreter under one name: called by another one, every program would look changed and be restarted."""

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Program:
    """A server of the sandbox.

    Args:
        name: Letters, digits, ``-`` and ``_``.
        argv: The executable's absolute path, and its arguments. Secrets belong into ``environment`` or a file.
        environment: All of its variables; nothing is inherited, only ``PATH`` has a default.
        directory: Its working directory, which ``user`` can enter.
        user: Whom it runs as if we are root; None: as we do.
        stop_signal: Sent to stop it, and by the kernel if the process manager dies.
        stop_seconds: How long it may take to stop before it is killed.
        priority: Low ones start first and stop last.
        autostart: Whether it is started as soon as it is supervised.
        autorestart: Whether it is started again when it ends by itself.
        watched: Files (its configuration) whose change means that it must be restarted.
        limits: Resource limits by their names after ``RLIMIT_``; hard and soft alike, lower where the system's are.
        announced: Whether its log begins with a line on each start, so that starts can be told apart there.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: int = 10
    priority: int = 100
    autostart: bool = True
    autorestart: bool = True
    watched: Sequence[Path] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    announced: bool = False

    def launch_file(self, layout: Layout) -> str:
        """What `launch.py` reads (JSON)."""
        body = {
            "argv": list(self.argv),
            "environment": {"PATH": DEFAULT_PATH, **self.environment, MARKER: str(layout.root)},
            "directory": str(self.directory),
            "user": self.user,
            "stop_signal": int(self.stop_signal),
            "manager_pid_file": str(layout.supervisor_pid),
            "limits": dict(self.limits),
            "announced": self.name if self.announced else None,
            "watched": {str(path): _digest(path.read_bytes()) for path in self.watched},
        }
        return json.dumps(body, indent=2, sort_keys=True) + "\n"

    def launch_path(self, layout: Layout) -> Path:
        """Where that file is: a new place if anything in it changes, so that the process manager sees the change."""
        return layout.programs / f"{self.name}-{_digest(self.launch_file(layout).encode())}.json"


def configuration(layout: Layout, programs: Sequence[Program], *, port: int, user: str, password: Secret) -> str:
    """The process manager's configuration file, which holds the password of its interface.

    Raises:
        InputError: a program's name or a path can't be written in that file.
    """
    parts = [
        _section(
            "supervisord",
            identifier="praviel-runbooks",
            directory=_plain(layout.root),
            pidfile=_plain(layout.supervisor_pid),
            logfile=_plain(layout.supervisor_log),
            logfile_maxbytes="1MB",
            logfile_backups=1,
            childlogdir=_plain(layout.logs),
            umask="077",
            nodaemon="false",
            nocleanup="true",
            # Said out loud, or it warns of running as root; our programs give up root by themselves.
            user=pwd.getpwuid(os.geteuid()).pw_name,
        ),
        # A socket file's path may have 107 characters at most, and checkouts lie deeper than that.
        _section("inet_http_server", port=f"127.0.0.1:{port}", username=user, password=password.reveal()),
        _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    return "\n".join([*parts, *(_program_section(layout, program) for program in programs)])


def _program_section(layout: Layout, program: Program) -> str:
    if not program.name.replace("-", "").replace("_", "").isalnum():
        raise InputError("a program's name has letters, digits, - and _ only", found=repr(program.name))
    command = [str(INTERPRETER), "-I", str(LAUNCHER), str(program.launch_path(layout))]
    return _section(
        f"program:{program.name}",
        command=" ".join(shlex.quote(_plain(part)) for part in command),
        priority=program.priority,
        autostart="true" if program.autostart else "false",
        autorestart="true" if program.autorestart else "false",
        startsecs=1,
        startretries=10,
        stopsignal=program.stop_signal.name.removeprefix("SIG"),
        stopwaitsecs=program.stop_seconds,
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=_plain(layout.log(program.name)),
        stdout_logfile_maxbytes="5MB",
        stdout_logfile_backups=1,
    )


def _section(name: str, **options: str | int) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items())]) + "\n"


def _plain(value: Path | str) -> str:
    """The path as supervisor reads it back: it expands ``%``, and a blank with ``;`` or ``#`` begins a comment."""
    text = str(value)
    if any(unreadable in text for unreadable in ("\n", " ;", " #", "'", '"', "\\")):
        raise InputError("the process manager can't read a path with such characters", where=text)
    return text.replace("%", "%%")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]
