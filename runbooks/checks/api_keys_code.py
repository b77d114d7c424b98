"""API keys and other credentials in the source and its history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from runbooks.checks.declare import check
from runbooks.checks.secrets import ENCRYPTION, JWT
from runbooks.checks.source_contents import Content, Contents, line_of, shapes
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed
from runbooks.environment.sensitive import sensitive
from runbooks.systems.source.keys import KeyScanner

SHORTEST = 16
"""Characters. A shorter value of a variable ("change-me", "postgres") stands in many texts by chance."""

SHOWN = 3


@check(
    "api-keys.not-in-code",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="source",
    seconds=60,
)
def not_in_code(subject: Subject) -> Finding:
    expected = "neither a variable's secret value nor anything like an API key stands in the checkout or its history"
    values = {
        secret.name: shapes(secret.reveal())
        for secret in sensitive(subject.variables)
        if len(secret.reveal()) >= SHORTEST and "://" not in secret.reveal() and secret.name not in (JWT, ENCRYPTION)
    }
    allowed = {(entry.path, entry.line) for entry in subject.environment.release.allowances}
    contents = Contents(subject)
    found: dict[str, str] = {}
    passed_over = 0
    with KeyScanner(subject.site.cache / "key-rules") as scanner:
        for content in contents:
            for name, line in _sights(content, scanner, values):
                entry = (content.path, line_mark(content.data, line))
                if entry in allowed:
                    passed_over += 1
                else:
                    found.setdefault(f"{name} in {content.place(line)}", " ".join(entry))
    if found:
        mend = (
            "revoke the key at its provider; if it is none: release.allowed_secrets ="
            f" {json.dumps([f'{mark} REASON' for mark in dict.fromkeys(found.values())])}"
        )
        more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return failed(expected, "; ".join(list(found)[:SHOWN]) + more, mend)
    allowances = f"; {passed_over} times the inventory allows it" if passed_over else ""
    return passed(expected, f"none in {contents.account}{allowances}")


def line_mark(data: bytes, line: int) -> str:
    """What stands in an allowance for a line's text: it holds wherever the line moves to, until its text changes."""
    lines = data.split(b"\n")
    text = lines[line - 1].strip() if 0 < line <= len(lines) else b""
    return hashlib.sha256(text).hexdigest()[:16]


def _sights(
    content: Content, scanner: KeyScanner, values: Mapping[str, tuple[bytes, ...]]
) -> Iterator[tuple[str, int]]:
    """What is wrong in a content, in words without the value, and on which line."""
    known = set()
    for name, forms in values.items():
        form = next((form for form in forms if form in content.data), None)
        if form:
            line = line_of(content.data, content.data.index(form))
            known.add(line)
            yield f"the value of {name}", line
    for sight in scanner.find(content.path, content.data):
        if sight.line not in known:
            yield f"what looks like a key ({sight.rule})", sight.line
