"""Whether a user's own key is what reaches the provider, and nothing else of the user's."""

from __future__ import annotations

from datetime import UTC, datetime

from runbooks.checks.ai import ANSWER_SECONDS, SECONDS, canned, lesson_request, stood_in
from runbooks.checks.byok import PROVIDER
from runbooks.checks.declare import check
from runbooks.checks.health import PROVIDERS
from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason

OUT = "take the release out of service"


@check(
    "byok.used",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
    depends_on=("byok.save", "ai.lessons-openai"),
    seconds=SECONDS,
    spends=1,
)
def used(subject: Subject) -> Finding:
    """The saved key is one that no provider knows: a lesson with it must fail where the server's key succeeds."""
    expected = f"a lesson with the user's own, invalid {PROVIDER} key fails, or says that it fell back"
    if nothing := _nothing_to_ask(subject, expected):
        return nothing
    began = datetime.now(UTC).isoformat()
    answer = within_limits(
        subject.site.application.request(
            "POST",
            "/lesson/generate",
            json=lesson_request(subject, PROVIDER),
            headers=subject.journey.bearer(),
            seconds=ANSWER_SECONDS,
        )
    )
    if answer.status in (401, 403, 404, 422):
        return unknown(expected, f"the lesson was not tried: HTTP {answer.status}", "", Reason.BAD_ANSWER)
    if answer.status == 200 and not stood_in(answer.object().get("meta"), PROVIDER):
        found = "the lesson succeeded, so it was made with the server's key"
        return failed(expected, found, f"users' requests are paid by the server's key: {OUT}")
    problem, seen = _witnessed(subject, began)
    if problem:
        return failed(expected, f"HTTP {answer.status}, but {problem}", OUT)
    return passed(expected, f"HTTP {answer.status}{seen}")


def _nothing_to_ask(subject: Subject, expected: str) -> Finding | None:
    off = [name for name in ("BYOK_ENABLED", "LESSONS_ENABLED") if not subject.site.flag(name, default=True)]
    if off:
        return skipped(expected, f"{', '.join(off)} is false")
    if problem := canned(subject):
        return failed(expected, problem, "unset BYOK_FAKE")
    if not subject.variables.get(PROVIDERS[PROVIDER]):
        found = f"{PROVIDERS[PROVIDER]} is not set: with no key of the server's, a failure would prove nothing"
        return unknown(expected, found, "set it, and verify again", Reason.FAILED)
    return None


def _witnessed(subject: Subject, began: str) -> tuple[str, str]:
    """What reached the provider that should not have, or did not that should have; and what was seen."""
    if subject.arrivals.witness is None:
        return "", ""
    values = {"key": subject.journey.own_key.reveal(), "token": subject.journey.token()}
    body = {"vendor": PROVIDER, "since": began, "values": values}
    holding = subject.arrivals.witness.post("/witness/seen", json=body).object()["holding"]
    if holding["token"]:
        return f"the user's token was sent to {PROVIDER} in place of a key", ""
    if not holding["key"]:
        return f"{PROVIDER} never saw the user's key", ""
    return "", f"; {PROVIDER} saw the user's key, and not the user's token"
