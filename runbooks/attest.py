"""``invoke checklist.attest`` and ``checklist.waive``: a person's word, for the next verification to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from runbooks import vouching
from runbooks.catalog import Opening, Prepared
from runbooks.checks.items import BY_ID, ITEMS
from runbooks.engine.errors import InputError
from runbooks.engine.lease import operator
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.environment.people.appending import append
from runbooks.environment.people.days import today
from runbooks.environment.people.statements import (
    Attestation,
    Attestations,
    Waiver,
    Waivers,
    attestation_problems,
    evidence_problem,
    waiver_problems,
)
from runbooks.environment.people.written import (
    ATTESTATIONS,
    WAIVERS,
    folder_of,
    people_file,
    read_attestations,
    read_waivers,
)
from runbooks.environment.problem import Problem
from runbooks.environment.toml_file import TomlFile

Entry = Mapping[str, str | date]


@dataclass(frozen=True)
class Writing:
    """An entry that is to be written.

    Attributes:
        table: ``attestation`` or ``waiver``.
    """

    environment: str
    file: TomlFile
    table: str
    entry: Entry


def prepare_attest(opening: Opening) -> Prepared:
    """Put the runbook together.

    Raises:
        InputError: an argument is missing or wrong, or the file is damaged; nothing was written.
    """
    given = _texts(opening.parameters, "item", "statement", "evidence", "expires")
    now = datetime.now(UTC)
    folder, shown = folder_of(opening.environment)
    _writable(folder, shown)
    word = Attestation(
        item=_item(given["item"]),
        statement=given["statement"],
        by=opening.parameters.get("by") or operator(),
        on=today(now),
        expires=_day("expires", given["expires"]),
        evidence=given["evidence"],
    )
    _refuse(attestation_problems(Attestations(attestation=(word,)), vouching.items(), now))
    if problem := evidence_problem(word.evidence, folder):
        raise InputError(problem, where="--evidence", mend=f"give a URL, or the name of a file in {shown}")
    read_attestations(folder, shown, vouching.items(), now)
    entry: Entry = {
        "item": word.item,
        "statement": word.statement,
        "by": word.by,
        "on": word.on,
        "expires": word.expires,
        "evidence": word.evidence,
    }
    file = people_file(folder, shown, ATTESTATIONS)
    return Prepared(_runbook("checklist.attest", "Attest an item"), Writing(_name(opening), file, "attestation", entry))


def prepare_waive(opening: Opening) -> Prepared:
    """Put the runbook together; see `prepare_attest`."""
    given = _texts(opening.parameters, "item", "reason", "owner", "until")
    now = datetime.now(UTC)
    folder, shown = folder_of(opening.environment)
    _writable(folder, shown)
    word = Waiver(
        item=_item(given["item"]),
        reason=given["reason"],
        owner=given["owner"],
        on=today(now),
        until=_day("until", given["until"]),
    )
    _refuse(waiver_problems(Waivers(waiver=(word,)), vouching.items(), now))
    read_waivers(folder, shown, vouching.items(), now)
    entry: Entry = {"item": word.item, "reason": word.reason, "owner": word.owner, "on": word.on, "until": word.until}
    file = people_file(folder, shown, WAIVERS)
    return Prepared(_runbook("checklist.waive", "Waive a failed item"), Writing(_name(opening), file, "waiver", entry))


def write(writing: Writing, _scope: Scope) -> str:
    """Append the entry, and say how to see what it does."""
    append(writing.file, writing.table, writing.entry)
    item = writing.entry["item"]
    return (
        f"{item} stands in {writing.file.shown}\n"
        f"see what it does: invoke release.verify --env {writing.environment} --only {item}"
    )


def is_written(writing: Writing, _scope: Scope) -> bool:
    """Whether exactly this entry is there."""
    try:
        text = writing.file.text()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return dict(writing.entry) in writing.file.parsed(text).get(writing.table, [])


def plan_write(writing: Writing) -> Iterable[str]:
    """The entry, as it will stand there."""
    yield f"{writing.file.shown}: one [[{writing.table}]] more"
    yield from (f"{key} = {value}" for key, value in writing.entry.items())


def _runbook(name: str, title: str) -> Runbook[Writing]:
    step = Step(name="write", title="Write it down", act=write, done=is_written, plan=plan_write)
    return Runbook(name=name, title=title, changes=False, confirmed=True, steps=(step,))


def _name(opening: Opening) -> str:
    return opening.environment.name


def _texts(parameters: Mapping[str, Any], *names: str) -> dict[str, str]:
    """The arguments, none of them missing or empty."""
    given = {name: str(parameters.get(name) or "").strip() for name in names}
    missing = [f"--{name}" for name in names[1:] if not given[name]]
    if missing:
        raise InputError(f"{', '.join(missing)} must be given", mend="say it, in quotes")
    return given


def _writable(folder: Path, shown: str) -> None:
    if not folder.is_dir():
        mend = "make it, or correct people.folder in the inventory; a sandbox makes its own: invoke sandbox.up"
        raise InputError("there is no folder for what people write down", where=shown, mend=mend)


def _item(given: str) -> str:
    """An item's id; its number stands for it too."""
    by_number = {str(item.number): item.id for item in ITEMS}
    name = by_number.get(given, given)
    if name not in vouching.items().known:
        near = difflib.get_close_matches(name, BY_ID, n=1)
        mend = f"did you mean {near[0]}?" if near else "invoke checklist.coverage lists them"
        raise InputError(f"there is no item {name!r}", mend=mend)
    return name


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--{name} is no date", found=text[:40], mend="write for example 2026-05-31") from None


def _refuse(problems: Iterable[Problem]) -> None:
    for problem in problems:
        raise InputError(problem.what, where=f"--{problem.path[-1]}", found=problem.found, mend=problem.mend)
