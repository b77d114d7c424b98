"""Keys that were committed, and perhaps deleted since: history keeps them for everybody who has a clone."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.secrets import ENCRYPTION, JWT
from runbooks.checks.source_contents import Contents, line_of, shapes
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason

SHOWN = 3


@check(
    "secrets.jwt-key-not-in-code",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="source",
    seconds=60,
)
def jwt_key_not_in_code(subject: Subject) -> Finding:
    expected = f"{JWT} and {ENCRYPTION} stand in no file of the checkout and its history, in no encoding"
    held = {name: shapes(subject.variables[name].reveal()) for name in (JWT, ENCRYPTION) if subject.variables.get(name)}
    if not held:
        return unknown(expected, "neither is set, so neither can be looked for", f"set {JWT}", Reason.FAILED)
    contents = Contents(subject)
    found = [
        f"{name} stands in {content.place(line_of(content.data, content.data.index(shape)))}"
        for content in contents
        for name, known in held.items()
        if (shape := next((shape for shape in known if shape in content.data), None))
    ]
    if found:
        mend = "replace the key: whoever has a clone knows it; then rewrite the history, or leave the dead key in it"
        more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return failed(expected, "; ".join(found[:SHOWN]) + more, mend)
    return passed(expected, f"{' and '.join(held)} in none of {contents.account}")
