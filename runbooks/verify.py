"""``invoke release.verify``: is it safe to go live? Every check that applies, one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from runbooks import vouching
from runbooks.catalog import Opening, Prepared
from runbooks.checks import registry
from runbooks.checks.declare import SiteCheck
from runbooks.checks.items import FINAL, ITEMS, SECTIONS
from runbooks.checks.journey import Journey, needs_the_user
from runbooks.checks.subject import Subject
from runbooks.engine.check import Result, unknown
from runbooks.engine.checking import Questioning, ask_all, closure
from runbooks.engine.errors import InputError
from runbooks.engine.step import Conclusion, Runbook, Scope, Step
from runbooks.environment.people.written import read_all
from runbooks.environment.site import Site
from runbooks.evidence import find_earlier
from runbooks.steps import accounts
from runbooks.verdict import Judged, judge


@dataclass
class Verification:
    """What the steps of a verification share."""

    subject: Subject
    checks: Sequence[SiteCheck]
    runs: Path
    partial: bool
    no_spend: bool
    dirty: bool = False
    commit: str | None = None
    fingerprint: str | None = None
    results: dict[str, Result] = field(default_factory=dict)


def select(section: str | None, only: str | None) -> tuple[list[SiteCheck], bool]:
    """The checks that a command line asks for, with all that they depend on; and whether that is not all of them.

    Raises:
        InputError: a section or an id is unknown; the message suggests.
    """
    known = registry.known()
    wanted = list(known)
    if section:
        wanted = [name for name in wanted if known[name].section == _section(section)]
    if only is not None:
        ids = _ids(only)
        for name in ids:
            if name not in known:
                raise _unknown_check(name, known)
        wanted = [name for name in wanted if name in ids]
    if not wanted:
        raise InputError("no check is left by this selection", mend="invoke checklist.coverage lists what is built")
    chosen = set(closure(known, wanted))
    return [check for name, check in known.items() if name in chosen], len(chosen) < len(known)


def _ids(only: str) -> list[str]:
    """The ids in a list with commas; a number stands for the document's item.

    Raises:
        InputError: the list is empty, as an unset variable of a script makes it.
    """
    names = [name.strip() for name in only.split(",") if name.strip()]
    if not names:
        raise InputError("--only names no check", mend="name one, or leave --only out")
    by_number = {str(item.number): item.id for item in ITEMS}
    return [by_number.get(name, name) for name in names]


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for an environment; the sandbox is started first if it is the one that is asked.

    Raises:
        InputError: the selection or a file of people is wrong, or variables or secrets can't be read.
    """
    parameters = opening.parameters
    checks, partial_run = select(parameters.get("section"), parameters.get("only"))
    site = Site(opening.environment, opening.redactor)
    _ = site.application  # without its address there is nothing to verify: said before a run begins
    written = read_all(opening.environment, vouching.items(), datetime.now(UTC))
    journey = Journey(lambda: site.application, opening.environment.application.test_email_domain, opening.run)
    opening.redactor.add(journey.password, journey.own_key)
    work = Verification(
        subject=Subject(site, journey, written),
        checks=checks,
        runs=opening.runs,
        partial=partial_run,
        no_spend=bool(parameters.get("no_spend")),
    )
    return Prepared(runbook(), work, work.subject.close)


def runbook() -> Runbook[Verification]:
    """The procedure."""
    return Runbook(
        name="release.verify",
        title="Verify a release",
        changes=False,
        conclude=conclude,
        steps=(
            Step(name="identify", title="Say which release is judged", act=identify),
            Step(name="open-account", title="Register a throw-away user", act=open_account, plan=plan_account),
            Step(
                name="check", title="Ask what can be asked at once", act=check_at_once, plan=plan_at_once, seconds=180
            ),
            Step(
                name="measure",
                title="Measure what must be measured alone",
                act=measure_alone,
                plan=plan_alone,
                seconds=180,
            ),
            Step(name="clean-up", title="Erase the throw-away user", act=clean_up, always=True),
        ),
    )


def identify(work: Verification, scope: Scope) -> str:
    """Note which release is judged: its commit, and a keyed fingerprint of its variables."""
    site = work.subject.site
    work.commit, work.fingerprint = site.commit, site.variables_fingerprint()
    text = f"commit {work.commit}" if work.commit else "the commit is not known"
    scope.record("release", commit=work.commit, fingerprint=work.fingerprint, text=text)
    return text


def open_account(work: Verification, scope: Scope) -> str:
    """Register this run's user, if a selected check looks at it."""
    if not needs_the_user(check.id for check in work.checks):
        return "no selected check needs one"
    work.subject.site.warm_up()
    return accounts.register(work.subject, scope)


def check_at_once(work: Verification, scope: Scope) -> str:
    """Ask everything that does not have to be alone, as parallel as the targets allow."""
    scope.record("checks", checks=[_declared(check) for check in work.checks])
    late = _alone_or_after(work.checks)
    return _ask(work, scope, [check for check in work.checks if check.id not in late], at_once=True)


def measure_alone(work: Verification, scope: Scope) -> str:
    """Ask what measures time, one after the other, and what sums that up."""
    late = _alone_or_after(work.checks)
    return _ask(work, scope, [check for check in work.checks if check.id in late], at_once=False)


