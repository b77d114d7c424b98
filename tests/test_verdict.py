"""From results to GO, NO-GO or UNDECIDED."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from runbooks import verdict
from runbooks.checks.items import BY_ID, FINAL, GATED, ITEMS
from runbooks.checks.subject import Subject
from runbooks.engine.check import Check, Evidence, Finding, Phase, Result, Reused, Severity, passed
from runbooks.engine.outcome import Verdict
from runbooks.verdict import Judged, judge

GATED_ID = "secrets.jwt-key-strong"
UNGATED_ID = next(item.id for item in ITEMS if item.section not in GATED)
ALL = MappingProxyType({item.id: Verdict.PASSED for item in ITEMS})


def made_up(id: str, section: str | None = None) -> Check[Subject]:
    item = BY_ID.get(id)
    return Check(
        id=id,
        title=id,
        number=item.number if item else None,
        section=section or (item.section if item else FINAL),
        severity=Severity.CRITICAL,
        evidence=Evidence.PROBE,
        phase=Phase.LIVE,
        valid_for=timedelta(hours=1),
        depends_on=(),
        target="application",
        look=lambda _subject, _known: passed("", ""),
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check[Subject]]:
    """Every item of the document has a check, unless a test takes some away."""
    checks = {item.id: made_up(item.id) for item in ITEMS}
    monkeypatch.setattr(verdict, "known", lambda: checks)
    return checks


def judged(
    verdicts: Mapping[str, Verdict],
    known: Mapping[str, Check[Subject]],
    *,
    protected: bool = False,
    partial: bool = False,
    dirty: bool = False,
) -> tuple[str, int, str]:
    now = datetime.now(UTC)
    results = {id: Result(id, Finding(each, "", ""), now, 0.1, 1) for id, each in verdicts.items()}
    checks = [known.get(id) or made_up(id) for id in {**ALL, **verdicts} if id in known or id in verdicts]
    conclusion = judge(Judged("shop", protected, checks, results, partial, dirty))
    return conclusion.verdict, conclusion.exit_code, conclusion.facts["line"]


@pytest.mark.parametrize(
    ("changed", "word", "code"),
    [
        ({}, "GO", 0),
        ({GATED_ID: Verdict.FAILED}, "NO-GO", 3),
        ({GATED_ID: Verdict.UNKNOWN}, "UNDECIDED", 4),
        ({GATED_ID: Verdict.WARNED}, "GO", 0),
        ({GATED_ID: Verdict.SKIPPED}, "GO", 0),
        ({GATED_ID: Verdict.ATTESTED}, "GO", 0),
        ({GATED_ID: Verdict.WAIVED}, "GO", 0),
        ({GATED_ID: Verdict.UNKNOWN, "health.app": Verdict.FAILED}, "NO-GO", 3),
        ({UNGATED_ID: Verdict.FAILED}, "GO", 0),
        ({UNGATED_ID: Verdict.UNKNOWN}, "GO", 0),
        ({"final.health": Verdict.FAILED}, "NO-GO", 3),
        ({"final.health": Verdict.UNKNOWN}, "UNDECIDED", 4),
    ],
)
def test_the_worst_of_the_gated_sections_decides(
    changed: Mapping[str, Verdict], word: str, code: int, known: dict[str, Check[Subject]]
) -> None:
    assert judged({**ALL, **changed}, known, protected=True)[:2] == (word, code)


def test_a_check_that_was_not_asked_any_more_is_unknown(known: dict[str, Check[Subject]]) -> None:
    asked = {id: each for id, each in ALL.items() if id != GATED_ID}

    word, code, line = judged(asked, known)

    assert (word, code) == ("UNDECIDED", 4)
    assert "1 unknown" in line


def test_a_protected_environment_is_undecided_while_gated_items_have_no_check(
    known: dict[str, Check[Subject]],
) -> None:
    del known[GATED_ID]
    rest = {id: each for id, each in ALL.items() if id != GATED_ID}

    assert judged(rest, known, protected=True)[:2] == ("UNDECIDED", 4)
    assert judged(rest, known, protected=False)[:2] == ("GO", 0)
    assert judged({**rest, "health.app": Verdict.FAILED}, known, protected=True)[:2] == ("NO-GO", 3)
    assert "130 of the document's 131 items have a check, 1 gated ones have none" in judged(rest, known)[2]


def test_items_without_a_check_outside_the_gates_leave_a_protected_environment_go(
    known: dict[str, Check[Subject]],
) -> None:
    del known[UNGATED_ID]
    rest = {id: each for id, each in ALL.items() if id != UNGATED_ID}

    assert judged(rest, known, protected=True)[:2] == ("GO", 0)


def test_a_selection_says_that_it_was_one(known: dict[str, Check[Subject]]) -> None:
    line = judged({**ALL}, {GATED_ID: known[GATED_ID]}, partial=True)[2]

    assert "checks were selected" in line


def test_what_did_not_pass_outside_the_gates_is_counted_and_the_grave_ones_are_named(
    known: dict[str, Check[Subject]],
) -> None:
    by_number = {item.number: item.id for item in ITEMS}
    grave = [by_number[number] for number in (106, 107, 110)]
    changed = {UNGATED_ID: Verdict.FAILED, **dict.fromkeys(grave, Verdict.UNKNOWN)}

    _, code, line = judged({**ALL, **changed}, known)

    assert code == 0
    assert "4 not passed outside the gates" in line
    assert f"among them {', '.join(grave)}" in line
    assert "among them" not in judged({**ALL, UNGATED_ID: Verdict.FAILED}, known)[2]


def test_the_line_begins_with_word_and_environment(known: dict[str, Check[Subject]]) -> None:
    assert judged(ALL, known)[2].startswith("GO shop: 131 passed")


def test_users_that_may_be_left_are_told_in_the_line(known: dict[str, Check[Subject]]) -> None:
    assert "test users may be left" in judged(ALL, known, dirty=True)[2]
    assert "left" not in judged(ALL, known)[2]


def test_reused_evidence_is_told_with_its_oldest_time(known: dict[str, Check[Subject]]) -> None:
    at = datetime(2026, 5, 4, 3, 2, tzinfo=UTC)
    finding = passed("", "")
    result = Result(GATED_ID, finding, at, 0.1, 1, reused=Reused("earlier", at, finding))

    line = judge(Judged("shop", False, [known[GATED_ID]], {GATED_ID: result}, True)).facts["line"]

    assert "1 of them by evidence of earlier runs since 2026-05-04 03:02 UTC" in line
