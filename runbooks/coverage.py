"""What of the operators' document has a check, for ``checklist.coverage`` and, generated, for the README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from runbooks import project, vouching
from runbooks.checks.items import GATED, ITEMS, SECTIONS
from runbooks.checks.registry import known
from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError
from runbooks.environment.people.written import read_all
from runbooks.places import open_environment

PLACE = re.compile(r"(<!-- coverage: .*? -->)\n(.*?)(<!-- end -->)", re.DOTALL)


def show(environment: str | None = None) -> None:
    """Print a line per item of the document, under its sections; then what people vouch for in an environment.

    Args:
        environment: Whose people; None: the one that a bare command means, if there is one.

    Raises:
        InputError: the environment that was named can't be loaded, or a file of its people is damaged.
    """
    for section in SECTIONS:
        print(f"\n{section}{' (gated)' if section in GATED else ''}")
        for item in ITEMS:
            if item.section == section:
                print(f"  {item.number:>3}  {_state(item.id):<25}  {item.id:<36} {item.title}")
    probes = [check for check in known().values() if check.number is None]
    print(f"\n{_built()} of {len(ITEMS)} items have a check, and {len(probes)} probes of the closing section:")
    for check in probes:
        print(f"       {check.id:<36} {check.title}")
    _show_words(environment)


def _state(item: str) -> str:
    return "built" if item in known() else "not yet"


def _show_words(name: str | None) -> None:
    """Print the attestations and waivers of an environment, in the order in which they end."""
    try:
        environment = open_environment(name)
    except InputError:
        if name is None:
            return  # several environments: none was named, and none is meant
        raise
    now = datetime.now(UTC)
    words = list(vouching.words(read_all(environment, vouching.items(), now)))
    if words:
        print(f"\nwhat people vouch for in {environment.label}:")
    for word in words:
        left = word.left(now)
        told = f"expired on {word.last}" if left < 0 else f"until {word.last}"
        soon = ", soon" if 0 <= left <= vouching.SOON.days else ""
        print(f"       {word.item:<36} {word.kind} by {word.by}, {told}{soon}")


def write_readme() -> None:
    """Write the table between the README's markers; the rest stays as it is.

    Raises:
        InputError: the README has no such place.
    """
    path = project.root() / "README.md"
    text = path.read_text()
    if not PLACE.search(text):
        raise InputError("the README has no place for the table", where=str(path), found="no markers")
    table = "\n".join(markdown())
    write_atomically(path, PLACE.sub(lambda match: f"{match[1]}\n{table}\n{match[3]}", text).encode(), 0o644)
    print(f"{path.name}: {_built()} of {len(ITEMS)} items have a check")


def markdown() -> Iterator[str]:
    """The README's table: per section, how many items have a check and which do not."""
    yield "| section | items | with a check | not built yet |"
    yield "| --- | --- | --- | --- |"
    for section in SECTIONS:
        items = [item for item in ITEMS if item.section == section]
        missing = [item.number for item in items if item.id not in known()]
        yield f"| {section} | {len(items)} | {len(items) - len(missing)} | {ranges(missing) or '–'} |"
    yield f"| **all** | **{len(ITEMS)}** | **{_built()}** | **{len(ITEMS) - _built()}** |"


def ranges(numbers: list[int]) -> str:
    """Numbers in order, runs of three or more shortened: ``3, 7, 11–25``."""
    parts: list[str] = []
    start = 0
    for index in range(1, len(numbers) + 1):
        if index == len(numbers) or numbers[index] != numbers[index - 1] + 1:
            run = numbers[start:index]
            parts += [f"{run[0]}–{run[-1]}"] if len(run) > 2 else map(str, run)
            start = index
    return ", ".join(parts)


def _built() -> int:
    return sum(item.id in known() for item in ITEMS)
