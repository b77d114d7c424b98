"""The ledger of releases, listed and shown, and whether it agrees with what really runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from runbooks.engine.errors import SystemFault
from runbooks.engine.redact import Redactor
from runbooks.environment.site import Site
from runbooks.masking import masked
from runbooks.places import open_environment, store_of
from runbooks.report.text import count
from runbooks.steps.release_state import Answer, Seen, compare, look
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release

MIXED, UNKNOWN = 3, 4


def show_list(environment: str | None) -> None:
    """Print one line for every time that a release was put to work, oldest first; what runs now is marked."""
    opened = open_environment(environment)
    releases = Releases(store_of(opened))
    history = releases.history()
    rows = [
        (
            "*" if each is history.line[-1] else " ",
            each.release.id,
            each.release.version,
            f"{each.entry.at:%Y-%m-%d %H:%M}Z",
            history.state(each.release.id).value if each.entry.kind is Kind.DEPLOYED else "gone back to",
            f"snapshot {each.release.snapshot_before}" if each.release.snapshot_before else "no snapshot",
            f"by {each.entry.by}",
        )
        for each in history.activations
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for entry in history.begun:
        print(_unfinished(entry))
    hint = "" if history.activations else "; to put one to work: invoke release.deploy --ref TAG"
    known = count(len(history.candidates()) + bool(history.current), "release")
    print(f"{known} of {opened.label} in {releases}{hint}")


def show(wanted: str | None, environment: str | None) -> None:
    """Print what the ledger knows of a release: the one that runs, or the one that answers to a name.

    Raises:
        InputError: none, or several, answer to it.
    """
    history = Releases(store_of(open_environment(environment))).history()
    release = history.find(wanted) if wanted else history.current
    if release is None:
        print("nothing was deployed yet: invoke release.deploy")
        return
    for title, value in _facts(release, history):
        print(f"{title:16} {value}")
    for entry in history.entries:
        if entry.id == release.id:
            told = f": {entry.reason}" if entry.reason else ""
            print(f"  {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.kind:12} by {entry.by}, run {entry.run}{told}")


def show_status(environment: str | None) -> int:
    """Print whether the ledger, the hosts and the database's schema agree.

    Returns:
        0: they do; 3: they don't, and each difference is printed; 4: something could not be looked at.
    """
    opened = open_environment(environment)
    redactor = Redactor()
    with masked(redactor):
        site = Site(opened, redactor)
        try:
            history = Releases(store_of(opened)).history()
            seen = look(site)
        finally:
            site.close()
        return _told(opened.label, history, seen)


def _told(label: str, history: History, seen: Seen) -> int:
    current = history.current
    print(f"ledger    {_named(current)}")
    for host, state in seen.hosts.items():
        print(f"{host:9} {_said(state, lambda placement: placement.release.id if placement else 'nothing runs')}")
    print(f"schema    {_said(seen.heads, lambda heads: ', '.join(heads) or 'no migrations')}")
    differences, unasked = compare(history, seen)
    for line in (*differences, *unasked):
        print(f"  {line}")
    verdict = "MIXED" if differences else "UNKNOWN" if unasked else "CONSISTENT"
    print(f"{verdict} {label}")
    return MIXED if differences else UNKNOWN if unasked else 0


def _said(answer: Answer, words: Callable[..., str]) -> str:
    return f"not known: {answer.what}" if isinstance(answer, SystemFault) else words(answer)


def _named(release: Release | None) -> str:
    return f"{release.id} ({release.version})" if release else "nothing was deployed yet"


def _unfinished(entry: Entry) -> str:
    return (
        f"run {entry.run} by {entry.by} has begun to put {entry.id} to work at {entry.at:%Y-%m-%d %H:%M}Z and has not"
        f" said how it ended: invoke runs.show {entry.run}"
    )


def _facts(release: Release, history: History) -> Iterator[tuple[str, str]]:
    yield "release", release.id
    yield "version", release.version
    yield "commit", release.commit
    yield "held for", history.state(release.id).value
    yield "runs now", "yes" if history.current and history.current.id == release.id else "no"
    yield "migrations", ", ".join(release.heads) or "none"
    yield "new in it", _migrations(release.migrations)
    yield "variables", release.variables[:16] if release.variables else "no key for a fingerprint"
    yield "variables backup", release.variables_backup or "none"
    yield "snapshot before", release.snapshot_before or "none"
    restored = history.snapshot_before_first_after(release.id)
    yield "going back to it", f"restores snapshot {restored}" if restored else "restores no snapshot"


def _migrations(migrations: Mapping[str, str]) -> str:
    return ", ".join(f"{revision} ({kind})" for revision, kind in migrations.items()) or "none"
