"""What users are to be told of a rollback: written, kept beside the run's log, and posted by a person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.environment.model import Environment
from runbooks.environment.people import announcing
from runbooks.environment.people.announcing import Facts
from runbooks.environment.people.written import ANNOUNCEMENTS, folder_of, read_announcements


def rollback(environment: Environment, *, release: str, previous: str, lost: datetime | None) -> str:
    """The text, in the environment's own words where it has some.

    Args:
        release: The version that is left.
        previous: The version that runs again.
        lost: From when on what users wrote is gone; None: nothing is.

    Raises:
        SystemFault: the text has a mistake.
    """
    facts = Facts(state="done", release=release, previous=previous, at=datetime.now(UTC), lost=lost)
    folder, _ = folder_of(environment)
    try:
        return announcing.render("rollback", folder, facts)
    except ValueError as error:
        raise SystemFault("the announcement can't be rendered", reason=Reason.FAILED, found=str(error)) from error


def keep(environment: Environment, text: str, path: Path) -> str:
    """Write it where it can be copied from; says where it is to be posted. It fails nothing: the rollback is done."""
    try:
        write_atomically(path, f"{text}\n".encode())
        lies = f"to be copied from {path}"
    except OSError as error:
        lies = f"{path} can't be written ({error.strerror})"
    return f"to be posted in {_channels(environment)}: {' '.join(text.split())}; {lies}"


def _channels(environment: Environment) -> str:
    """Where users are told, in the words of those who declared it."""
    folder, shown = folder_of(environment)
    try:
        declared = read_announcements(folder, shown)
    except InputError as error:
        return f"the channels of {shown}/{ANNOUNCEMENTS}, which can't be read ({error.what})"
    names = [channel.name for channel in declared.channel] if declared else []
    return ", ".join(names) or f"your channels (none is declared in {shown}/{ANNOUNCEMENTS})"
