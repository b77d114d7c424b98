"""Records of runs as the engine and the runbooks write them: a builder, and the runs that the tests look at."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from runbooks.checks.items import FINAL, GATED, ITEMS, SECTIONS
from runbooks.engine.journal import ORIGIN, Record

VERDICTS = ("passed", "failed", "warned", "skipped", "attested", "waived", "unknown")


class Story:
    """Adds one record after another, with a clock of its own."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.now = datetime(2026, 11, 23, 5, 2, 12, tzinfo=UTC)
        self.asked: list[dict[str, Any]] = []

    def add(self, kind: str, after: float = 0.01, **data: Any) -> Story:
        self.now += timedelta(seconds=after)
        prev = self.records[-1].hash if self.records else ORIGIN
        draft = Record(len(self.records) + 1, self.now, kind, data, prev, "")
        self.records.append(Record(draft.seq, draft.at, kind, data, prev, draft.expected_hash()))
        return self

    def begin(self, runbook: str, title: str, *steps: tuple[str, str], **changed: Any) -> Story:
        facts = {
            "run": f"20261123T050212Z-{runbook}-k3f9",
            "runbook": runbook,
            "title": title,
            "environment": "local",
            "label": "local (sandbox)",
            "protected": False,
            "sandbox": True,
            "operator": "ada@atelier",
            "tool": "praviel-runbooks 0.1.0",
            "parameters": {},
            "steps": [{"name": name, "title": title} for name, title in steps],
            "digest": "d" * 64,
            "previous": None,
        }
        return self.add("run", **{**facts, **changed})

    def intent(self, step: str, attempt: int = 1) -> Story:
        return self.add("intent", step=step, attempt=attempt, before={})

    def outcome(
        self,
        step: str,
        outcome: str = "ok",
        text: str = "done",
        seconds: float = 1.0,
        attempt: int = 1,
        reason: str | None = None,
        after: float | None = None,
    ) -> Story:
        facts: dict[str, Any] = {"step": step, "outcome": outcome, "text": text, "reason": reason}
        return self.add("outcome", seconds if after is None else after, **facts, seconds=seconds, attempt=attempt)

    def select(self, *checks: dict[str, Any]) -> Story:
        self.asked = list(checks)
        return self.add("checks", checks=self.asked)

    def check(self, id: str, verdict: str = "passed", **answer: Any) -> Story:
        selected = next(check for check in self.asked if check["id"] == id)
        seconds = answer.get("seconds", 0.04)
        facts = {
            "verdict": verdict,
            "expected": selected["title"],
            "found": "as it should be",
            "mend": "",
            "reason": None,
            "started": self.now.isoformat(timespec="milliseconds"),
            "seconds": seconds,
            "attempts": 1,
            "reused": None,
        }
        return self.add("check", after=seconds / 4, **{**selected, **facts, **answer})

    def conclude(self, verdict: str, line: str, *, partial: bool = False) -> Story:
        counts = Counter(record.data["verdict"] for record in self.records if record.kind == "check")
        by_section = {
            title: Counter(r.data["verdict"] for r in self.records if r.kind == "check" and r.data["section"] == title)
            for title in (*SECTIONS, FINAL)
        }
        sections = [
            {
                "title": title,
                "gated": title in GATED,
                "items": sum(item.section == title for item in ITEMS),
                "built": sum(found.values()),
                **{word: found[word] for word in VERDICTS},
            }
            for title, found in by_section.items()
        ]
        return self.add(
            "conclusion",
            verdict=verdict,
            line=line,
            partial=partial,
            counts={word: counts[word] for word in VERDICTS},
            coverage={
                "items": len(ITEMS),
                "built": sum(check["number"] is not None for check in self.asked),
                "selected": len(self.asked),
            },
            sections=sections,
        )

    def end(
        self, status: str = "done", exit_code: int = 0, verdict: str = "", error: str | None = None, mend: str = ""
    ) -> Story:
        seconds = round((self.now - self.records[0].at).total_seconds(), 3)
        facts: dict[str, Any] = {"verdict": verdict, "error": error, "mend": mend, "seconds": seconds}
        return self.add("end", status=status, exit_code=exit_code, **facts)


