"""Who helps when something breaks, and where users ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from runbooks.checks.alerts import watched
from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, nothing_to_ask, passed, unknown, warned
from runbooks.engine.outcome import Verdict
from runbooks.environment import around
from runbooks.environment.people.oncall import OnCall, Shift, gaps
from runbooks.systems.support.discord import Invite
from runbooks.systems.support.github import Comment, Issue, Repository

COVERED = timedelta(days=7)
CONTACT = re.compile(r"\+[0-9][0-9 ().-]{5,}|[^\s@]+@[^\s@]+\.[^\s@]+")
SHOWN = 5
"""Issues that a finding names; the others are counted."""


@check("support.discord", severity=Severity.MINOR, evidence=Evidence.PROBE, target="discord")
def community(subject: Subject) -> Finding:
    expected = "the invite leads to a server with members online, and does not expire"
    code = subject.environment.support.discord.invite
    if code is None:
        return unknown(expected, "no invite is declared", "declare support.discord.invite")
    with around.discord(subject.site) as server:
        return invitation(expected, code, server.invite(code))


def invitation(expected: str, code: str, invite: Invite | None) -> Finding:
    """Whether whoever follows an invite meets somebody."""
    if invite is None:
        return failed(expected, f"Discord knows no invite {code}", "make a new one that never expires, and declare it")
    online, members = invite.approximate_presence_count, invite.approximate_member_count
    found = f"{invite.guild.name}: {online} of {members} members online"
    if online < 1:
        return failed(expected, found, "see whether the server is still used")
    if invite.expires_at is not None:
        return warned(expected, f"{found}; the invite expires on {invite.expires_at}", "make one that never expires")
    return passed(expected, found)


@check("support.github-issues", severity=Severity.MINOR, evidence=Evidence.PROBE, target="github")
def issues(subject: Subject) -> Finding:
    declared = subject.environment.support.github
    expected = f"no open issue has waited for an answer for more than {declared.answer_days} days"
    if declared.repository is None:
        return unknown(expected, "no repository is declared", "declare support.github.repository")
    with around.repository(subject.site, declared.repository) as repository:
        return answered(expected, repository, datetime.now(UTC) - timedelta(days=declared.answer_days))


def answered(expected: str, repository: Repository, before: datetime) -> Finding:
    """Whether every issue from before a moment has an answer: a comment by another person, not by a program."""
    found = list(repository.open_issues())
    old = [issue for issue in found if issue.created_at < before]
    waiting = [issue for issue in old if not issue.comments]
    commented = [issue for issue in old if issue.comments]
    if commented:
        comments = list(repository.comments_since(commented[0].created_at))
        waiting += [issue for issue in commented if not _has_answer(issue, comments)]
    if waiting:
        waiting.sort(key=lambda issue: issue.created_at)
        named = ", ".join(f"#{issue.number} since {issue.created_at:%Y-%m-%d}" for issue in waiting[:SHOWN])
        more = f", and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
        return failed(expected, f"{repository.name}: {named}{more}", "answer them")
    return passed(expected, f"{repository.name}: {len(found)} open, {len(old)} of them older and answered")


def _has_answer(issue: Issue, comments: list[Comment]) -> bool:
    return any(
        each.issue == issue.number and each.user.login != issue.user.login and not each.user.bot for each in comments
    )


@check("support.on-call", severity=Severity.MINOR, evidence=Evidence.CONFIG, target="people")
def on_call(subject: Subject) -> Finding:
    expected = f"somebody is on call now and for the next {COVERED.days} days, and can be called"
    rota, policy = subject.written.on_call, around.escalation_policy(subject.site)
    now = datetime.now(UTC)
    if policy is not None:
        shifts = around.shifts(subject.site, policy, now, now + COVERED)
        return covered(expected, shifts, now, f"escalation policy {policy} in PagerDuty")
    if rota is None:
        found = f"there is no oncall.toml in {subject.written.shown}, and no escalation policy is declared"
        return unknown(expected, found, "see inventory/example/oncall.toml, or declare support.pagerduty")
    finding = covered(expected, rota.shift, now, "oncall.toml")
    silent = unreachable(rota, now)
    if finding.verdict is Verdict.PASSED and silent:
        mend = "write a telephone number with its country code, or an e-mail address, into oncall.toml"
        return failed(expected, f"no contact that can be used: {', '.join(silent)}", mend)
    return finding


def covered(expected: str, shifts: Sequence[Shift], now: datetime, where: str) -> Finding:
    """Whether somebody is on call at any time."""
    end = now + COVERED
    holes = [(first.astimezone(UTC), last.astimezone(UTC)) for first, last in gaps(shifts, now, end)]
    if holes:
        told = "; from ".join(f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC" for first, last in holes)
        return failed(expected, f"nobody is on call from {told}", f"add a shift to {where}")
    return passed(expected, f"covered by {', '.join(sorted(_serving(shifts, now)))}: {where}")


def unreachable(rota: OnCall, now: datetime) -> list[str]:
    """Who is on call in the file, and has no contact that can be used."""
    serving = _serving(rota.shift, now)
    return [each.name for each in rota.person if each.name in serving and not CONTACT.fullmatch(each.contact)]


def _serving(shifts: Sequence[Shift], now: datetime) -> set[str]:
    return {shift.person for shift in shifts if shift.begins < now + COVERED and shift.ends > now}


@check("support.alerts", severity=Severity.MINOR, evidence=Evidence.PROBE, target="monitor", attestable=True)
def alerts(subject: Subject) -> Finding:
    expected = "monitors of the application tell somebody, and a test alert has arrived"
    finding = watched(subject, expected, database=False)
    if finding.verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        return finding
    return nothing_to_ask(
        expected, f"{finding.found}; whether one arrives, no system says", "send a test notification from the monitor"
    )
