"""Faults of what people wrote down: a file that was edited, or lies where it should not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.files import write_private
from runbooks.sandbox.people import texts, write_people
from runbooks.sandbox.world import Sandbox

ATTESTATION = "\n[[attestation]]\n"


def edited(file: str, change: Callable[[str, date], str]) -> Means:
    """Edit one of the files; the change is given its usual text and today."""

    def inject(sandbox: Sandbox) -> None:
        today = datetime.now(UTC).date()
        text = texts(today)[file]
        damaged = change(text, today)
        assert damaged != text, f"{file} is as it was"
        write_private(sandbox.layout.people(LOCAL) / file, damaged)

    def mend(sandbox: Sandbox) -> None:
        (sandbox.layout.people(LOCAL) / file).unlink(missing_ok=True)
        write_people(sandbox.layout, LOCAL)

    return Means(inject, mend, restarts=False)


def attestation(item: str, change: Callable[[str], str]) -> Means:
    """Edit one attestation; an empty text takes it away."""

    def edit(text: str, _today: date) -> str:
        head, *entries = text.split(ATTESTATION)
        changed = [change(entry) if f'"{item}"' in entry else entry for entry in entries]
        return "".join([head, *(ATTESTATION + entry for entry in changed if entry)])

    return edited("attestations.toml", edit)


def own_text(kind: str, text: str) -> Means:
    """Put a text of one's own beside announcements.toml."""

    def inject(sandbox: Sandbox) -> None:
        folder = sandbox.layout.people(LOCAL) / "announcements"
        folder.mkdir(exist_ok=True)
        write_private(folder / f"{kind}.md.j2", text)

    def mend(sandbox: Sandbox) -> None:
        (sandbox.layout.people(LOCAL) / "announcements" / f"{kind}.md.j2").unlink(missing_ok=True)

    return Means(inject, mend, restarts=False)