def every_check() -> list[dict[str, Any]]:
    """What a full verification selects: the document's items, and the three closing probes."""
    closing = ("health.page", "health.database-page", "accounts.registration-open")
    return [a_check(item.id, item.number, item.section, item.title) for item in ITEMS] + [
        a_check(id, None, FINAL, f"The closing probe {id}") for id in closing
    ]


def a_check(id: str, number: int | None = None, section: str = "Security", title: str = "") -> dict[str, Any]:
    """A check as the record of the selection describes it."""
    return {
        "id": id,
        "number": number,
        "section": section,
        "title": title or f"The question {id}",
        "severity": "critical" if section in GATED else "minor",
        "evidence": "probe",
        "phase": "live",
        "depends_on": [],
        "gate": False,
    }


def verification() -> Story:
    """A verification that has selected its checks and asked none."""
    steps = (
        ("start-sandbox", "Start the embedded servers"),
        ("identify-release", "See which release runs"),
        ("ask-checks", "Ask every check"),
    )
    story = Story().begin("release.verify", "Verify a release", *steps)
    story.outcome("start-sandbox", text="PostgreSQL, Redis and the stand-in answer on loopback", seconds=4.212)
    story.add(
        "release", commit="1f0c" * 10, fingerprint="keyed:9a1b", text="commit 1f0c1f0c (main), migration head ab12"
    )
    story.outcome("identify-release", text="commit 1f0c1f0c runs", seconds=0.08)
    return story.select(*every_check())


def healthy() -> list[Record]:
    """Everything passed; GO."""
    story = verification()
    for place, check in enumerate(every_check()):
        story.check(check["id"], seconds=0.02 + 0.03 * (place % 7))
    story.outcome("ask-checks", text="134 checks asked", seconds=3.2, after=0.1)
    story.conclude("GO", "GO local (sandbox): 134 checks passed; 131 of the document's 131 items are built")
    return story.end(verdict="GO").records


def troubled() -> list[Record]:
    """Failures, an unknown, a flaky one, reused evidence, a waiver; NO-GO."""
    story = verification()
    answers = {"email.provider-not-console", "ai.lessons-openai", "postgres.not-public", "health.app"}
    answers |= {"support.discord", "cost.spike-budget", "capacity.workers-dedicated", "ai.chat"}
    story.check(
        "email.provider-not-console",
        "failed",
        expected="EMAIL_PROVIDER is resend, sendgrid, mailgun, postmark or ses",
        found="console: mails are printed to the application's log and nobody receives them",
        mend="set EMAIL_PROVIDER and the provider's key in the environment's variables, then: invoke release.verify",
    )
    story.check("health.app", seconds=0.612, attempts=2, found="200 in 41 ms; the first try timed out")
    for place, check in enumerate(every_check()):
        if check["id"] not in answers:
            story.check(check["id"], seconds=0.01 + 0.02 * (place % 9))
    story.check(
        "postgres.not-public",
        "unknown",
        expected="no connection from outside the private network",
        found="not looked at: no vantage point outside is declared",
        mend="declare [vantage] in inventory/local/environment.toml",
        reason="unreachable",
        seconds=3.0,
        attempts=3,
    )
    story.check(
        "ai.lessons-openai",
        reused={"run": "20261122T170000Z-release.verify-aa22", "at": "2026-11-22T17:00:09+00:00"},
        found="a lesson with 5 tasks in 2.1 s",
        seconds=0.2,
    )
    story.check(
        "ai.chat", "warned", expected="a reply in 5 s", found="a reply in 7.31 s", mend="see the provider's status"
    )
    story.check("capacity.workers-dedicated", "skipped", found="does not apply: the platform is hosts on a paid plan")
    story.check("support.discord", "attested", found="ada@atelier says so until 2027-02-01, with a screenshot")
    story.check(
        "cost.spike-budget",
        "waived",
        expected="a reserve",
        found="none; waived by ada until 2026-12-31",
        mend="ask for one",
    )
    story.outcome("ask-checks", text="134 checks asked", seconds=3.9, after=0.1)
    story.conclude(
        "NO-GO",
        "NO-GO local (sandbox): 1 failed, 1 unknown, 1 warned, 128 passed; 131 of the document's 131 items are built",
    )
    return story.end(exit_code=3, verdict="NO-GO").records


