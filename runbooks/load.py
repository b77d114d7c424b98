"""``invoke release.load``: does the application bear the expected load? An open-loop rehearsal, measured and kept."""

from __future__ import annotations

from collections.abc import Iterable

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.options import number
from runbooks.steps import load
from runbooks.steps.load import Rehearsal
from runbooks.systems.load.generator import require_installed

MET, MISSED = "MET", "MISSED"
MISSED_EXIT_CODE = 3


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together.

    Raises:
        InputError: the load is not declared, or the load generator is not installed.
    """
    site = Site(opening.environment, opening.redactor)
    _ = site.application
    declared = opening.environment.load
    work = Rehearsal(
        site=site,
        rate=number(opening.parameters.get("rate"), "--rate", default=declared.rate or 0.0),
        minutes=number(opening.parameters.get("minutes"), "--minutes", default=declared.minutes),
    )
    load.refuse_undeclared(work)
    require_installed()
    return Prepared(runbook(work.minutes), work, site.close)


def runbook(minutes: float) -> Runbook[Rehearsal]:
    """The procedure. It changes nothing in the environment but how busy it is: no other run may change it meanwhile."""
    return Runbook(
        name="release.load",
        title="Rehearse the expected load",
        changes=True,
        conclude=conclude,
        steps=(
            Step(
                name="load",
                title="Put the load on the application",
                act=load.put_load,
                plan=plan,
                seconds=minutes * 60 + 180,
            ),
        ),
    )


def plan(work: Rehearsal) -> Iterable[str]:
    """What would be asked, and what is allowed."""
    order, declared = work.order, work.declared
    yield f"{order.requests} requests to {order.url}: {', '.join(order.paths)}, {order.rate:g} a second"
    yield (f"allowed: p95 {declared.p95_ms:g} ms, p99 {declared.p99_ms:g} ms, {declared.max_error_percent:g} % failed")


def conclude(work: Rehearsal) -> Conclusion:
    """Whether the budget was met."""
    assert work.told is not None, "the step before has measured"
    missed = work.told["missed"]
    word = MISSED if missed else MET
    label = work.site.environment.label
    text = f"{word} {label}: {load.summary(work.told)}" + (f"; {', '.join(missed)}" if missed else "")
    return Conclusion(word, MISSED_EXIT_CODE if missed else 0, {"verdict": word, "line": text, "partial": False})
