"""Dates and licences, as they stand in documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from runbooks.checks.compliance_documents import newest_date, recognised
from tests.conftest import CHECKOUT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Last updated: 2026-03-01", date(2026, 3, 1)),
        ("Effective 1 March 2026.", date(2026, 3, 1)),
        ("Effective March 1st, 2026.", date(2026, 3, 1)),
        ("First 2024-01-02, changed 3 May 2025", date(2025, 5, 3)),
        ("2026-02-30", None),
        ("Version 3, no day", None),
    ],
)
def test_the_newest_day_is_found_however_it_is_written(text: str, found: date | None) -> None:
    assert newest_date(text) == found


def test_a_day_to_come_is_none() -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)

    assert newest_date(f"Valid until {tomorrow}; written 2025-01-01") == date(2025, 1, 1)


def test_a_licence_of_the_list_is_recognised() -> None:
    assert recognised((CHECKOUT / "LICENSE").read_text()) == ["MIT"]


def test_a_text_of_ones_own_is_none() -> None:
    assert recognised("Use it as you like, but be kind.") == []
