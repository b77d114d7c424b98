"""What really runs, and how it differs from what the ledger of releases says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from runbooks.engine.errors import SystemFault
from runbooks.environment.site import Site
from runbooks.systems.platform.hosting import HostState, Placement
from runbooks.systems.releases.history import History

Answer = Any | SystemFault
"""What was found, or why it could not be looked at."""

HEADS: LiteralString = "SELECT version_num FROM alembic_version ORDER BY 1"


@dataclass(frozen=True)
class Seen:
    """What was found.

    Attributes:
        hosts: By name: what answers requests there; None: nothing does.
        heads: The migrations that the schema is at.
    """

    hosts: Mapping[str, Placement | SystemFault | None]
    heads: tuple[str, ...] | SystemFault


def look(site: Site) -> Seen:
    """Ask every host and the database; one that can't be asked keeps nobody from the others."""
    states = _asked(site.hosting.observe_all)
    hosts = {"hosts": states} if isinstance(states, SystemFault) else {n: _serving(s) for n, s in states.items()}
    return Seen(hosts, _asked(lambda: heads_of(site)))


def heads_of(site: Site) -> tuple[str, ...]:
    """The migrations that the schema is at; none where there is no such table.

    Raises:
        SystemFault: the database can't be asked.
    """
    with site.database.reading() as connection:
        there = connection.execute("SELECT to_regclass('alembic_version') AS name").fetchone()
        if there is None or there["name"] is None:
            return ()
        return tuple(row["version_num"] for row in connection.execute(HEADS).fetchall())


def compare(history: History, seen: Seen) -> tuple[Sequence[str], Sequence[str]]:
    """What does not agree, and what could not be looked at: a sentence each."""
    current, differences, unasked = history.current, list[str](), list[str]()
    for host, found in seen.hosts.items():
        if isinstance(found, SystemFault):
            unasked.append(f"{host} could not be asked: {found.what}")
        elif (found.release.id if found else None) != (current.id if current else None):
            runs = found.release.id if found else "nothing"
            why = f"; it was left out: {history.left_out[host]}" if host in history.left_out else ""
            differences.append(f"{host} runs {runs}; by the ledger it is {current.id if current else 'nothing'}{why}")
        elif found and current and found.release.commit != current.commit:
            differences.append(f"{host} runs {found.release.id} built from commit {found.release.commit[:12]}")
        elif found and current and current.variables and found.fingerprint and found.fingerprint != current.variables:
            differences.append(f"{host} runs {current.id} with other variables than were recorded")
    if isinstance(seen.heads, SystemFault):
        unasked.append(f"the schema could not be asked: {seen.heads.what}")
    elif current and set(seen.heads) != set(history.heads):
        differences.append(
            f"the schema is at {', '.join(seen.heads) or 'no migration'}; it was left"
            f" at {', '.join(history.heads) or 'no migration'}"
        )
    differences += [f"run {each.run} has begun with {each.id}, and has not ended" for each in history.begun]
    return differences, unasked


def _serving(state: HostState | SystemFault) -> Placement | SystemFault | None:
    if isinstance(state, SystemFault):
        return state
    if state.active is None or not state.slots[state.active].running:
        return None
    return state.serving


def _asked(question: Callable[[], Any]) -> Answer:
    try:
        return question()
    except SystemFault as fault:
        return fault
