"""What a database's URL says before anybody connects."""

from __future__ import annotations

import pytest

from runbooks.checks.final_driver import pooler, refused_options
from runbooks.checks.migrations import another_database

OWN = "postgresql://app:secret@db.example.org:5432/praviel"


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("", []),
        ("?sslmode=require", []),
        ("?statement_cache_size=0", []),
        ("?sslmode=require&channel_binding=require", ["channel_binding"]),
        ("?connect_timeout=5&options=", ["connect_timeout", "options"]),
    ],
)
def test_options_that_the_driver_refuses_are_named(query: str, refused: list[str]) -> None:
    assert refused_options(OWN + query) == refused


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (OWN, ""),
        ("postgresql://a:b@ep-cool-1-pooler.eu.neon.example/db", "host ep-cool-1-pooler.eu.neon.example"),
        ("postgresql://a:b@db.example.org:6543/db", "port 6543"),
        ("postgresql://a:b@db.example.org:port/db", ""),
    ],
)
def test_a_pooled_endpoint_is_recognised(url: str, told: str) -> None:
    assert pooler(url) == told


@pytest.mark.parametrize(
    "sync",
    [
        None,
        "",
        OWN,
        "postgresql+psycopg://other:pw@db.example.org/praviel",
        "postgresql://app@db-pooler.example.org:6543/praviel",
    ],
)
def test_the_same_database_is_the_same_by_another_way(sync: str | None) -> None:
    assert another_database(OWN, sync) == ""


@pytest.mark.parametrize(
    ("sync", "place"),
    [
        ("postgresql://app:secret@db.example.org:5432/staging", "db.example.org:5432/staging"),
        ("postgresql://app:secret@old.example.org/praviel", "old.example.org:5432/praviel"),
        ("postgresql://app:secret@db.example.org:5433/praviel", "db.example.org:5433/praviel"),
    ],
)
def test_another_one_is_told_without_the_password(sync: str, place: str) -> None:
    told = another_database(OWN, sync)

    assert f"leads to {place}" in told
    assert "secret" not in told
