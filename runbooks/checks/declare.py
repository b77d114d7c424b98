"""``@check("secrets.jwt-key-strong", …)`` turns a function that looks into a `Check`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import timedelta

from runbooks.checks.items import BY_ID, FINAL
from runbooks.checks.subject import Subject
from runbooks.engine.check import Check, Evidence, Finding, Phase, Results, Severity
from runbooks.engine.errors import InputError

SiteCheck = Check[Subject]
Look = Callable[[Subject], Finding]


def check(
    id: str,
    *,
    severity: Severity,
    evidence: Evidence,
    target: str,
    phase: Phase = Phase.LIVE,
    valid_for: timedelta = timedelta(hours=24),
    depends_on: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    alone: bool = False,
    seconds: float | None = None,
    spends: int = 0,
    attestable: bool = False,
    title: str = "",
) -> Callable[[Look], SiteCheck]:
    """Declare a check. Number, section and title come from the list of the document's items.

    A probe of the document's closing section has no item: it gives its own ``title``. For the other arguments see
    `Check`; ``target`` is what is asked: ``application``, ``edge``, ``dns``, ``frontend``,
    ``postgres``, ``redis``, ``variables``, ``source`` …
    """
    item = BY_ID.get(id)
    if item is None and not title:
        near = difflib.get_close_matches(id, BY_ID, n=1)
        mend = f"did you mean {near[0]}?" if near else "invoke checklist.coverage lists them"
        raise InputError(f"no item of the document is called {id!r}", where="a check's declaration", mend=mend)

    def declare(look: Look) -> SiteCheck:
        def ask(subject: Subject, _known: Results) -> Finding:
            return look(subject)

        return Check(
            id=id,
            title=item.title if item else title,
            number=item.number if item else None,
            section=item.section if item else FINAL,
            severity=severity,
            evidence=evidence,
            phase=phase,
            valid_for=valid_for,
            depends_on=depends_on,
            after=after,
            target=target,
            look=ask,
            alone=alone,
            seconds=seconds or 10.0,
            spends=spends,
            attestable=attestable,
        )

    return declare