def clean_up(work: Verification, scope: Scope) -> str:
    """Erase what this run registered, and what killed runs left behind."""
    work.dirty = True
    told = accounts.erase(work.subject, scope, work.runs)
    work.dirty = False
    return told


def conclude(work: Verification) -> Conclusion:
    """The verdict of the run."""
    return judge(
        Judged(
            label=work.subject.environment.label,
            protected=work.subject.environment.protected,
            checks=work.checks,
            results=work.results,
            partial=work.partial,
            dirty=work.dirty,
            ending=vouching.ending(work.subject.written, work.results, datetime.now(UTC)),
        )
    )


def plan_at_once(work: Verification) -> Iterable[str]:
    """What a run would ask at once, section by section, without asking it."""
    late = _alone_or_after(work.checks)
    for section in (*SECTIONS, FINAL):
        names = [check.id for check in work.checks if check.section == section and check.id not in late]
        if names:
            yield f"{section}: {', '.join(names)}"
    yield f"requests to providers that cost money: {sum(check.spends for check in work.checks)}"


def plan_alone(work: Verification) -> Iterable[str]:
    """What a run would measure."""
    yield ", ".join(sorted(_alone_or_after(work.checks))) or "nothing"


def plan_account(work: Verification) -> Iterable[str]:
    """The only thing a verification creates."""
    if needs_the_user(check.id for check in work.checks):
        domain = work.subject.environment.application.test_email_domain
        yield (
            f"POST {work.subject.site.application}/api/v1/auth/register: a user at {domain}, erased at the end"
            if domain
            else ("no test account: application.test_email_domain is not declared")
        )


def _ask(work: Verification, scope: Scope, checks: Sequence[SiteCheck], *, at_once: bool) -> str:
    settings = work.subject.environment.checks
    work.subject.site.stopping = scope.stop_event

    def on_result(check: SiteCheck, result: Result) -> None:
        scope.record("check", **_told(check, result))

    earlier = partial(find_earlier, work.runs, scope.run, work.commit, work.fingerprint)
    if work.no_spend:
        checks = [_left_out(check) if check.spends else check for check in checks]
    how = Questioning(
        tools=work.subject,
        cap=settings.concurrency_per_target if at_once else 1,
        stopping=scope.stop_event,
        reuse=earlier,
        on_result=on_result,
        settle=partial(vouching.settle, work.subject.written),
    )
    fresh = ask_all(how, checks, work.results)
    work.results |= fresh
    told = [f"{len(fresh)} checks asked"]
    if scope.stopping:
        told.append(f"{len(checks) - len(fresh)} not any more")
    if spent := sum(check.spends for check in checks if check.id in fresh and fresh[check.id].attempts):
        told.append(f"at most {spent} requests to providers that cost money")
    return ", ".join(told)


def _left_out(check: SiteCheck) -> SiteCheck:
    """The check without its question, where the operator spends nothing."""
    why = f"not asked: it makes {check.spends} requests that cost money, and --no-spend was given"
    finding = unknown(check.title, why, "run again without --no-spend")
    return replace(check, look=lambda _subject, _known: finding, depends_on=(), alone=False, spends=0)


def _alone_or_after(checks: Sequence[SiteCheck]) -> set[str]:
    """Checks that measure time, and those that wait for one."""
    late: set[str] = set()
    for check in checks:  # in an order in which each stands after what it depends on
        if check.alone or late.intersection(check.depends_on):
            late.add(check.id)
    return late


def _section(wanted: str) -> str:
    titles = (*SECTIONS, FINAL)
    matches = [title for title in titles if title.lower().startswith(wanted.strip().lower())]
    if len(matches) != 1:
        raise InputError(f"no section is called {wanted!r}", found=", ".join(titles), mend="give the beginning of one")
    return matches[0]


def _unknown_check(name: str, known: Mapping[str, SiteCheck]) -> InputError:
    import difflib

    near = difflib.get_close_matches(name, [*known, *(item.id for item in ITEMS)], n=1)
    if near and near[0] not in known:
        return InputError(f"no check is built yet for {near[0]}", mend="invoke checklist.coverage lists what is built")
    mend = f"did you mean {near[0]}?" if near else "invoke checklist.coverage lists them"
    return InputError(f"no check is called {name!r}", where="--only", mend=mend)


def _declared(check: SiteCheck) -> dict[str, Any]:
    return {
        "id": check.id,
        "number": check.number,
        "section": check.section,
        "title": check.title,
        "severity": check.severity,
        "evidence": check.evidence,
        "phase": check.phase,
        "depends_on": list(check.depends_on),
        "gate": check.gate,
    }


def _told(check: SiteCheck, result: Result) -> dict[str, Any]:
    finding, reused = result.finding, result.reused
    return _declared(check) | {
        "verdict": finding.verdict,
        "expected": finding.expected,
        "found": finding.found,
        "mend": finding.mend,
        "reason": finding.reason,
        "started": result.started.isoformat(timespec="milliseconds"),
        "seconds": result.seconds,
        "attempts": result.attempts,
        "reused": {"run": reused.run, "at": reused.at.isoformat(timespec="seconds")} if reused else None,
    }