def killed() -> list[Record]:
    """Cut off while checks were asked."""
    story = verification()
    for check in every_check()[:40]:
        story.check(check["id"])
    return story.records


SANDBOX_STEPS = (
    ("make-folders", "Make the sandbox's folders"),
    ("start-servers", "Start PostgreSQL, Redis and the store"),
    ("start-application", "Start the stand-in application"),
)


def sandbox_up() -> list[Record]:
    """A run of steps only, which did what it should."""
    story = Story().begin("sandbox.up", "Start the sandbox", *SANDBOX_STEPS)
    story.intent("make-folders").outcome("make-folders", "changed", "made var/sandbox", 0.01)
    story.intent("start-servers").outcome("start-servers", "changed", "three servers answer on loopback", 3.8)
    story.outcome("start-application", "ok", "already so", 0.02)
    return story.end().records


def compensated() -> list[Record]:
    """The last step failed, so what was done before it was undone; one undo failed."""
    story = Story().begin("sandbox.up", "Start the sandbox", *SANDBOX_STEPS)
    story.intent("make-folders").outcome("make-folders", "changed", "made var/sandbox", 0.01)
    story.intent("start-servers").outcome("start-servers", "changed", "three servers answer on loopback", 3.8)
    error = "the application did not answer\n  where: http://127.0.0.1:8000/health\n  found: connection refused"
    story.intent("start-application").outcome("start-application", "failed", error, 10.0, 2, "timed out")
    story.add("undo-intent", step="start-servers")
    story.add("undo-outcome", step="start-servers", outcome="compensated", text="stopped them", seconds=0.4)
    story.add("undo-intent", step="make-folders")
    story.add("undo-outcome", step="make-folders", outcome="failed", text="the folder is in use", seconds=0.01)
    mend = "look at make-folders, then: invoke runs.abort 20261123T050212Z-sandbox.up-k3f9"
    return story.end("needs a person", 7, error=error, mend=mend).records


def stopped() -> list[Record]:
    """Ctrl-C during the second step."""
    story = Story().begin("sandbox.up", "Start the sandbox", *SANDBOX_STEPS)
    story.intent("make-folders").outcome("make-folders", "changed", "made var/sandbox", 0.01)
    story.intent("start-servers").outcome("start-servers", "aborted", "stopped by the operator", 0.7)
    mend = "invoke runs.resume 20261123T050212Z-sandbox.up-k3f9"
    return story.end("stopped", 130, error="stopped by SIGINT", mend=mend).records


def resumed() -> list[Record]:
    """The stopped run, gone on with to its end."""
    story = Story()
    story.records = list(stopped())
    story.now = story.records[-1].at
    story.add("resumed", after=60, operator="grace@atelier")
    story.outcome("make-folders", "ok", "already so", 0.01)
    story.intent("start-servers").outcome("start-servers", "changed", "three servers answer on loopback", 3.8)
    story.outcome("start-application", "ok", "already so", 0.02)
    return story.end().records


def unbegun() -> list[Record]:
    """A run that could not begin: the first step failed and changed nothing."""
    story = Story().begin("release.verify", "Verify a release", ("start-sandbox", "Start the embedded servers"))
    error = "the sandbox's servers are not installed\n  next:  pip install 'praviel-runbooks[sandbox]'"
    story.outcome("start-sandbox", "failed", error, 0.01, reason="failed")
    return story.end("failed", 1, error=error).records


def terse() -> list[Record]:
    """A deploy whose step recorded a release, and a note, without any words."""
    story = Story().begin("release.deploy", "Deploy a release", ("record", "Record it in the ledger"))
    story.add("release", id="20261123t050212-1f0c1f0c1f0c").add("note", step="record", by="ada")
    return story.outcome("record", "changed", "entry 3").end().records


RUNS = {
    "healthy": healthy,
    "troubled": troubled,
    "killed": killed,
    "sandbox up": sandbox_up,
    "compensated": compensated,
    "stopped": stopped,
    "resumed": resumed,
    "unbegun": unbegun,
    "terse": terse,
}
