"""How many workers serve the application, by the rule of the plan that it runs on."""

from __future__ import annotations

import re
from datetime import timedelta

from runbooks.checks.declare import check
from runbooks.checks.items import BY_ID
from runbooks.checks.subject import Subject
from runbooks.engine.check import Check, Evidence, Finding, Phase, Results, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import SystemFault
from runbooks.engine.outcome import Verdict
from runbooks.environment.hosting import WorkerPlan

RULES = ("capacity.workers-railway-free", "capacity.workers-railway-paid", "capacity.workers-dedicated")
DECLARE = "declare platform.worker_plan: railway-free, railway-paid or dedicated"
_LITERAL = re.compile(r"--workers[ =](\d+)\b")


@check(
    "capacity.workers-railway-free",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def railway_free(subject: Subject) -> Finding:
    return _other_plan(subject, WorkerPlan.RAILWAY_FREE) or _judged(subject, range(1, 2), "one worker")


@check(
    "capacity.workers-railway-paid",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def railway_paid(subject: Subject) -> Finding:
    return _other_plan(subject, WorkerPlan.RAILWAY_PAID) or _judged(subject, range(2, 5), "2 to 4 workers")


@check(
    "capacity.workers-dedicated",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="platform",
)
def dedicated(subject: Subject) -> Finding:
    if other := _other_plan(subject, WorkerPlan.DEDICATED):
        return other
    cores = subject.site.platform.host().cores
    right = 2 * cores + 1
    return _judged(subject, range(right, right + 1), f"2 × {cores} cores + 1 = {right} workers")


def _other_plan(subject: Subject, plan: WorkerPlan) -> Finding | None:
    declared = subject.site.worker_plan
    expected = f"the number of workers is that of the {plan} plan"
    if declared is None:
        return unknown(expected, "it is not declared which plan the application runs on", DECLARE)
    return None if declared is plan else skipped(expected, f"the plan is {declared}")


def _judged(subject: Subject, right: range, rule: str) -> Finding:
    number, found = _workers(subject)
    expected = f"{rule} on the {subject.site.worker_plan} plan"
    if number in right:
        return passed(expected, found)
    near = min(right, key=lambda each: abs(each - number))
    return failed(
        expected, f"{found}, not {rule}", f"set UVICORN_WORKERS={near}, then restart; see postgres.max-overflow"
    )


def _workers(subject: Subject) -> tuple[int, str]:
    """How many workers the release is started with, and where that is said."""
    try:
        literal = _LITERAL.search(subject.site.source.start_command())
    except SystemFault:
        literal = None  # no checkout to look at: then it is the variable, as the release's own command has it
    if literal:
        return int(literal[1]), f"the start command says {literal[0]}"
    number = subject.site.number("UVICORN_WORKERS", default=1)
    unset = subject.site.variable("UVICORN_WORKERS") is None
    return number, f"UVICORN_WORKERS is {number}" + (" (the default)" if unset else "")


def _sum_up(_subject: Subject, known: Results) -> Finding:
    expected = "the number of workers is that of the declared plan"
    applying = [name for name in RULES if known[name].verdict is not Verdict.SKIPPED]
    bad = [name for name in applying if known[name].verdict is Verdict.FAILED]
    if bad:
        return failed(expected, f"{bad[0]}: {known[bad[0]].finding.found}", known[bad[0]].finding.mend)
    if len(applying) != 1 or known[applying[0]].verdict is not Verdict.PASSED:
        return unknown(expected, "it can't be told which rule holds, or it can't be looked at", DECLARE)
    return passed(expected, f"{known[applying[0]].finding.expected}: {known[applying[0]].finding.found}")


_ITEM = BY_ID["capacity.workers"]

workers = Check(
    id=_ITEM.id,
    title=_ITEM.title,
    number=_ITEM.number,
    section=_ITEM.section,
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    valid_for=timedelta(hours=24),
    depends_on=RULES,
    target="results",
    look=_sum_up,
    gate=True,
)
