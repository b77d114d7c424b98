"""Copies of the variables, made whenever the sandbox writes others: as each deploy of an environment does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runbooks.engine import runs
from runbooks.engine.secret import Secret
from runbooks.environment.fingerprint import keyed
from runbooks.sandbox.environments import age_recipient, fingerprint_key
from runbooks.sandbox.layout import Layout
from runbooks.systems.secrets.dotenv import DotenvSource
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.variables.copies import Copies, fingerprints, new_id


def back_up(project: Path, layout: Layout, name: str, variables: Mapping[str, Secret] | None = None) -> None:
    """Keep a copy of an environment's variables, unless the newest one is of the same and can be read.

    Args:
        variables: Others than those of now, for a fault.
    """
    copies = Copies(FolderStore(project / "var" / "store" / name))
    variables = DotenvSource(layout.variables(name)).load() if variables is None else variables
    fingerprint = keyed(Secret("FINGERPRINT_KEY", fingerprint_key(layout)))
    keys = (age_recipient(layout, name),)
    newest = copies.newest()
    if newest and (newest.fingerprints, newest.encrypted) == (fingerprints(variables, fingerprint), keys):
        return
    run = runs.new_id("sandbox")
    release = variables.get("RAILWAY_GIT_COMMIT_SHA")
    copies.put(
        variables,
        id=new_id(run),
        run=run,
        environment=name,
        release=release.reveal() if release else None,
        keys=keys,
        fingerprint=fingerprint,
    )
