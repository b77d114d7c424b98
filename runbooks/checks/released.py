"""What checks ask of the ledgers of releases: this environment's, and that of the one in which releases are tried."""

from __future__ import annotations

from runbooks.checks.subject import Subject
from runbooks.environment.stores import open_store
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Release

NONE_BEFORE = "there is no release before the one that runs, as far as the ledger knows"


def history_of(subject: Subject) -> History:
    """What was put to work here.

    Raises:
        InputError: the ledger is damaged.
        SystemFault: the store can't be asked.
    """
    from runbooks.systems.releases.ledger import Releases  # loads pydantic

    return Releases(subject.site.shelf.store).history()


def staging_of(subject: Subject) -> tuple[str, History] | None:
    """The environment in which releases are tried first, and its ledger; None: the inventory names none.

    Raises:
        InputError: its ledger is damaged, or its inventory can't be loaded.
        SystemFault: its store can't be asked.
    """
    from runbooks.systems.releases.ledger import Releases

    name = subject.environment.deploy.staging
    return None if name is None else (name, Releases(open_store(*subject.site.peer(name))).history())


def gone_back_to(history: History) -> Release | None:
    """The release that a rollback would go back to by itself; or else the newest one that ran before."""
    return history.previous_stable() or next(iter(history.candidates()), None)
