"""A person's word counts where there is nothing to ask, and until the end of its last day in UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from runbooks import vouching
from runbooks.checks.declare import SiteCheck
from runbooks.checks.registry import known
from runbooks.engine.check import Finding, Result, failed, nothing_to_ask, passed, unknown, warned
from runbooks.engine.errors import Reason
from runbooks.engine.outcome import Verdict
from runbooks.environment.people.statements import Attestation, Attestations, Waiver, Waivers
from runbooks.environment.people.written import Written

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
CHECK: SiteCheck = replace(known()["redis.password"], attestable=True)
SILENCE = nothing_to_ask("alerts exist", "no monitor is declared", "declare [monitor]")


def attested(expires: date = date(2026, 12, 31), evidence: str = "https://wiki.example.org/x", **more: str) -> Written:
    word = Attestation(
        item=CHECK.id, statement="it is so", by="ada", on=date(2026, 5, 1), expires=expires, evidence=evidence, **more
    )
    return Written(environment="production", attestations=Attestations(attestation=(word,)))


def waived(until: date = date(2026, 6, 30)) -> Written:
    word = Waiver(item=CHECK.id, reason="it moves", owner="ada", on=date(2026, 5, 1), until=until)
    return Written(environment="production", waivers=Waivers(waiver=(word,)))


def settled(written: Written, finding: Finding, now: datetime = NOW, check: SiteCheck = CHECK) -> Finding:
    return vouching.settle(written, check, finding, now)


def test_where_there_is_nothing_to_ask_a_word_with_evidence_counts() -> None:
    finding = settled(attested(), SILENCE)

    assert finding.verdict is Verdict.ATTESTED
    assert (
        finding.found
    ) == "no monitor is declared; ada on 2026-05-01: it is so (https://wiki.example.org/x), until 2026-12-31"


@pytest.mark.parametrize(
    "answer",
    [
        passed("alerts exist", "3 alerts"),
        failed("alerts exist", "no alert", "make one"),
        warned("alerts exist", "one fires now", "see it"),
        unknown("alerts exist", "the monitor is down", "wait", Reason.UNREACHABLE),
        unknown("alerts exist", "the key was refused", "renew it", Reason.UNAUTHORISED),
        unknown("alerts exist", "not asked: --no-spend was given"),
    ],
)
def test_an_answer_always_wins_and_so_does_a_system_that_is_down(answer: Finding) -> None:
    assert settled(attested(), answer) == answer


def test_without_a_word_it_stays_unknown_and_says_how_to_give_one() -> None:
    finding = settled(Written(environment="production"), SILENCE)

    assert finding.verdict is Verdict.UNKNOWN
    assert finding.mend == (
        "declare [monitor]; or, where somebody knows: invoke checklist.attest redis.password --env production "
        "--statement … --evidence … --expires …"
    )


def test_a_check_that_is_not_attestable_takes_nobodys_word() -> None:
    assert settled(attested(), SILENCE, check=replace(CHECK, attestable=False)) == SILENCE


def test_a_word_counts_until_the_end_of_its_last_day_in_utc() -> None:
    last = date(2026, 12, 31)
    midnight = datetime(2027, 1, 1, tzinfo=UTC)

    assert settled(attested(last), SILENCE, midnight - timedelta(seconds=1)).verdict is Verdict.ATTESTED
    finding = settled(attested(last), SILENCE, midnight)
    assert finding.verdict is Verdict.FAILED
    assert "the attestation of ada expired on 2026-12-31" in finding.found


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ("", "does not count: without evidence"),
        ("scaling.md", "its evidence is not there: scaling.md"),
        ("https://", "its evidence https:// is no URL"),
    ],
)
def test_a_word_without_evidence_is_a_failure(evidence: str, said: str) -> None:
    finding = settled(attested(evidence=evidence), SILENCE)

    assert finding.verdict is Verdict.FAILED
    assert said in finding.found


def test_a_file_beside_the_word_is_evidence(tmp_path: Path) -> None:
    (tmp_path / "scaling.md").write_text("add replicas")

    finding = settled(replace(attested(evidence="scaling.md"), folder=tmp_path), SILENCE)

    assert finding.verdict is Verdict.ATTESTED


def test_a_newer_word_replaces_an_older_one() -> None:
    older, newer = attested(date(2026, 5, 2)), attested(date(2026, 12, 31))
    both = (*newer.attestations.attestation, *older.attestations.attestation)

    assert settled(replace(newer, attestations=Attestations(attestation=both)), SILENCE).verdict is Verdict.ATTESTED


def test_a_waiver_turns_failed_into_waived_and_keeps_what_was_found_and_how_to_mend_it() -> None:
    finding = settled(waived(), failed("a password", "none", "set one"))

    assert (finding.verdict, finding.mend) == (Verdict.WAIVED, "set one")
    assert finding.found == "none; waived by ada until 2026-06-30: it moves"


@pytest.mark.parametrize("answer", [passed("a", "b"), warned("a", "b", "c"), unknown("a", "b", "c"), SILENCE])
def test_a_waiver_changes_nothing_but_a_failure(answer: Finding) -> None:
    assert settled(waived(), answer, check=replace(CHECK, attestable=False)) == answer


def test_a_waiver_counts_until_the_end_of_its_last_day_in_utc_and_then_fails() -> None:
    midnight = datetime(2026, 7, 1, tzinfo=UTC)
    answer = failed("a password", "none", "set one")

    assert settled(waived(), answer, midnight - timedelta(seconds=1)).verdict is Verdict.WAIVED
    finding = settled(waived(), answer, midnight)
    assert finding.verdict is Verdict.FAILED
    assert finding.found == "none; the waiver of ada expired on 2026-06-30"


def test_a_word_that_counted_and_ends_soon_is_named() -> None:
    result = Result(CHECK.id, Finding(Verdict.WAIVED, "", ""), NOW, 0.1, 1)

    assert vouching.ending(waived(date(2026, 6, 14)), {CHECK.id: result}, NOW) == ("redis.password (2026-06-14)",)
    assert vouching.ending(waived(date(2026, 6, 15)), {CHECK.id: result}, NOW) == ()
    good = replace(result, finding=passed("", ""))
    assert vouching.ending(waived(date(2026, 6, 14)), {CHECK.id: good}, NOW) == ()
