"""What the inventory says of the release's source is checked before it is believed."""

from __future__ import annotations

import pytest

from runbooks.environment.documentation import Documentation, allowance, problems

ENGINE = "app.db.session:engine"


def told(documentation: Documentation, allowed: tuple[str, ...] = (), engine: str = ENGINE) -> list[str]:
    return [problem.what for problem in problems(documentation, allowed, engine)]


def test_an_allowance_has_a_place_a_mark_and_a_reason() -> None:
    entry = allowance("docs/KEYS.md 0123456789abcdef a published example")

    assert entry is not None
    assert (entry.path, entry.line, entry.reason) == ("docs/KEYS.md", "0123456789abcdef", "a published example")


@pytest.mark.parametrize("text", ["", "docs/KEYS.md", "docs/KEYS.md 0123456789abcdef", "docs/KEYS.md 12 a reason"])
def test_anything_else_is_refused(text: str) -> None:
    (problem,) = told(Documentation(), (text,))

    assert problem.startswith("'release.allowed_secrets' must hold")


@pytest.mark.parametrize("engine", ["app.db.session", "app/db.py:engine", ":engine"])
def test_an_engine_is_a_name_in_a_module(engine: str) -> None:
    assert told(Documentation(), engine=engine) == ["'release.engine' must be of the form MODULE:NAME"]


def test_legal_documents_may_be_public_pages() -> None:
    assert told(Documentation(privacy="https://praviel.example/privacy", terms="legal/TERMS.md")) == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../README.md", "https://example.org/README.md"])
def test_the_others_are_files_of_the_release(path: str) -> None:
    assert told(Documentation(readme=path)) == ["'documentation.readme' must be a path below the release's root"]
