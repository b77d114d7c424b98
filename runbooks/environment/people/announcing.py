"""What users are told: the texts of `templates/announcements/`, or an environment's own of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import runbooks

KINDS = ("deploy", "rollback", "incident")
STATES = ("begun", "done", "failed")
LONGEST = 2000
"""Characters that Discord takes in one message."""

OURS = Path(runbooks.__file__).parent.parent / "templates" / "announcements"
THEIRS = "announcements"
"""The folder beside announcements.toml with an environment's own texts."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a text may speak of.

    Attributes:
        state: One of `STATES`.
        release: The release that comes, or runs.
        previous: The one before it.
        at: Now.
        minutes: How long it will take, or until more is said.
        lost: From when on what users wrote is gone; None: nothing is.
        details: Whatever a person adds.
    """

    state: str
    release: str
    previous: str
    at: datetime
    minutes: int = 15
    lost: datetime | None = None
    details: str = ""


def render(kind: str, folder: Path, facts: Facts) -> str:
    """The text of one kind.

    Args:
        kind: One of `KINDS`.
        folder: Where announcements.toml is.

    Raises:
        ValueError: the text has a mistake, says nothing, or too much; says which file and where.
    """
    from dataclasses import asdict

    from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError

    name = f"{kind}.md.j2"
    places = [folder / THEIRS, OURS]
    environment = Environment(
        loader=FileSystemLoader(places),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - it is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        text = environment.get_template(name).render(asdict(facts)).strip()
    except TemplateSyntaxError as error:
        raise ValueError(f"{name}, line {error.lineno}: {error.message}") from error
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {error}") from error
    if not text or len(text) > LONGEST:
        raise ValueError(f"{name}: {len(text)} characters, 1 to {LONGEST} are possible")
    return text


def problems(folder: Path) -> list[str]:
    """What is wrong with the texts, tried with made-up facts in every state."""
    now = datetime.now(UTC)
    found = []
    for kind in KINDS:
        for state in STATES:
            facts = Facts(state=state, release="v2", previous="v1", at=now, lost=now, details="The usual.")
            try:
                render(kind, folder, facts)
            except ValueError as error:
                found.append(str(error))
                break
    return found
