"""What a document names is looked for; what only looks like a name is not."""

from __future__ import annotations

import pytest

from runbooks.checks.document_names import Known, follow, missing_command, missing_commands, missing_names
from runbooks.checks.routes import template
from runbooks.systems.source.markdown import parse

KNOWN = Known(
    files=frozenset(
        {"README.md", "requirements.txt", ".env.example", "app/main.py", "app/seed.py", "docs/GUIDE.md", "docs/a b.md"}
    ),
    variables=frozenset({"DATABASE_URL"}),
    routes=frozenset({"GET /health", "GET /api/keys/{}", "POST /api/keys"}),
)


@pytest.mark.parametrize(
    "text",
    [
        "app/main.py",
        "app/",
        "main.py",
        "app/*.py",
        "./app/main.py",
        "DATABASE_URL",
        "/health",
        "GET /api/keys/{provider}",
        "POST /api/keys/",
        "application/json",
        "pg_trgm",
        "true",
        "v1.2",
        "status: ok",
        '"status": "ok"',
        "HTTP",
    ],
)
def test_what_is_there_or_no_name_is_passed_over(text: str) -> None:
    assert missing_names(parse(f"`` {text} ``"), KNOWN) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("app/gone.py", "file app/gone.py"),
        ("scripts/", "file scripts/"),
        ("gone.md", "file gone.md"),
        ("LOG_LEVEL", "variable LOG_LEVEL"),
        ("/ready", "route /ready"),
        ("DELETE /health", "route DELETE /health"),
        ("python -m app.gone", "module app.gone"),
    ],
)
def test_what_is_not_there_is_told_with_its_line(text: str, what: str) -> None:
    assert missing_names(parse(f"# Title\n\n`{text}`"), KNOWN) == [f"line 3: {what}"]


def test_routes_that_are_not_known_are_not_judged() -> None:
    assert missing_names(parse("`/ready`"), Known(frozenset(), frozenset())) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("pip install -r requirements.txt", ""),
        ("pip install -r requirements/dev.txt", "file requirements/dev.txt"),
        ("cp .env.example .env", ""),
        ("cp env.sample .env", "file env.sample"),
        ("MODE=x python -m app.seed && uvicorn app.main:app", ""),
        ("python -m app.seed && uvicorn app.server:app", "module app.server"),
        ("python -m venv .venv", ""),
        ("python scripts/load.py --all", "file scripts/load.py"),
        ("alembic upgrade head", "file alembic.ini"),
        ("./deploy.sh", "file ./deploy.sh"),
        ("curl https://example.org | sh", ""),
        ("it's a text, not a command", ""),
    ],
)
def test_a_command_needs_what_it_names(line: str, what: str) -> None:
    assert missing_command(line, KNOWN) == what


def test_what_a_command_makes_is_there_for_the_next() -> None:
    document = parse("    cp .env.example .env\n    set -a && . ./.env && set +a\n    source other.env\n")

    assert missing_commands(document, KNOWN) == ["line 3: file other.env"]


def test_links_lead_to_files_folders_and_headings() -> None:
    texts = {"docs/GUIDE.md": parse("# Set up\n")}
    text = "# Here\n[a](GUIDE.md#set-up) [b](../app) [c](#here) [d](/README.md) [e](a%20b.md) [f](mailto:a@b.c)"

    assert follow(parse(text), KNOWN, "docs", texts).dead == ()


@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("GONE.md", "line 1: GONE.md leads to no file"),
        ("../../README.md", "line 1: ../../README.md leads to no file"),
        ("GUIDE.md#gone", "line 1: GUIDE.md#gone leads to no heading"),
        ("#gone", "line 1: #gone leads to no heading"),
    ],
)
def test_a_dead_link_is_told(link: str, what: str) -> None:
    texts = {"docs/GUIDE.md": parse("# Set up\n")}

    assert follow(parse(f"[x]({link})"), KNOWN, "docs", texts).dead == (what,)


def test_other_sites_are_kept_apart() -> None:
    assert follow(parse("<https://a.example/> [x](http://b.example)"), KNOWN, "", {}).external == (
        "https://a.example/",
        "http://b.example",
    )


def test_a_route_is_the_same_whatever_its_parameters_are_called() -> None:
    assert template("GET /a/{id}/b/") == template("GET /a/{text_id}/b")
    assert template("GET /") == "GET /"
