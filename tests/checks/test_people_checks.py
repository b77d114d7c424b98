"""What people wrote down and what the services around say, judged: both verdicts, and the limits between them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.checks import alerts, cost, scaling, support
from runbooks.engine.outcome import Verdict
from runbooks.environment.people import announcing
from runbooks.environment.people.costs import Costs, Estimate, Figure, Reserve
from runbooks.environment.people.oncall import OnCall, Person, Shift
from runbooks.systems.support.datadog import Monitor, Options
from runbooks.systems.support.discord import Guild, Invite

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
TODAY = NOW.date()


def bill(amount: float = 20, on: date = TODAY) -> Figure:
    return Figure(monthly=amount, on=on, source="bill")


def monthly(reserve: Reserve | None) -> Costs:
    return Costs(
        currency="EUR", hosting=bill(50), database=bill(), redis=bill(), ai=bill(), email=bill(0), reserve=reserve
    )


def monitor(name: str, state: str = "OK", message: str = "@ada", *, muted: bool = False) -> Monitor:
    return Monitor(1, name, message, state, Options(silenced={"*": None} if muted else {}))


@pytest.mark.parametrize(("age", "verdict"), [(0, Verdict.PASSED), (34, Verdict.PASSED), (35, Verdict.FAILED)])
def test_a_figure_counts_while_it_is_younger_than_35_days(age: int, verdict: Verdict) -> None:
    costs = Costs(currency="EUR", ai=bill(on=TODAY - timedelta(days=age)))

    assert cost.figure("", costs, "ai", NOW).verdict is verdict


def test_a_cost_of_nothing_is_a_figure_and_a_missing_one_is_none() -> None:
    assert cost.figure("", Costs(currency="EUR", redis=bill(0)), "redis", NOW).verdict is Verdict.PASSED
    assert cost.figure("", Costs(currency="EUR"), "redis", NOW).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("reserve", "verdict"),
    [
        (Reserve(amount=22), Verdict.PASSED),
        (Reserve(amount=21.9), Verdict.FAILED),
        (Reserve(amount=0, share=0), Verdict.FAILED),
        (None, Verdict.FAILED),
    ],
)
def test_the_reserve_is_the_declared_share_of_a_month_at_least(reserve: Reserve | None, verdict: Verdict) -> None:
    assert cost.reserve("", monthly(reserve)).verdict is verdict


def test_a_share_of_an_unknown_cost_is_unknown() -> None:
    finding = cost.reserve("", Costs(currency="EUR", hosting=bill(), reserve=Reserve(amount=1000)))

    assert finding.verdict is Verdict.UNKNOWN
    assert "no database, redis, ai, email" in finding.found


@pytest.mark.parametrize(
    ("ages", "verdict"), [((0, 100), Verdict.PASSED), ((0, 101), Verdict.FAILED), ((0,), Verdict.FAILED)]
)
def test_estimates_are_two_at_least_and_not_old(ages: tuple[int, ...], verdict: Verdict) -> None:
    estimate = [Estimate(level=f"{age}", monthly=1, on=TODAY - timedelta(days=age)) for age in ages]

    assert scaling.estimates("", Costs(currency="EUR", estimate=tuple(estimate)), NOW).verdict is verdict


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        ([], Verdict.FAILED, "no monitor with the tag service:x"),
        ([monitor("a")], Verdict.PASSED, "1 with the tag"),
        ([monitor("a"), monitor("b", muted=True)], Verdict.PASSED, "'b' muted"),
        ([monitor("a", muted=True), monitor("b", "No Data")], Verdict.FAILED, "none helps"),
        ([monitor("a", message="nobody")], Verdict.FAILED, "tells nobody"),
        ([monitor("a", "Alert"), monitor("b")], Verdict.WARNED, "alerting now: a"),
    ],
)
def test_one_monitor_that_sees_and_tells_is_enough(found: list[Monitor], verdict: Verdict, said: str) -> None:
    finding = alerts.judged("", "service:x", found)

    assert finding.verdict is verdict
    assert said in finding.found


@pytest.mark.parametrize(
    ("invite", "verdict"),
    [
        (None, Verdict.FAILED),
        (Invite(Guild("PRAVIEL"), 94, 0), Verdict.FAILED),
        (Invite(Guild("PRAVIEL"), 94, 1), Verdict.PASSED),
        (Invite(Guild("PRAVIEL"), 94, 1, "2026-06-01T00:00:00+00:00"), Verdict.WARNED),
    ],
)
def test_an_invite_leads_to_somebody_for_ever(invite: Invite | None, verdict: Verdict) -> None:
    assert support.invitation("", "abc", invite).verdict is verdict


def rota(*hours: int, contact: str = "+41 00 000 00 00") -> OnCall:
    """Shifts of Ada, one after the other, that begin and end at these hours from now."""
    moments = [NOW + timedelta(hours=hour) for hour in hours]
    shifts = [Shift(person="Ada", begins=a, ends=b) for a, b in itertools.pairwise(moments)]
    return OnCall(person=(Person(name="Ada", contact=contact),), shift=tuple(shifts))


@pytest.mark.parametrize(
    ("hours", "verdict"),
    [((-1, 24, 7 * 24), Verdict.PASSED), ((0, 7 * 24 - 1), Verdict.FAILED), ((1, 8 * 24), Verdict.FAILED)],
)
def test_the_rota_covers_now_and_seven_days(hours: tuple[int, ...], verdict: Verdict) -> None:
    assert support.covered("", rota(*hours).shift, NOW, "oncall.toml").verdict is verdict


@pytest.mark.parametrize("contact", ["ada@example.org", "+41 (0)44 000 00 00"])
def test_whoever_is_on_call_can_be_called(contact: str) -> None:
    assert support.unreachable(rota(-1, 8 * 24, contact=contact), NOW) == []


@pytest.mark.parametrize("contact", ["", "044 000 00 00", "ask Grace"])
def test_whoever_can_not_be_called_is_named(contact: str) -> None:
    assert support.unreachable(rota(-1, 8 * 24, contact=contact), NOW) == ["Ada"]


def test_whoever_is_not_on_call_now_needs_no_contact() -> None:
    people = (Person(name="Ada", contact="ada@example.org"), Person(name="Grace"))
    shifts = (*rota(-1, 8 * 24).shift, Shift(person="Grace", begins=NOW + timedelta(9), ends=NOW + timedelta(10)))

    assert support.unreachable(OnCall(person=people, shift=shifts), NOW) == []


@pytest.mark.parametrize("kind", announcing.KINDS)
@pytest.mark.parametrize("state", announcing.STATES)
def test_every_text_is_readable_in_every_state(tmp_path: Path, kind: str, state: str) -> None:
    facts = announcing.Facts(state=state, release="v2", previous="v1", at=NOW, lost=NOW, details="Thank you.")

    text = announcing.render(kind, tmp_path, facts)

    assert text.startswith("**")
    assert text.endswith("2026-05-31 12:00 UTC")
    assert "Thank you." in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("{{ nobody }}", "deploy.md.j2: 'nobody' is undefined"),
        ("{% if %}", "deploy.md.j2, line 1"),
        ("x" * 2001, "2001 characters"),
        (" ", "0 characters"),
    ],
)
def test_a_text_of_ones_own_is_used_and_its_mistakes_are_told(tmp_path: Path, own: str, problem: str) -> None:
    (tmp_path / "announcements").mkdir()
    (tmp_path / "announcements" / "deploy.md.j2").write_text(own)

    assert [problem in each for each in announcing.problems(tmp_path)] == [True]
