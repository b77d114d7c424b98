"""Runs PostgreSQL's server programs, which refuse to run as root, as somebody with fewer rights where we are."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault

USER = "nobody"


def user() -> str | None:
    """Whom they must run as: `USER` when we are root, else None for ourselves."""
    return USER if os.geteuid() == 0 else None


def run(argv: Sequence[str | Path], *, variables: Mapping[str, str], seconds: float = 120) -> None:
    """Run a program to its end, with these variables only.

    Raises:
        SystemFault: TIMED_OUT, or FAILED with the end of what it said.
    """
    who = user()
    rights: dict[str, Any] = {"user": who, "group": pwd.getpwnam(who).pw_gid, "extra_groups": []} if who else {}
    name = Path(argv[0]).name
    # A file rather than a pipe: a server that the program starts would hold the pipe open.
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                [str(part) for part in argv],
                check=False,
                env=dict(variables),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=seconds,
                umask=0o022,
                **rights,
            )
        except subprocess.TimeoutExpired as error:
            msg = f"{name} did not end within {seconds:g} s"
            raise SystemFault(msg, reason=Reason.TIMED_OUT, where=str(argv[0])) from error
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if done.returncode != 0:
        found = said[-500:] or f"exit {done.returncode}"
        raise SystemFault(f"{name} failed", reason=Reason.FAILED, where=str(argv[0]), found=found)
