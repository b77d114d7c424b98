"""The list of items is the document's: same boxes, same order, same sections."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

from runbooks.checks.items import BY_ID, GATED, ITEMS, SECTIONS
from runbooks.checks.registry import known
from tests.conftest import CHECKOUT

DOCUMENT = CHECKOUT.parent / "shared" / "seed" / "PRODUCTION_CHECKLIST.md"
BOX = re.compile(r"\s*(?:-|\d+\.) \[ \] (.*)")


@pytest.fixture
def boxes() -> list[tuple[str, str]]:
    """The document's boxes: section and text."""
    if not DOCUMENT.exists():
        pytest.skip(f"the operators' document is not beside this checkout: {DOCUMENT}")
    return list(_boxes(DOCUMENT))


def _boxes(document: Path) -> list[tuple[str, str]]:
    section, found = "", []
    for line in document.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
        elif match := BOX.match(line):
            found.append((section, match[1]))
    return found


def test_numbers_and_sections_are_the_documents(boxes: list[tuple[str, str]]) -> None:
    items, gates = boxes[:131], boxes[131:]

    assert [item.section for item in ITEMS] == [section for section, _ in items]
    assert [item.number for item in ITEMS] == list(range(1, 132))
    assert [re.sub(r"All \*\*(.*?)\*\*.*", r"\1", text) for _, text in gates] == list(GATED)


@pytest.mark.parametrize(
    ("id", "word"),
    [
        ("secrets.jwt-key-strong", "JWT_SECRET_KEY"),
        ("environment.dev-cors-off", "ALLOW_DEV_CORS"),
        ("email.spf-dkim-dmarc", "SPF/DKIM/DMARC"),
        ("postgres.pgvector", "pgvector"),
        ("migrations.rollback-plan", "Rollback plan"),
        ("health.providers", "/health/providers"),
        ("build.timeout-headroom", "Railway build timeout"),
        ("accounts.register", "create a new user"),
        ("byok.delete", "delete saved API keys"),
        ("reader.vocabulary", "Vocabulary lookups"),
        ("compliance.licence", "License file"),
        ("verification.authentication", "authentication flow"),
        ("rollback.database-restorable", "restore database"),
        ("support.on-call", "On-call rotation"),
        ("cost.usage-limits", "usage limits"),
    ],
)
def test_an_item_stands_at_the_number_of_its_box(id: str, word: str, boxes: list[tuple[str, str]]) -> None:
    assert word in boxes[BY_ID[id].number - 1][1]


def test_each_check_takes_number_and_section_from_its_item() -> None:
    for name, check in known().items():
        if check.number is not None:
            item = ITEMS[check.number - 1]
            assert (name, check.section) == (item.id, item.section)


def test_sections_come_in_one_piece_and_in_order() -> None:
    assert tuple(section for section, _ in groupby(item.section for item in ITEMS)) == SECTIONS
