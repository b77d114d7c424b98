"""Whether somebody is told: the monitors of a tag, judged."""

from __future__ import annotations

from collections.abc import Sequence

from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding, failed, nothing_to_ask, passed, warned
from runbooks.environment import around
from runbooks.systems.support.datadog import Monitor

FIRING = "Alert"


def watched(subject: Subject, expected: str, *, database: bool) -> Finding:
    """Whether at least one monitor of the application, or of its database, sees it and tells somebody."""
    declared = subject.environment.monitor
    if declared is None:
        return nothing_to_ask(expected, "no monitor is declared", "declare [monitor]")
    tag = declared.database_tag if database else declared.application_tag
    return judged(expected, tag, around.monitors(subject.site, declared, tag))


def judged(expected: str, tag: str, found: Sequence[Monitor]) -> Finding:
    """The same of what Datadog listed."""
    if not found:
        return failed(expected, f"Datadog has no monitor with the tag {tag}", f"make one there, with the tag {tag}")
    useless = [f"{each.name!r} {each.problem}" for each in found if each.problem]
    if len(useless) == len(found):
        return failed(
            expected, f"of {len(found)} monitors with the tag {tag} none helps: {'; '.join(useless)}", "see it"
        )
    told = f"{len(found)} with the tag {tag}, {len(found) - len(useless)} of them would tell somebody"
    told += f"; {'; '.join(useless)}" if useless else ""
    firing = [each.name for each in found if each.overall_state == FIRING]
    if firing:
        return warned(expected, f"{told}; alerting now: {', '.join(firing)}", "see Datadog before anything is changed")
    return passed(expected, told)
