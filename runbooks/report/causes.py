"""Unknown checks that share one cause are told once: a server that is down keeps dozens from being looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from runbooks.engine.outcome import Verdict
from runbooks.report.view import CheckView

_REQUEST = re.compile(r"\b[A-Z]+ (\w+://[^/\s]+)[^\s:]*")
"""A request as a fault names it; its path differs from check to check, its server does not."""


def together(checks: Iterable[CheckView]) -> tuple[CheckView, ...]:
    """The checks, each unknown one with the labels of those that have its cause, which are left out."""
    heads: dict[object, CheckView] = {}
    for check in checks:
        key = _cause(check)
        head = heads.get(key)
        heads[key] = check if head is None else replace(head, same_cause=(*head.same_cause, check.label))
    return tuple(heads.values())


def _cause(check: CheckView) -> object:
    if check.verdict is not Verdict.UNKNOWN:
        return check.id
    return check.reason, check.mend, _REQUEST.sub(r"\1", check.found)
