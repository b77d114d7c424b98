"""What checks ask of the encrypted copies of the variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding, failed, unknown
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret

if TYPE_CHECKING:  # pydantic and pyrage are loaded where a copy is read
    from runbooks.environment.variable_copies import VariableCopies
    from runbooks.systems.variables.copies import Copy

BACK_UP = "invoke variables.backup"


def copies_of(subject: Subject) -> VariableCopies:
    """The environment's copies."""
    from runbooks.environment.snapshots import Snapshots
    from runbooks.environment.variable_copies import VariableCopies

    return VariableCopies(Snapshots(subject.site))


def newest(subject: Subject, expected: str) -> tuple[Copy, Mapping[str, Secret]] | Finding:
    """The newest copy with its variables, or why there is none to look at.

    Raises:
        SystemFault: the store can't be asked.
    """
    held = copies_of(subject)
    try:
        copy = held.copies.newest()
    except InputError as error:
        return failed(expected, f"the newest copy: {error.what}: {error.found}", BACK_UP)
    if copy is None:
        return failed(expected, f"there is no copy of the variables in {held.copies}", BACK_UP)
    variables = opened(held, copy, expected, BACK_UP)
    return variables if isinstance(variables, Finding) else (copy, variables)


def opened(held: VariableCopies, copy: Copy, expected: str, mend: str) -> Mapping[str, Secret] | Finding:
    """A copy's variables, or why they can't be read. Raises as `newest`."""
    if held.snapshots.environment.backup.identity is None:
        declare = 'declare backup.identity = { secret = "AGE_IDENTITY" } where verifying may read it'
        return unknown(expected, f"{copy.id} is encrypted, and no key to it is declared", declare, Reason.FAILED)
    try:
        return held.open(copy)
    except SystemFault as fault:
        if fault.reason is not Reason.BAD_ANSWER:
            raise
        return failed(expected, f"{copy.id}: {fault.what}", f"{fault.mend or 'look at the store'}; {mend}")
