"""``invoke variables.backup``: an encrypted copy of the application's variables in the store."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps import variables
from runbooks.steps.variables import Copying
from runbooks.systems.variables.copies import refuse_without


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for an environment.

    Raises:
        InputError: the inventory names nobody to encrypt to, or no key for fingerprints.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    refuse_without(snapshots.recipient_keys)
    site.fingerprint("")  # a missing key is said before a run begins
    return Prepared(runbook(), Copying(VariableCopies(snapshots), opening.run), site.close)


def runbook() -> Runbook[Copying]:
    """The procedure. Only `backup.prune` removes a copy, once nothing that is kept needs the key in it."""
    return Runbook(
        name="variables.backup",
        title="Back up the variables",
        changes=True,
        overtakes=False,
        conclude=conclude,
        steps=(
            Step(
                name="copy",
                title="Encrypt the variables into the store",
                act=variables.back_up,
                done=variables.is_backed_up,
                plan=variables.plan_back_up,
            ),
        ),
    )


def conclude(copying: Copying) -> Conclusion:
    """Which copy there is now."""
    copy = copying.made
    assert copy, "it is backed up"
    environment = copying.backups.snapshots.environment
    line = f"COPIED {len(copy.fingerprints)} variables of {environment.label}: {copy.id} in {copying.backups.copies}"
    return Conclusion.saying("COPIED", line, copy=copy.id)
