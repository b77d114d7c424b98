"""Owner-only files, passwords that are made once, a lock, and the state that outlives a restart."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox.layout import SERVICE_USER, Layout


def service_user() -> str | None:
    """Whom a server must run as: `SERVICE_USER` when we are root, else None for ourselves."""
    return SERVICE_USER if os.geteuid() == 0 else None


def give(path: Path, user: str | None) -> None:
    """Make the user the owner of the file or folder; None leaves it with us."""
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def private_folder(path: Path, user: str | None = None) -> None:
    """Make a folder that only the user can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    give(path, user)


def write_private(path: Path, text: str, user: str | None = None) -> None:
    """Replace a file that only the user can read, unless it already says this."""
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text.encode(), 0o600)
    give(path, user)


def kept_password(path: Path, name: str) -> Secret:
    """The password in the file; made on first use, the same ever after."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return Secret(name, path.read_text())


def read_state(layout: Layout) -> dict[str, Any]:
    """What `update_state` has recorded; empty before the first time.

    Raises:
        InputError: the file is damaged.
    """
    try:
        state = json.loads(layout.state.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(
            "the sandbox's state can't be read",
            where=str(layout.state),
            found=str(error),
            mend=f"remove {layout.state}; new ports will be chosen",
        ) from error
    if not isinstance(state, dict):
        raise InputError("the sandbox's state is not a JSON object", where=str(layout.state))
    return state


def update_state(layout: Layout, key: str, value: object) -> None:
    """Record one entry and keep the others, also when another process does the same."""
    with locked(layout.state.with_suffix(".lock")):
        state = read_state(layout) | {key: value}
        write_private(layout.state, json.dumps(state, indent=2, sort_keys=True) + "\n")


@contextlib.contextmanager
def locked(path: Path, *, seconds: float = 60) -> Iterator[None]:
    """Hold the lock file; the kernel releases it if we are killed. Not to be nested.

    Raises:
        SystemFault: TIMED_OUT, somebody else held it for all that time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def taken() -> bool:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True

    try:
        until(taken, seconds=seconds, what=f"another process holds {path} and did not release it")
        yield
    finally:
        os.close(descriptor)
