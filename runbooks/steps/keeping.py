"""A copy of the variables that a release is deployed with, so that a rollback to it knows them."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.engine.step import Scope
from runbooks.steps.deploying import Deploying
from runbooks.systems.variables.copies import new_id

NOBODY = "not copied: backup.recipients names nobody to encrypt them to, so a rollback takes the variables of its day"


def keep(work: Deploying, _scope: Scope) -> str:
    """Encrypt the variables of now into the store; they are this release's."""
    if not work.snapshots.recipient_keys:
        return NOBODY
    copy = work.copies.back_up(work.run, release=work.wanted.commit)
    return f"{copy.id}: {len(copy.fingerprints)} variables, encrypted to {len(copy.encrypted)} keys"


def kept(work: Deploying, _scope: Scope) -> bool:
    """Whether this run's copy is there; or there is nobody to make it for."""
    return not work.snapshots.recipient_keys or work.copies.copies.copy(new_id(work.run)) is not None


def plan(work: Deploying) -> Iterator[str]:
    """To how many keys."""
    to = len(work.snapshots.recipient_keys)
    yield f"{len(work.variables)} variables, encrypted to {to} keys, into {work.copies.copies}" if to else NOBODY
